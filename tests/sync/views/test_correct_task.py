"""The page that corrects a refused task: who gets it, what is filled in, choosing a record, those who come second."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from sync.enums import DecisionCode, FailureMode, OutboxState, RecordKind, TaskKind
from sync.errors import RowError
from sync.models import Decision, OutboxRow, Task
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, the_connection
from tests.people import People, logged_in, people
from tests.sync.failing import BUSY, LONG, RULE, answer_due, refuse

__all__ = ["people"]

pytestmark = pytest.mark.django_db

GONE = RowError(FailureMode.RELINK, "ENTITY_IS_DELETED", "entity is deleted")
DONE_AT = datetime(2025, 3, 3, 12, 30, 17, tzinfo=UTC)


def refused(user: User, error: RowError = LONG, **fields: Any) -> Task:
    [task] = refuse(the_connection(), user, error)
    values = {"subject": "Quote", "description": "As\r\nagreed", "completed_at": DONE_AT, **fields}
    Task.objects.filter(pk=task.pk).update(**values)
    task.refresh_from_db()
    return task


def address(task: Task) -> str:
    return f"/tasks/{task.uuid}/correct/"


def filled_in(client: Client, task: Task) -> dict[str, Any]:
    """What a browser would send of the page as it is shown."""
    context = client.get(address(task)).context
    form = context["form"]
    values = {name: bound.field.widget.format_value(bound.value()) for name, bound in _fields(form)}
    values = {name: value[0] if isinstance(value, list) and value else value for name, value in values.items()}
    record = {"record": str(context["record"].uuid)} if context["record"] and not form.keeps else {}
    return {name: value for name, value in (values | record).items() if value not in (None, [])}


def _fields(form: Any) -> list[tuple[str, Any]]:
    return [(name, form[name]) for name in form.fields]


def send(client: Client, task: Task, **said: Any) -> Any:
    return client.post(address(task), {**filled_in(client, task), **said})


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def test_it_is_the_reps_their_managers_and_the_admins(people: People) -> None:
    task = refused(people.rep)
    for user, status in (
        (people.rep, 200),
        (people.manager, 200),
        (people.admin, 200),
        (people.colleague, 404),
        (people.other_rep, 404),
        (people.other_manager, 404),
    ):
        client = logged_in(user)
        assert (client.get(address(task)).status_code, client.post(address(task)).status_code == 404) == (
            status,
            status == 404,
        )
    assert Client().get(address(task)).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.rep)
    assert strict.post(address(task)).status_code == 403


def test_a_call_is_filled_in_and_only_what_is_changed_changes(people: People) -> None:
    hana = RecordFactory.create(phones=["+1 212 555 0141", "+1 212 555 0199"])
    task = refused(
        people.rep,
        record=hana,
        who=hana,
        phone_number="(212) 555-0199",
        phone_e164="+12125550199",
        call_direction="inbound",
        call_duration_seconds=185,
        call_disposition="Left a voicemail",
    )
    client = logged_in(people.rep)
    shown = filled_in(client, task)
    assert (shown["known_number"], shown["call_direction"], shown["call_duration_seconds"]) == (
        "+1 212 555 0199",
        "inbound",
        "3:05",
    )
    response = send(client, task, call_disposition="Voicemail")
    assert (response.status_code, response["Location"]) == (302, f"/tasks/{task.uuid}/")
    before = task.completed_at
    task.refresh_from_db()
    assert (task.call_disposition, task.description, task.completed_at) == ("Voicemail", "As\r\nagreed", before)
    assert Decision.objects.get(code=DecisionCode.CORRECTED).detail["fields"] == ["call_disposition"]
    assert OutboxRow.objects.get().state == OutboxState.PENDING
    assert "is corrected, and goes out." in client.get(response["Location"]).content.decode()


def test_a_direction_that_was_not_said_is_not_made_up(people: People) -> None:
    task = refused(people.rep)
    assert send(logged_in(people.rep), task, subject="Offer").status_code == 302
    assert Decision.objects.get(code=DecisionCode.CORRECTED).detail["fields"] == ["subject"]
    assert Task.objects.get().call_direction == ""


def test_an_email_has_its_address(people: People) -> None:
    task = refused(people.rep, kind=TaskKind.EMAIL, email_address="ann@example.com", is_track_and_sync=True)
    client = logged_in(people.manager)
    assert filled_in(client, task)["email_address"] == "ann@example.com"
    assert send(client, task, email_address="Anna@example.com").status_code == 302
    task.refresh_from_db()
    assert (task.email_address, task.is_track_and_sync, task.user) == ("anna@example.com", True, people.rep)


def test_the_pages_words_lead_to_it(people: People) -> None:
    task = refused(people.rep)
    html = logged_in(people.rep).get(f"/tasks/{task.uuid}/").content.decode()
    assert f'class="pb-button pb-button-first" href="{address(task)}"' in html
    assert "You can mend it: correct it." in html
    assert (
        "The rep or you can mend it: correct it."
        in logged_in(people.manager).get(f"/tasks/{task.uuid}/").content.decode()
    )
    [row] = logged_in(people.rep).get("/tasks/?show=completed").context["groups"][0].rows
    assert row.can_correct
    assert "You can mend it: correct it." in row.reason


@pytest.mark.parametrize(("error", "listed"), [(LONG, True), (RULE, True), (BUSY, False)])
def test_a_list_offers_it_where_somebody_has_to_act(people: People, error: RowError, listed: bool) -> None:
    task = refused(people.rep, error)
    html = logged_in(people.rep).get("/tasks/?show=completed").content.decode()
    assert (address(task) in html) == listed
    assert address(task) in logged_in(people.rep).get(f"/tasks/{task.uuid}/").content.decode()


def test_errors_stand_at_their_fields_and_what_was_typed_stays(people: People) -> None:
    task = refused(people.rep)
    response = send(logged_in(people.rep), task, phone_number="12", description="New <b>notes</b>")
    assert response.status_code == 200
    assert list(errors(response)) == ["phone_number"]
    assert "New &lt;b&gt;notes&lt;/b&gt;" in response.content.decode()
    assert "Nothing is changed yet." in errors(send(logged_in(people.rep), task))["__all__"][0]


class TestRecord:
    def test_another_is_searched_and_chosen_without_losing_what_was_typed(self, people: People) -> None:
        gone = RecordFactory.create(name="Gone Person")
        other = RecordFactory.create(name="Hana Novak", phones=["+1 212 555 0141"])
        task = refused(people.rep, GONE, record=gone, who=gone)
        client = logged_in(people.rep)
        form = filled_in(client, task) | {"description": "My notes"}
        found = client.post(address(task), {**form, "record": "", "q": "hana", "find": "1"})
        assert [one.name for one in found.context["found"]] == ["Hana Novak"]
        chosen = client.post(address(task), {**form, "choose": str(other.uuid)})
        assert (chosen.context["record"], chosen.context["form"]["description"].value()) == (other, "My notes")
        assert client.post(address(task), {**form, "record": str(other.uuid), "log": "1"}).status_code == 302
        task.refresh_from_db()
        assert (task.record, task.who, task.description) == (other, other, "My notes")

    def test_one_that_was_deleted_is_told_instead_of_left_out(self, people: People) -> None:
        gone = RecordFactory.create(is_deleted=True)
        task = refused(people.rep, GONE, record=gone, who=gone)
        response = send(logged_in(people.rep), task, subject="Offer")
        assert "This record was deleted in the CRM." in errors(response)["__all__"][0]

    def test_the_plays_stays(self, people: People) -> None:
        hana, other = RecordFactory.create(), RecordFactory.create()
        step = PlayStepFactory.create(play=PlayFactory.create())
        task = refused(people.rep, record=hana, who=hana, step=step)
        client = logged_in(people.rep)
        assert "choose-record" not in client.get(address(task)).content.decode()
        assert send(client, task, subject="Offer", record=str(other.uuid)).status_code == 302
        task.refresh_from_db()
        assert (task.record, task.subject) == (hana, "Offer")

    def test_what_it_is_related_to_stays_chosen(self, people: People) -> None:
        hana = RecordFactory.create(account_crm_id="001000000000001AAA")
        deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY)
        task = refused(people.rep, record=hana, who=hana, related_record=deal, what=deal)
        client = logged_in(people.rep)
        assert send(client, task, subject="Offer").status_code == 302
        task.refresh_from_db()
        assert (task.who, task.what) == (hana, deal)
        answer_due(the_connection(), LONG)
        assert send(client, task, related_record="").status_code == 302
        task.refresh_from_db()
        assert (task.who, task.what) == (hana, None)


class TestTooLate:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"state": OutboxState.SENDING}, "It is being sent; look again in a moment."),
            ({"state": OutboxState.CANCELLED}, "It was cancelled"),
            ({"in_doubt": True}, "It may stand in the CRM already"),
        ],
    )
    def test_meanwhile_it_went_on(self, people: People, changes: dict[str, Any], words: str) -> None:
        task = refused(people.rep)
        client = logged_in(people.rep)
        form = filled_in(client, task) | {"description": "My notes"}
        OutboxRow.objects.update(**changes)
        response = client.post(address(task), form)
        assert response.status_code == 409
        assert errors(response)["__all__"][0].startswith(words)
        assert "My notes" in response.content.decode()
        opened = client.get(address(task), follow=True)
        assert opened.redirect_chain == [(f"/tasks/{task.uuid}/", 302)]
        assert told(opened)[0].startswith(words)
        assert address(task) not in opened.content.decode()

    def test_the_second_is_told_and_may_send_it_again(self, people: People) -> None:
        task = refused(people.rep)
        first, second = logged_in(people.manager), logged_in(people.rep)
        form = filled_in(second, task) | {"subject": "Contract"}
        assert send(first, task, subject="Offer").status_code == 302
        assert "It waits to be sent" in second.post(address(task), form).content.decode()
        answer_due(the_connection(), LONG)
        response = second.post(address(task), form)
        assert (response.status_code, Task.objects.get().subject) == (409, "Offer")
        assert "It was corrected meanwhile." in errors(response)["__all__"][0]
        again = form | {"seen": response.context["form"]["seen"].value()}
        assert second.post(address(task), again).status_code == 302
        assert Task.objects.get().subject == "Contract"

    def test_the_same_form_twice_corrects_once(self, people: People) -> None:
        task = refused(people.rep)
        client = logged_in(people.rep)
        form = filled_in(client, task) | {"subject": "Offer"}
        assert client.post(address(task), form).status_code == 302
        OutboxRow.objects.update(state=OutboxState.SENDING)
        response = client.post(address(task), form, follow=True)
        assert "It was corrected like this already." in told(response)
        assert Decision.objects.filter(code=DecisionCode.CORRECTED).count() == 1
