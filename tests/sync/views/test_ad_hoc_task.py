"""Logging a task that no play asked for: its record looked up, or a number alone, and what became of it in words."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from sync.enums import LinkChoice, RecordKind, TaskKind, TaskState
from sync.models import OutboxRow, Record, Task
from tests.factories import RecordFactory, TaskFactory
from tests.people import People, logged_in, people

__all__ = ["people"]

pytestmark = pytest.mark.django_db

NUMBER = "+1 212 555 0141"


@pytest.fixture
def hana(db: None) -> Record:
    made: Record = RecordFactory.create(name="Hana Novak", phones=[NUMBER], emails=["hana@acme.example"])
    return made


def log(client: Client, kind: str = "call", **said: str) -> HttpResponse:
    form = {"kind": kind, "subject": "Asked for prices", **said}
    response: HttpResponse = client.post("/tasks/new/", form)  # type: ignore[assignment]
    return response


def said_after(client: Client) -> str:
    """The message that the next page shows, without its markup."""
    html = client.get("/tasks/").content.decode()
    (message,) = re.findall(r'<p class="pb-banner pb-banner-good" role="status">(.*?)</p>', html, re.DOTALL)
    return re.sub(r"<[^>]*>", "", message)


def found(client: Client, text: str) -> list[str]:
    return [str(record) for record in client.get("/tasks/new/", {"q": text}).context["found"]]


@pytest.mark.parametrize("text", ["hana", NUMBER, "hana@acme.example", "crm id"])
def test_a_record_is_looked_up_and_chosen(people: People, hana: Record, text: str) -> None:
    client = logged_in(people.rep)
    assert found(client, hana.crm_id if text == "crm id" else text) == ["Hana Novak"]
    page = client.post("/tasks/new/", {"kind": "call", "choose": str(hana.uuid), "subject": "Typed before"})
    assert page.status_code == 200
    assert (page.context["record"], Task.objects.count()) == (hana, 0)
    html = page.content.decode()
    assert html.count('value="Typed before"') == 1
    assert html.count(f'name="record" value="{hana.uuid}"') == 1
    assert log(client, record=str(hana.uuid), known_number=NUMBER)["Location"] == "/tasks/"
    task = Task.objects.get()
    assert (task.who, task.link_choice, task.phone_number) == (hana, LinkChoice.EXPLICIT, NUMBER)
    assert said_after(client) == "“Asked for prices” is completed. It is logged on Hana Novak."


def test_while_one_types_the_results_alone_come(people: People, hana: Record) -> None:
    html = logged_in(people.rep).get("/tasks/new/records/?q=hana", headers={"hx-request": "true"}).content.decode()
    assert (html.count("<html"), html.count(f'value="{hana.uuid}"')) == (0, 1)
    html = logged_in(people.rep).get("/tasks/new/records/?q=nobody").content.decode()
    assert html.count("Nothing is known by “nobody”.") == 1


def values(response: Any) -> dict[str, str]:
    """What the page shows in its form, hidden fields and those of other kinds, too."""
    form = response.context["form"]
    kept: dict[str, str] = response.context["kept"]
    return {name: str(form[name].value() or "") for name in form.fields} | kept


TYPED = {
    "subject": "Prices",
    "description": "Two\nlines",
    "phone_number": "+1 212 555 0199",
    "completed_at": "2025-03-03T14:05",
}


def test_another_kind_loses_nothing_and_logs_nothing(people: People) -> None:
    client = logged_in(people.rep)
    page = client.post("/tasks/new/", {"kind": "call", "switch": "email", **TYPED})
    assert (page.context["kind"], values(page).items() >= TYPED.items()) == (TaskKind.EMAIL, True)
    assert page.content.decode().count('name="phone_number" value="+1 212 555 0199"') == 1
    page = client.post("/tasks/new/", {"kind": "email", "switch": "call", **values(page)})
    assert (page.context["kind"], values(page).items() >= TYPED.items()) == (TaskKind.CALL, True)
    assert not Task.objects.exists()
    assert client.post("/tasks/new/", {"kind": "email", "log": "1", **TYPED}).status_code == 302


@pytest.mark.parametrize("pressed", [{"find": "1"}, {}])
def test_searching_without_script_loses_nothing(people: People, hana: Record, pressed: dict[str, str]) -> None:
    """With its button, or with Enter."""
    page = logged_in(people.rep).post("/tasks/new/", {"kind": "call", "q": "hana", "searched": "", **TYPED, **pressed})
    assert (page.status_code, [str(each) for each in page.context["found"]]) == (200, ["Hana Novak"])
    assert values(page).items() >= TYPED.items()
    assert not Task.objects.exists()


@pytest.mark.parametrize("pressed", [{"log": "1"}, {"searched": "hana"}])
def test_a_search_does_not_keep_one_from_logging(people: People, hana: Record, pressed: dict[str, str]) -> None:
    assert log(logged_in(people.rep), q="hana", **pressed).status_code == 302


@pytest.mark.parametrize("kind", TaskKind.values)
def test_each_kind_has_its_fields(people: People, kind: str) -> None:
    fields = set(logged_in(people.rep).get(f"/tasks/new/?kind={kind}").context["form"].fields)
    special = {
        "call": {"phone_number", "call_direction", "call_duration_seconds", "call_disposition"},
        "email": {"email_address"},
        "other": set(),
    }
    assert fields == {"subject", "description", "completed_at", "form_key"} | special[kind]


def test_an_unknown_kind_is_a_call(people: People) -> None:
    assert logged_in(people.rep).get("/tasks/new/?kind=dance").context["kind"] == TaskKind.CALL


def test_m6_a_call_to_an_unknown_number_is_an_orphan_and_the_page_says_so(people: People) -> None:
    RecordFactory.create()
    client = logged_in(people.rep)
    log(client, phone_number="+49 30 901820")
    task = Task.objects.get()
    assert (task.is_orphan, task.who, task.what) == (True, None, None)
    assert said_after(client) == (
        "“Asked for prices” is completed. No record with a history has this number: the call is written without a "
        "record; you can adopt it."
    )


def test_m4_a_number_with_a_history_is_matched_and_the_page_says_to_whom(people: People, hana: Record) -> None:
    TaskFactory.create(who=hana)
    client = logged_in(people.rep)
    log(client, phone_number="(212) 555-0141")
    assert said_after(client) == (
        "“Asked for prices” is completed. The number belongs to Hana Novak: the call is logged there."
    )


def test_m4_without_a_history_a_number_matches_nobody(people: People, hana: Record) -> None:
    client = logged_in(people.rep)
    log(client, phone_number=NUMBER)
    assert Task.objects.get().is_orphan
    assert said_after(client).count("No record with a history has this number") == 1


def test_several_records_with_a_history(people: People, hana: Record) -> None:
    TaskFactory.create(who=hana)
    TaskFactory.create(who=RecordFactory.create(phones=[NUMBER], kind=RecordKind.LEAD))
    client = logged_in(people.rep)
    log(client, phone_number=NUMBER)
    assert said_after(client).count("Several records with a history have this number") == 1


@pytest.mark.parametrize(
    ("kind", "said", "words"),
    [
        ("call", {}, "Neither a record nor a number was given"),
        ("email", {}, "Neither a record nor an address was given"),
        ("email", {"email_address": "x@y.example"}, "No record with a history has this address"),
        ("other", {}, "It is written without a record."),
    ],
)
def test_without_a_record(people: People, kind: str, said: dict[str, str], words: str) -> None:
    client = logged_in(people.rep)
    log(client, kind, **said)
    assert said_after(client).count(words) == 1


def test_m5_an_ad_hoc_task_has_no_play(people: People, hana: Record) -> None:
    log(logged_in(people.rep), record=str(hana.uuid))
    task = Task.objects.get()
    assert (task.step, task.enrolment, task.user) == (None, None, people.rep)


def test_sent_twice_it_is_logged_once(people: People) -> None:
    client = logged_in(people.rep)
    key = str(client.get("/tasks/new/").context["form"]["form_key"].value())
    for _time in range(2):
        assert log(client, form_key=key).status_code == 302
    assert str(Task.objects.get().uuid) == key
    log(client)
    assert Task.objects.count() == 2


@pytest.mark.parametrize("other", [{"subject": "Another call"}, {"description": "Other notes"}, {"record": "hana"}])
def test_a_form_that_says_something_else_the_second_time_loses_nothing(
    people: People, hana: Record, other: dict[str, str]
) -> None:
    client = logged_in(people.rep)
    key = str(client.get("/tasks/new/").context["form"]["form_key"].value())
    log(client, form_key=key)
    said = {name: str(hana.uuid) if value == "hana" else value for name, value in other.items()}
    response = log(client, form_key=key, **said)
    html = response.content.decode()
    assert (response.status_code, html.count("This form was sent before")) == (200, 1)
    new = str(response.context["form"]["form_key"].value())  # type: ignore[attr-defined]
    assert (new != key, Task.objects.count()) == (True, 1)
    assert log(client, form_key=new, **said).status_code == 302
    assert Task.objects.count() == 2


def test_somebody_elses_task_is_not_told_to_who_brings_its_id(people: People) -> None:
    theirs = TaskFactory.create(user=people.other_rep)
    html = log(logged_in(people.rep), form_key=str(theirs.uuid)).content.decode()
    assert html.count("This form was made for somebody else.") == 1
    assert (html.count(theirs.subject), Task.objects.count()) == (0, 1)


@pytest.mark.parametrize(
    "record",
    [
        "nonsense",
        "00000000-0000-0000-0000-000000000000",
        {"is_deleted": True},
        {"kind": RecordKind.CASE},
    ],
)
def test_a_record_that_cannot_be_chosen_is_none(people: People, record: Any) -> None:
    given = str(RecordFactory.create(**record).uuid) if isinstance(record, dict) else record
    response = logged_in(people.rep).get(f"/tasks/new/?record={given}")
    assert (response.status_code, response.context["record"]) == (200, None)


def test_without_a_connection_there_is_no_search_and_logging_works(people: People) -> None:
    client = logged_in(people.rep)
    assert client.get("/tasks/new/?q=x").content.decode().count("No CRM is connected yet") == 1
    assert log(client).status_code == 302


@pytest.mark.parametrize(
    ("kind", "said", "field"),
    [
        ("call", {"subject": ""}, "subject"),
        ("call", {"phone_number": "what"}, "phone_number"),
        ("email", {"email_address": "not one"}, "email_address"),
        ("other", {"completed_at": "2999-01-01T00:00"}, "completed_at"),
        ("other", {"form_key": "x"}, "form_key"),
    ],
)
def test_bad_input(people: People, kind: str, said: dict[str, str], field: str) -> None:
    response = log(logged_in(people.rep), kind, description="Typed", **said)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]  # type: ignore[attr-defined]
    assert (Task.objects.count(), response.content.decode().count(">\nTyped</textarea>")) == (0, 1)


def test_a_chosen_record_stays_when_something_else_is_wrong(people: People, hana: Record) -> None:
    response = log(logged_in(people.rep), record=str(hana.uuid), subject="")
    assert response.context["record"] == hana  # type: ignore[attr-defined]


def test_it_is_written_once_for_the_crm(people: People, hana: Record) -> None:
    log(logged_in(people.rep), record=str(hana.uuid))
    assert (OutboxRow.objects.count(), Task.objects.get().state) == (1, TaskState.COMPLETED)
