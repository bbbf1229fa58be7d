"""Completing an open task from its page and from the list: its kind's fields, errors, and others who were faster."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from sync import plays
from sync.completion import Completion, complete
from sync.enums import DecisionCode, FailureMode, OutboxState, RecordKind, TaskKind, TaskState
from sync.models import Decision, OutboxRow, Record, Task
from sync.skipping import skip
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory
from tests.people import People, logged_in, people

__all__ = ["people"]

pytestmark = pytest.mark.django_db

HTMX = {"hx-request": "true"}


@pytest.fixture
def record(db: None) -> Record:
    made: Record = RecordFactory.create(
        name="Hana Novak", phones=["+1 212 555 0141", "+1 212 555 0199"], emails=["hana@acme.example"]
    )
    return made


def step_of(user: User, record: Record, kind: TaskKind = TaskKind.CALL, **fields: Any) -> Task:
    """The one open task of a play that the record was enrolled in."""
    step = PlayStepFactory.create(play=PlayFactory.create(), kind=kind, subject="Ask about the pilot", **fields)
    return plays.enrol(step.play, record, user).tasks.get()


def address(task: Task, verb: str = "complete") -> str:
    return f"/tasks/{task.uuid}/{verb}/"


def send(client: Client, task: Task, said: dict[str, str] | None = None, **values: Any) -> HttpResponse:
    """Send the form as it is shown, with `said` typed over it."""
    form = {"subject": task.subject, "description": task.description, "call_direction": "outbound", **(said or {})}
    response: HttpResponse = client.post(address(task), form, **values)  # type: ignore[assignment]
    return response


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_a_call_with_its_fields(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    said = {
        "known_number": "+1 212 555 0199",
        "call_duration_seconds": "3:05",
        "call_disposition": "Connected",
        "description": "Wants\r\na demo",
        "completed_at": "2025-03-03T14:05",
    }
    response = send(logged_in(people.rep), task, said)
    assert (response.status_code, response["Location"]) == (302, "/tasks/")
    task.refresh_from_db()
    assert task.state == TaskState.COMPLETED
    assert (task.phone_number, task.call_direction, task.call_duration_seconds) == ("+1 212 555 0199", "outbound", 185)
    assert (task.call_disposition, task.description) == ("Connected", "Wants\na demo")
    assert task.completed_at == datetime(2025, 3, 3, 14, 5, tzinfo=UTC)
    assert (task.who, OutboxRow.objects.get().state) == (record, OutboxState.PENDING)


def test_the_form_offers_what_the_record_has(people: People, record: Record) -> None:
    call, email = step_of(people.rep, record), step_of(people.rep, record, TaskKind.EMAIL)
    client = logged_in(people.rep)
    form = client.get(address(call)).context["form"]
    assert [value for value, _label in form["known_number"].field.choices] == [
        "+1 212 555 0141",
        "+1 212 555 0199",
        "",
    ]
    assert (form["known_number"].value(), form["subject"].value()) == ("+1 212 555 0141", "Ask about the pilot")
    form = client.get(address(email)).context["form"]
    assert form["known_address"].value() == "hana@acme.example"
    assert "call_direction" not in form.fields


def test_an_email_to_another_address(people: People, record: Record) -> None:
    task = step_of(people.rep, record, TaskKind.EMAIL)
    send(logged_in(people.rep), task, {"known_address": "hana@acme.example", "email_address": "Hana@Home.example"})
    task.refresh_from_db()
    assert (task.state, task.email_address) == (TaskState.COMPLETED, "hana@home.example")


def test_a_call_without_a_number_and_something_else(people: People, record: Record) -> None:
    call, other = step_of(people.rep, record), step_of(people.rep, record, TaskKind.OTHER)
    client = logged_in(people.rep)
    send(client, call, {"known_number": ""})
    send(client, other)
    call.refresh_from_db()
    other.refresh_from_db()
    assert (call.state, call.phone_number, other.state) == (TaskState.COMPLETED, "", TaskState.COMPLETED)


def test_a_picklist_of_the_org_is_offered(people: People, record: Record) -> None:
    schema = {
        "fields": {
            "call_disposition": {
                "name": "CallDisposition",
                "max_length": 255,
                "createable": True,
                "updateable": True,
                "choices": ["Connected", "Busy"],
            }
        },
        "values": {},
        "closed_status": "Completed",
        "has_key": True,
        "key_fallback": None,
        "missing": [],
    }
    type(record.connection).objects.update(schema=schema)
    task = step_of(people.rep, record)
    client = logged_in(people.rep)
    form = client.get(address(task)).context["form"]
    assert [value for value, _label in form["call_disposition"].field.choices] == ["", "Connected", "Busy"]
    response = send(client, task, {"call_disposition": "Danced"})
    assert list(errors(response)) == ["call_disposition"]


def test_what_the_person_belongs_to_can_be_chosen(people: People) -> None:
    account = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Acme")
    person = RecordFactory.create(name="Hana", account_crm_id=account.crm_id)
    deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="Winter", account_crm_id=account.crm_id)
    RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="Somebody else's")
    task = step_of(people.rep, person)
    client = logged_in(people.rep)
    choices = client.get(address(task)).context["form"]["related_record"].field.choices
    assert [value for value, _label in choices] == ["", str(account.uuid), str(deal.uuid)]
    send(client, task, {"related_record": str(deal.uuid)})
    task.refresh_from_db()
    assert (task.who, task.what) == (person, deal)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"subject": " "}, "subject"),
        ({"subject": "x" * 1001}, "subject"),
        ({"subject": "a\0b"}, "subject"),
        ({"phone_number": "12"}, "phone_number"),
        ({"call_direction": "sideways"}, "call_direction"),
        ({"call_duration_seconds": "long"}, "call_duration_seconds"),
        ({"call_duration_seconds": "999999999:00"}, "call_duration_seconds"),
        ({"call_disposition": "x" * 256}, "call_disposition"),
        ({"completed_at": "soon"}, "completed_at"),
        ({"completed_at": "2999-01-01T00:00"}, "completed_at"),
        ({"completed_at": "0001-01-01T00:00"}, "completed_at"),
        ({"completed_at": "9999-12-31T23:59"}, "completed_at"),
        ({"known_number": "+1 000"}, "known_number"),
    ],
)
def test_bad_input_is_told_beside_its_field_and_kept(
    people: People, record: Record, said: dict[str, str], field: str
) -> None:
    task = step_of(people.rep, record)
    response = send(logged_in(people.rep), task, {"description": "Typed", **said})
    task.refresh_from_db()
    assert (response.status_code, task.state) == (200, TaskState.OPEN)
    assert list(errors(response)) == [field]
    html = response.content.decode()
    assert html.count(f'id="id_{field}_error"') == 1
    assert html.count(">\nTyped</textarea>") == 1


@pytest.mark.parametrize(
    ("role", "status"),
    [("rep", 200), ("manager", 200), ("admin", 200), ("other_rep", 404), ("other_manager", 404), ("colleague", 404)],
)
@pytest.mark.parametrize("verb", ["complete", "snooze"])
def test_who_may_open_the_form(people: People, record: Record, role: str, status: int, verb: str) -> None:
    task = step_of(people.rep, record)
    assert logged_in(getattr(people, role)).get(address(task, verb)).status_code == status


@pytest.mark.parametrize("verb", ["complete", "snooze", "skip", "unskip"])
def test_nothing_happens_to_somebody_elses_task(people: People, record: Record, verb: str) -> None:
    task = step_of(people.rep, record)
    response = logged_in(people.other_rep).post(address(task, verb), {"subject": "x", "until": "2030-01-01"})
    assert response.status_code == 404
    task.refresh_from_db()
    assert (task.state, Decision.objects.count()) == (TaskState.OPEN, 0)


def test_a_manager_completes_for_the_rep_and_that_is_noted(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    send(logged_in(people.manager), task)
    task.refresh_from_db()
    assert (task.state, task.user) == (TaskState.COMPLETED, people.rep)
    noted = Decision.objects.get(task=task, code=DecisionCode.COMPLETED_FOR)
    assert noted.detail == {"by": str(people.manager.uuid)}


def test_the_message_names_the_task_and_leads_to_it(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    client = logged_in(people.rep)
    send(client, task, {"subject": "<b>Hi</b>"})
    html = client.get("/tasks/").content.decode()
    assert html.count(f'href="/tasks/{task.uuid}/"') == 1
    assert html.count("“&lt;b&gt;Hi&lt;/b&gt;”</a> is completed.") == 1
    assert html.count("Hana Novak</a>.") == 1


def test_sent_twice_it_is_logged_once(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    client = logged_in(people.rep)
    assert send(client, task)["Location"] == "/tasks/"
    assert send(client, task)["Location"] == f"/tasks/{task.uuid}/"
    assert OutboxRow.objects.count() == 1
    assert client.get(f"/tasks/{task.uuid}/").content.decode().count("is completed already.") == 1


def test_somebody_was_faster_and_what_was_typed_can_be_copied(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    complete(Completion(user=people.rep, task=task))
    response = send(logged_in(people.rep), task, {"description": "My own notes"})
    assert response.status_code == 409
    html = response.content.decode()
    assert html.count("was completed already") == 1
    assert html.count("My own notes") == 1
    assert OutboxRow.objects.count() == 1


def test_somebody_was_faster_and_the_subject_is_missing(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    complete(Completion(user=people.rep, task=task))
    response = send(logged_in(people.rep), task, {"subject": "", "description": "My own notes"})
    assert (response.status_code, response.content.decode().count("My own notes")) == (409, 1)


def test_a_number_that_nobody_can_dial_is_not_offered(people: People) -> None:
    task = step_of(people.rep, RecordFactory.create(phones=["ext. 44, ask for Joe"]))
    client = logged_in(people.rep)
    assert "known_number" not in client.get(address(task)).context["form"].fields
    assert send(client, task).status_code == 302


@pytest.mark.parametrize("part", [True, False])
def test_what_was_typed_is_not_lost_with_the_log_in(people: People, record: Record, part: bool) -> None:
    task = step_of(people.rep, record)
    headers = {**HTMX, "hx-target": f"task-{task.uuid}"} if part else {}
    response = send(Client(), task, {"description": "My <b>own</b> notes"}, headers=headers)
    html = response.content.decode()
    assert (html.count("My &lt;b&gt;own&lt;/b&gt; notes"), html.count("<html")) == (1, 0 if part else 1)
    assert html.count(f'href="/accounts/login/?next=%2Ftasks%2F{task.uuid}%2Fcomplete%2F"') == 1
    assert (response.status_code, response.get("HX-Retarget")) == (
        (200, f"#panel-{task.uuid}") if part else (403, None)
    )
    task.refresh_from_db()
    assert task.state == TaskState.OPEN


def test_skipped_meanwhile(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    skip(task, people.rep)
    response = send(logged_in(people.rep), task, {"description": "My own notes"})
    assert (response.status_code, response.content.decode().count("was skipped meanwhile")) == (409, 1)


def test_a_form_for_what_is_done_leads_to_the_task(people: People, record: Record) -> None:
    task = step_of(people.rep, record)
    complete(Completion(user=people.rep, task=task))
    client = logged_in(people.rep)
    for verb in ("complete", "snooze"):
        assert client.get(address(task, verb))["Location"] == f"/tasks/{task.uuid}/"


def test_on_to_the_next(people: People, record: Record) -> None:
    first, second = step_of(people.rep, record), step_of(people.rep, record)
    client = logged_in(people.rep)
    assert send(client, first, {"go_on": "1"})["Location"] == address(second)
    assert send(client, second, {"go_on": "1"})["Location"] == "/tasks/"


@pytest.mark.parametrize(
    ("given", "led"),
    [
        ("/tasks/?show=upcoming", "/tasks/?show=upcoming"),
        ("https://evil.example/", "/tasks/"),
        ("//evil.example/", "/tasks/"),
        ("/\\evil.example", "/tasks/"),
        ("javascript:alert(1)", "/tasks/"),
    ],
)
def test_back_to_where_one_came_from_on_this_site_alone(people: People, record: Record, given: str, led: str) -> None:
    task = step_of(people.rep, record)
    assert send(logged_in(people.rep), task, {"next": given})["Location"] == led


class TestFromTheList:
    """htmx asks for a form below its row, and for the row anew."""

    def test_the_form_alone_comes_into_its_panel(self, people: People, record: Record) -> None:
        task = step_of(people.rep, record)
        response = logged_in(people.rep).get(address(task), headers=HTMX)
        assert response["HX-Retarget"] == f"#panel-{task.uuid}"
        html = response.content.decode()
        assert (html.count("<html"), html.count(f"id_{task.uuid}_subject")) == (0, 2)

    def test_errors_stay_in_the_panel(self, people: People, record: Record) -> None:
        task = step_of(people.rep, record)
        response = send(logged_in(people.rep), task, {"subject": ""}, headers=HTMX)
        assert (response.status_code, response["HX-Retarget"]) == (200, f"#panel-{task.uuid}")
        assert response.content.decode().count("Enter a subject") == 2

    def test_done_the_row_says_so_and_all_counts_are_new(self, people: People, record: Record) -> None:
        task = step_of(people.rep, record)
        step_of(people.rep, record)
        response = send(logged_in(people.rep), task, headers=HTMX)
        html = response.content.decode()
        assert response.status_code == 200
        assert html.count('data-arrived="completed"') == 1
        assert html.count('hx-swap-oob="innerHTML:#count-today">1<') == 1
        assert html.count('hx-swap-oob="innerHTML:#said">“Ask about the pilot” is completed.') == 1

    def test_somebody_was_faster(self, people: People, record: Record) -> None:
        task = step_of(people.rep, record)
        complete(Completion(user=people.rep, task=task))
        client = logged_in(people.rep)
        asked = client.get(address(task), headers=HTMX)
        assert asked.content.decode().count('data-arrived="closed"') == 1
        assert (asked["HX-Retarget"], asked["HX-Reswap"]) == (f"#task-{task.uuid}", "outerHTML")
        html = send(client, task, {"description": "Mine"}, headers=HTMX).content.decode()
        assert (html.count("was completed already"), html.count("Mine")) == (1, 1)


class TestState:
    """A row that was completed in place asks for its task's state until it is settled."""

    def test_it_asks_until_it_is_settled(self, people: People, record: Record) -> None:
        task = step_of(people.rep, record)
        client = logged_in(people.rep)
        look = f'hx-get="/tasks/{task.uuid}/state/?look='
        html = send(client, task, headers=HTMX).content.decode()
        assert "Waiting" in html
        assert f'{look}0"' in html
        html = client.get(f"{address(task, 'state')}?look=0", headers=HTMX).content.decode()
        assert f'{look}1"' in html
        assert look not in client.get(f"{address(task, 'state')}?look=44", headers=HTMX).content.decode()
        OutboxRow.objects.update(state=OutboxState.DONE)
        html = client.get(f"{address(task, 'state')}?look=1", headers=HTMX).content.decode()
        assert "Synced" in html
        assert look not in html

    def test_a_refusal_says_why_and_leads_to_its_correction(self, people: People, record: Record) -> None:
        task = step_of(people.rep, record)
        client = logged_in(people.rep)
        send(client, task, headers=HTMX)
        OutboxRow.objects.update(
            failure_mode=FailureMode.DATA,
            error_code="STRING_TOO_LONG",
            error_message="Subject: too long",
        )
        html = client.get(f"{address(task, 'state')}?look=1", headers=HTMX).content.decode()
        assert f'hx-swap-oob="innerHTML:#reason-{task.uuid}"' in html
        assert "Subject: too long" in html
        assert f'href="/tasks/{task.uuid}/correct/?next=/tasks/"' in html
