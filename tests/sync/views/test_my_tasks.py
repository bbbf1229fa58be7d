"""My tasks: what is due when, what is done and where it stands, found again, in pages, one's own alone."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from sync import worklist
from sync.enums import OutboxState, TaskState
from sync.models import Task
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, TaskFactory
from tests.people import People, logged_in, people
from tests.sync.results import make_done

__all__ = ["people"]

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 3, 5, 12, 0, tzinfo=UTC)  # a Wednesday
TODAY = date(2025, 3, 5)


@pytest.fixture(autouse=True)
def at_noon() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def due(user: User, days: int, subject: str = "", **fields: object) -> Task:
    """An open task that is due so many days from now."""
    task: Task = TaskFactory.create(
        user=user,
        state=TaskState.OPEN,
        completed_at=None,
        due_on=TODAY + timedelta(days=days),
        subject=subject or f"Due in {days}",
        **fields,
    )
    return task


def subjects(client: Client, query: str = "") -> list[str]:
    """The subjects of the rows that the page shows, in order."""
    response = client.get(f"/tasks/{query}")
    assert response.status_code == 200
    return [row.task.subject for group in response.context["groups"] for row in group.rows]


def counts(client: Client) -> dict[str, str]:
    return {tab["name"].value: tab["count"] for tab in client.get("/tasks/").context["tabs"]}


def test_what_is_due_stands_first_and_what_is_late_before_it(people: People) -> None:
    for days in (0, 3, -2, -1, 1):
        due(people.rep, days)
    client = logged_in(people.rep)
    assert subjects(client) == ["Due in -2", "Due in -1", "Due in 0"]
    assert subjects(client, "?show=upcoming") == ["Due in 1", "Due in 3"]
    html = client.get("/tasks/").content.decode()
    assert [group.title for group in client.get("/tasks/").context["groups"]] == ["Overdue", "Due today"]
    assert html.count("2 days late") == 1
    assert html.count("1 day late") == 1
    assert counts(client) == {"today": "3", "upcoming": "2", "completed": "0", "skipped": "0"}


def test_a_task_without_a_day_stands_at_the_end_of_what_comes(people: People) -> None:
    due(people.rep, 2)
    TaskFactory.create(user=people.rep, state=TaskState.OPEN, completed_at=None, subject="Some time")
    assert subjects(logged_in(people.rep), "?show=upcoming") == ["Due in 2", "Some time"]


@pytest.mark.parametrize(("zone", "shown"), [("Pacific/Auckland", ["Due in 1"]), ("America/Los_Angeles", [])])
def test_today_is_that_of_the_user(people: People, zone: str, shown: list[str]) -> None:
    people.rep.time_zone = zone
    people.rep.save()
    due(people.rep, 1)
    assert subjects(logged_in(people.rep)) == shown


@pytest.mark.parametrize("role", ["manager", "admin", "other_rep"])
def test_everybody_has_their_own_tasks_only(people: People, role: str) -> None:
    due(people.rep, 0)
    viewer = getattr(people, role)
    own = due(viewer, 0, "Mine")
    assert subjects(logged_in(viewer)) == [own.subject]
    assert counts(logged_in(viewer))["today"] == "1"


def test_what_is_done_stands_with_its_state_the_newest_first(people: People) -> None:
    connection = RecordFactory.create().connection
    make_done(connection, people.rep, "Refused", OutboxState.FAILED)
    TaskFactory.create(user=people.rep, subject="Newest", completed_at=NOW)
    TaskFactory.create(user=people.rep, subject="Old", completed_at=datetime(2020, 1, 1, tzinfo=UTC))
    client = logged_in(people.rep)
    assert sorted(subjects(client, "?show=completed")[:2]) == ["Newest", "Refused"]
    assert subjects(client, "?show=completed")[2] == "Old"
    states = {
        row.task.subject: str(row.state.label)
        for group in client.get("/tasks/?show=completed").context["groups"]
        for row in group.rows
    }
    assert states == {"Refused": "Failed", "Newest": "Waiting", "Old": "Waiting"}


def test_counts_stop_at_999(people: People) -> None:
    Task.objects.bulk_create(
        Task(user=people.rep, kind="other", subject="x", state=TaskState.COMPLETED, completed_at=NOW)
        for _number in range(1001)
    )
    assert counts(logged_in(people.rep))["completed"] == "999+"


def test_pages(people: People) -> None:
    for number in range(51):
        due(people.rep, -number)
    client = logged_in(people.rep)
    first = client.get("/tasks/")
    assert len(subjects(client)) == 50
    assert first.content.decode().count('rel="next"') == 1
    assert subjects(client, "?page=2") == ["Due in 0"]
    assert client.get("/tasks/?page=2").content.decode().count('rel="prev"') == 1
    for odd in ("0", "-1", "x", "9" * 30, "²"):
        assert client.get(f"/tasks/?page={odd}").status_code == 200


@pytest.mark.parametrize(
    "text", ["roadmap", "HANA nov", "+1 212 555 0141", "(212) 555-0141", "5550141", "0141", "hana@acme.example"]
)
def test_search_by_subject_record_number_and_address(people: People, text: str) -> None:
    record = RecordFactory.create(name="Hana Novak", phones=["+1 212 555 0141"], emails=["hana@acme.example"])
    due(
        people.rep,
        0,
        "Present the Roadmap",
        record=record,
        phone_e164="+12125550141",
        email_address="hana@acme.example",
    )
    due(people.rep, 0, "Something else")
    assert subjects(logged_in(people.rep), f"?q={text.replace('+', '%2B')}") == ["Present the Roadmap"]


def test_search_by_a_number_of_the_record_itself(people: People) -> None:
    record = RecordFactory.create(phones=["+1 212 555 0141"])
    due(people.rep, 0, "Call", record=record)
    due(people.rep, 0, "Another")
    assert subjects(logged_in(people.rep), "?q=212-555-0141") == ["Call"]


def test_search_among_what_is_done(people: People) -> None:
    TaskFactory.create(user=people.rep, subject="Roadmap", who=RecordFactory.create(name="Hana Novak"))
    TaskFactory.create(user=people.rep, subject="Other")
    client = logged_in(people.rep)
    assert subjects(client, "?show=completed&q=road") == ["Roadmap"]
    assert subjects(client, "?show=completed&q=novak") == ["Roadmap"]
    assert client.get("/tasks/?show=completed&q=nothing+such").content.decode().count("Nothing found here") == 1


def test_the_page_says_when_not_all_that_is_done_was_searched(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worklist, "SEARCHED", 2)
    TaskFactory.create_batch(2, user=people.rep, subject="Roadmap")
    client, words = logged_in(people.rep), "Only your latest 2 completed tasks are searched."
    assert client.get("/tasks/?show=completed&q=road").content.decode().count(words) == 0
    TaskFactory.create(user=people.rep, subject="Other")
    for query, count in (("?show=completed&q=none", 1), ("?show=completed", 0), ("?q=road", 0)):
        assert client.get(f"/tasks/{query}").content.decode().count(words) == count


@pytest.mark.parametrize("text", ["%00", "%", "_", "'", "x" * 5000, "%F0%9F%99%82", "%ED%A0%80"])
def test_search_for_odd_texts(people: People, text: str) -> None:
    due(people.rep, 0)
    assert logged_in(people.rep).get(f"/tasks/?q={text}").status_code == 200


@pytest.mark.parametrize("show", ["", "upcoming", "completed", "skipped", "nonsense"])
def test_empty_parts_say_what_comes_here(people: People, show: str) -> None:
    html = logged_in(people.rep).get(f"/tasks/?show={show}").content.decode()
    assert html.count('class="pb-empty"') == 1


def test_a_row_names_record_play_and_step(people: People) -> None:
    step = PlayStepFactory.create(play=PlayFactory.create(name="Renewal"), name="First call")
    due(people.rep, 0, "Call <Hana>", record=RecordFactory.create(name="Hana Novak"), step=step)
    html = logged_in(people.rep).get("/tasks/").content.decode()
    assert html.count("Renewal \u203a First call") == 1
    assert html.count("Hana Novak") == 1
    assert html.count("Call &lt;Hana&gt;") >= 1
    assert html.count("<Hana>") == 0


@pytest.mark.parametrize("number", [3, 30])
@pytest.mark.parametrize(("show", "queries"), [("today", 10), ("completed", 11)])
def test_queries_do_not_grow_with_the_list(
    people: People, number: int, show: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    record = RecordFactory.create()
    for each in range(number):
        step = PlayStepFactory.create()
        if show == "today":
            due(people.rep, -each, record=record, step=step)
        else:
            make_done(record.connection, people.rep, f"Call {each}", OutboxState.DONE, who=record, step=step)
    client = logged_in(people.rep)
    with django_assert_num_queries(queries):
        assert client.get(f"/tasks/?show={show}").status_code == 200
