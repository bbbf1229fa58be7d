"""sync/views/records.py: looking records up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from sync.enums import RecordKind, TaskState
from sync.models import Record
from tests.factories import ConnectionFactory, RecordFactory, TaskFactory, UserFactory, crm_id
from tests.people import People, logged_in, people

__all__ = ["people"]

Queries = Callable[..., Any]
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def rep(people: People) -> Client:
    ConnectionFactory.create()
    return logged_in(people.rep)


def read(client: Client, query: str = "", **headers: str) -> str:
    response = client.get(f"/records/{query}", **headers)  # type: ignore[arg-type]
    assert response.status_code == 200
    return response.content.decode()


def test_a_search_shows_who_it_is_and_how_to_reach_them(rep: Client, people: People) -> None:
    account = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Northwind")
    record = RecordFactory.create(
        name="Carla <b>",
        account_crm_id=account.crm_id,
        owner=people.rep,
        emails=["carla@nw.example"],
        phones=["+1 415 555 0132"],
    )
    page = read(rep, "?q=carla")
    for words in ("Carla &lt;b&gt;", "Contact", "Northwind", "carla@nw.example", "+1 415 555 0132", "Owner: Rosa Rep"):
        assert words in page, words
    assert f"/records/{record.uuid}/" in page
    assert "last by you" not in page


def test_owners_outside_ones_sight_are_not_named(rep: Client, people: People) -> None:
    RecordFactory.create(name="Carla", owner=people.other_rep)
    assert "Sven" not in read(rep, "?q=carla")
    assert "Owner: Sven Stranger" in read(logged_in(people.admin), "?q=carla")


def test_without_a_search_ones_own_latest_records_stand_there(rep: Client, people: People) -> None:
    old, new, foreign, gone = (RecordFactory.create(name=name) for name in ("Old", "Newly", "Foreign", "Gone"))
    now = timezone.now()
    TaskFactory.create(user=people.rep, who=old, completed_at=now - timedelta(days=2))
    TaskFactory.create(user=people.rep, who=new, completed_at=now)
    TaskFactory.create(user=people.rep, who=gone, completed_at=now)
    TaskFactory.create(user=people.other_rep, who=foreign, completed_at=now)
    Record.objects.filter(pk=gone.pk).update(is_deleted=True)
    page = read(rep)
    assert page.index("Newly") < page.index("Old")
    assert "Foreign" not in page
    assert "Gone" not in page
    assert "last by you" in page
    assert "Newly" not in read(rep, "?kind=lead")


def test_kinds_narrow_and_keep_what_was_typed(rep: Client) -> None:
    RecordFactory.create(name="Acme person")
    RecordFactory.create(name="Acme company", kind=RecordKind.ACCOUNT)
    page = read(rep, "?q=acme&kind=account")
    assert "Acme company" in page
    assert "Acme person" not in page
    assert "?q=acme&amp;kind=lead" in page
    assert "Acme person" in read(rep, "?q=acme&kind=nonsense")


def test_pages_lead_on_and_back(rep: Client) -> None:
    for number in range(25):
        RecordFactory.create(name=f"Acme {number:02}")
    first, second = read(rep, "?q=acme"), read(rep, "?q=acme&page=2")
    assert "Acme 19" in first
    assert "Acme 20" not in first
    assert "?q=acme&amp;page=2" in first
    assert "Acme 24" in second
    assert 'rel="prev" href="/records/?q=acme"' in second
    assert "Nothing found" in read(rep, "?q=acme&page=3")
    assert "Acme 00" in read(rep, "?q=acme&page=x")


def test_while_one_types_only_what_was_found_comes(rep: Client) -> None:
    RecordFactory.create(name="Carla")
    part = read(rep, "?q=carla", **HTMX)
    assert "Carla" in part
    assert "<html" not in part
    assert "<html" in read(rep, "?q=carla", HTTP_HX_HISTORY_RESTORE_REQUEST="true", **HTMX)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "Nothing worked on lately"),
        ("?q=nobody", "Nothing is known by “nobody”"),
        ("?q=%00%ED%A0%80", "Nothing"),
        (f"?q={'x' * 3000}", "Nothing found"),
    ],
)
def test_empty_pages_say_what_helps(rep: Client, query: str, words: str) -> None:
    assert words in read(rep, query)


def test_without_a_connection_it_says_so(people: People) -> None:
    assert "No CRM is connected yet" in read(logged_in(people.rep), "?q=carla")


@pytest.mark.parametrize("count", [3, 20])
@pytest.mark.parametrize(("query", "expected"), [("?q=acme", 11), ("", 12)])
def test_as_many_questions_for_few_as_for_many(
    rep: Client, people: People, count: int, query: str, expected: int, django_assert_num_queries: Queries
) -> None:
    for number in range(count):
        record = RecordFactory.create(
            name=f"Acme {number}", phones=[f"+1 415 555 01{number:02}"], owner=UserFactory.create()
        )
        TaskFactory.create(user=people.rep, who=record, completed_at=timezone.now())
    # More than a page, so that the search asks its first question only.
    for number in range(25):
        RecordFactory.create(name=f"Acme more {number}")
    rep.get("/records/")
    with django_assert_num_queries(expected):
        rep.get(f"/records/{query}")


def test_a_record_that_nobody_named_here_yet_is_opened_by_its_id(
    rep: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    key = crm_id("003", 5)
    page = read(rep, f"?q=https://acme.example/lightning/r/Contact/{key}/view")
    assert "doesn't know this record yet (Contact" in page
    with django_capture_on_commit_callbacks(execute=True):
        response = rep.post("/records/open/", {"crm_id": key})
    record = Record.objects.get(crm_id=key)
    assert response["Location"] == f"/records/{record.uuid}/"
    assert OrmQ.objects.count() == 1
    # Again: it leads there, and nothing is asked for by this.
    assert rep.post("/records/open/", {"crm_id": key})["Location"] == f"/records/{record.uuid}/"


@pytest.mark.parametrize("text", ["", "nonsense", crm_id("500", 1), crm_id("00T", 1), "\0"])
def test_what_is_no_records_id_is_refused(rep: Client, text: str) -> None:
    response = rep.post("/records/open/", {"crm_id": text}, follow=True)
    assert "not the CRM id of an Account" in response.content.decode()
    assert not Record.objects.exists()


def test_tasks_that_are_only_planned_are_no_work(rep: Client, people: People) -> None:
    TaskFactory.create(
        user=people.rep, who=RecordFactory.create(name="Planned"), state=TaskState.OPEN, completed_at=None
    )
    assert "Planned" not in read(rep)
