"""A task's page: whose it is, what it tells, retry and cancel in place and plain, and looking again by itself."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sandbox.control import SandboxControl
from sync import outbox
from sync.completion import Completion, complete
from sync.enums import DecisionCode, FailureMode, OutboxState, TaskKind, TaskSource, TaskState
from sync.errors import RowError
from sync.models import Connection, Decision, OutboxRow, ReceivedTask, Sender, Task, Trouble
from teams.models import User
from tests.factories import RecordFactory, TaskFactory
from tests.people import People, logged_in
from tests.real_worker import work_off
from tests.sync.admin.conftest import NOON, World, world
from tests.sync.failing import BUSY, RULE, refuse

__all__ = ["world"]

HTMX = {"HX-Request": "true"}


def page(task: Task, tail: str = "") -> str:
    return f"/tasks/{task.uuid}/{tail}"


def text_of(user: User, task: Task) -> str:
    response = logged_in(user).get(page(task))
    assert response.status_code == 200
    return response.content.decode()


def poll(client: Client, task: Task, seen: str) -> Any:
    return client.get(page(task), {"seen": seen}, headers=HTMX)


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def state_of(task: Task) -> str:
    return OutboxRow.objects.filter(task=task).latest("pk").state


def test_a_task_is_its_reps_their_managers_and_the_admins(world: World) -> None:
    people = world.people
    for user, status in (
        (people.rep, 200),
        (people.manager, 200),
        (people.admin, 200),
        (people.other_rep, 404),
        (people.other_manager, 404),
        (people.colleague, 404),  # a member of the same team
    ):
        assert logged_in(user).get(page(world.task)).status_code == status
    assert Client().get(page(world.task)).status_code == 302


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_what_is_not_seen_is_not_touched(world: World, action: str) -> None:
    for user in (world.people.other_rep, world.people.other_manager, world.people.colleague):
        assert logged_in(user).post(page(world.task, f"{action}/")).status_code == 404
    assert Client().post(page(world.task, f"{action}/")).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.people.rep)
    assert strict.post(page(world.task, f"{action}/")).status_code == 403
    assert logged_in(world.people.rep).get(page(world.task, f"{action}/")).status_code == 405
    assert state_of(world.task) == OutboxState.FAILED


def test_page_has_the_fields_of_a_call(people: People) -> None:
    task = TaskFactory.create(
        user=people.rep,
        who=RecordFactory.create(name="Hana Novak"),
        description="She wants a quote.\nUntil May.",
        call_direction="outbound",
        call_duration_seconds=125,
        call_disposition="Reached",
        phone_number="+1 212 555 0141",
    )
    html = text_of(people.rep, task)
    for words in ("Hana Novak", "She wants a quote.<br>Until May.", "Outbound", "2 min 05 s", "Reached", "+1 212 555"):
        assert words in html
    assert "<dd>you</dd>" in html
    assert "<dd>Rosa Rep</dd>" in text_of(people.manager, task)


def test_texts_are_escaped(people: People) -> None:
    task = TaskFactory.create(user=people.rep, subject="<b>Bold</b>", description="<script>1</script>")
    html = text_of(people.rep, task)
    assert "<b>Bold" not in html
    assert "<script>1" not in html


def test_the_two_pages_lead_to_each_other(world: World) -> None:
    admin_page = f"/manager/sync/task/{world.task.uuid}/change/"
    assert admin_page in text_of(world.people.manager, world.task)
    assert admin_page not in text_of(world.people.rep, world.task)
    assert page(world.task) in logged_in(world.people.manager).get(admin_page).content.decode()


def test_both_pages_tell_the_same_story(world: World) -> None:
    refuse(world.connection, world.people.rep, RULE)
    task = Task.objects.latest("pk")
    here = logged_in(world.people.manager).get(page(task)).context
    there = logged_in(world.people.manager).get(f"/manager/sync/task/{task.uuid}/change/").context
    assert (here["reason"], here["entries"]) == (there["reason"], there["entries"])


def test_rep_retries_their_own_task(world: World) -> None:
    response = logged_in(world.people.rep).post(page(world.task, "retry/"), follow=True)
    assert response.redirect_chain == [(page(world.task), 302)]
    assert told(response) == ["1 task goes out at once."]
    assert state_of(world.task) == OutboxState.PENDING
    assert "Retried by hand" in response.content.decode()
    assert "by Rosa Rep" in response.content.decode()


def test_retry_beside_an_adoption_that_has_just_asked_anew(world: World) -> None:
    """The failed row was read before the newer one was made: the newer one is all that goes out."""
    OutboxRow.objects.filter(pk=world.row.pk).update(state=OutboxState.FAILED)
    stale = list(OutboxRow.objects.filter(pk=world.row.pk))
    world.task.refresh_from_db()
    outbox.enqueue_rewrite(world.row.connection, world.task, who=True, what=False)
    assert outbox.retry_now(stale, world.people.rep) == 0
    assert logged_in(world.people.rep).post(page(world.task, "retry/")).status_code == 302
    states = OutboxRow.objects.filter(task=world.task).order_by("pk").values_list("state", flat=True)
    assert list(states) == [OutboxState.FAILED, OutboxState.PENDING]


def test_retry_answers_in_place(world: World) -> None:
    response = logged_in(world.people.rep).post(page(world.task, "retry/"), headers=HTMX)
    html = response.content.decode()
    assert (response.status_code, html.lstrip()[:19]) == (200, '<div id="task-way" ')
    assert "1 task goes out at once." in html
    assert "every 2s" in html


def test_cancel_asks_on_the_page_and_cancels(world: World) -> None:
    client = logged_in(world.people.rep)
    assert "Yes, cancel" in client.get(page(world.task)).content.decode()
    response = client.post(page(world.task, "cancel/"), {"confirmed": "yes"}, headers=HTMX)
    assert "1 task was cancelled." in response.content.decode()
    assert "Yes, cancel" not in response.content.decode()
    assert state_of(world.task) == OutboxState.CANCELLED
    assert told(client.post(page(world.task, "cancel/"), follow=True)) == [
        "There was nothing to cancel: what is being sent, or may stand in the CRM already, can't be cancelled."
    ]


@pytest.mark.parametrize(
    ("state", "in_doubt", "connected", "offered", "words"),
    [
        (OutboxState.PENDING, False, True, (True, True), ""),
        (OutboxState.FAILED, False, True, (True, True), ""),
        (OutboxState.PENDING, True, True, (True, False), "Playbooks looks there first"),
        (OutboxState.PENDING, False, False, (False, True), "can't be retried while the Access User is disconnected"),
        (OutboxState.SENDING, False, True, (False, False), "can't be retried or cancelled meanwhile"),
        (OutboxState.DONE, False, True, (False, False), "nothing to retry or to cancel"),
        (OutboxState.CANCELLED, False, True, (False, False), "Log an ad hoc task"),
    ],
)
def test_what_is_not_offered_is_explained(
    world: World, state: str, in_doubt: bool, connected: bool, offered: tuple[bool, bool], words: str
) -> None:
    OutboxRow.objects.filter(pk=world.row.pk).update(state=state, in_doubt=in_doubt)
    if not connected:
        Connection.objects.update(state="disconnected", down_since=NOON)
    response = logged_in(world.people.rep).get(page(world.task))
    html = response.content.decode()
    assert ("Retry now" in html, "Yes, cancel" in html) == offered
    assert words in str(response.context["cannot"])
    assert bool(words) == bool(response.context["cannot"])


def test_page_looks_again_until_it_is_settled(world: World) -> None:
    client = logged_in(world.people.rep)
    (task,) = refuse(world.connection, world.people.rep, BUSY)
    seen = client.get(page(task)).context["seen"]
    same = poll(client, task, seen)
    assert (same.status_code, same.content) == (204, b"")
    OutboxRow.objects.filter(task=task).update(state=OutboxState.DONE)
    changed = poll(client, task, seen)
    assert changed.status_code == 200
    assert changed.content.lstrip().startswith(b'<div id="task-way">')
    assert b"hx-trigger" not in changed.content


def test_page_looks_seldom_at_what_waits_long(world: World) -> None:
    client = logged_in(world.people.rep)
    (task,) = refuse(world.connection, world.people.rep, RULE)
    assert client.get(page(task)).context["rhythm"] == 30
    OutboxRow.objects.filter(task=task).update(trouble=None, not_before=timezone.now())
    assert client.get(page(task)).context["rhythm"] == 2
    assert client.get(page(world.task)).context["rhythm"] == 0


def test_whoever_is_logged_out_meanwhile_is_led_to_the_log_in(world: World) -> None:
    response = poll(Client(), world.task, "0")
    assert (response.status_code, response["HX-Refresh"]) == (200, "true")


def test_page_queries_do_not_grow(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(world.people.rep)
    client.get(page(world.task))
    for count in (1, 30):
        for _number in range(count):
            Decision.objects.create(
                task=world.task,
                at=NOON,
                code=DecisionCode.RETRIED_BY_HAND,
                detail={"by": str(world.people.manager.uuid)},
            )
        with django_assert_num_queries(9):
            client.get(page(world.task))


def test_rep_learns_who_acted_on_a_task_of_theirs(world: World) -> None:
    for who in (world.people.manager, world.people.admin, world.people.other_manager):
        Decision.objects.create(
            task=world.task, at=NOON, code=DecisionCode.RETRIED_BY_HAND, detail={"by": str(who.uuid)}
        )
    words = ("by Mia Manager", "by Ada Admin", "by Otto Other", "by someone outside your teams")
    html = text_of(world.people.rep, world.task)
    assert [html.count(each) for each in words] == [1, 1, 1, 0]
    html = text_of(world.people.manager, world.task)
    assert [html.count(each) for each in words] == [1, 0, 0, 2]


def test_what_was_deleted_in_the_crm_is_said_to_be(world: World) -> None:
    OutboxRow.objects.filter(pk=world.row.pk).update(state=OutboxState.DONE, signature="", error_code="")
    Task.objects.filter(pk=world.task.pk).update(crm_id="00T000000000001EAA", synced_at=NOON)
    Decision.objects.create(task=world.task, at=NOON, code=DecisionCode.DELETED_IN_CRM)
    response = logged_in(world.people.rep).get(page(world.task))
    assert response.context["sync"].label == "Deleted in the CRM"
    assert response.context["reason"] == "Its Task was deleted in the CRM, and is not made again."
    assert response.context["crm_url"] == ""
    assert "stands in the CRM, so that" not in response.content.decode()
    listed = logged_in(world.people.rep).get("/tasks/?show=completed")
    assert [row.state.label for group in listed.context["groups"] for row in group.rows] == ["Deleted in the CRM"]


def test_page_of_an_open_task_asks_nothing_of_the_crm(people: People) -> None:
    task = TaskFactory.create(user=people.rep, state=TaskState.OPEN, completed_at=None, subject="")
    response = logged_in(people.rep).get(page(task))
    assert response.context["title"] == "(no subject)"
    assert response.context["rhythm"] == 0
    html = response.content.decode()
    assert "It is not completed: nothing is sent before that." in html
    assert [f"/tasks/{task.uuid}/{verb}/" in html for verb in ("complete", "snooze", "skip", "unskip")] == [
        True,
        True,
        True,
        False,
    ]


def test_page_of_a_skipped_task_opens_it_again(people: People) -> None:
    task = TaskFactory.create(user=people.rep, state=TaskState.SKIPPED, completed_at=None)
    html = text_of(people.rep, task)
    assert f"/tasks/{task.uuid}/unskip/" in html
    logged_in(people.rep).post(page(task, "unskip/"), {"next": page(task)})
    assert "Complete it" in text_of(people.rep, task)


def test_page_of_an_orphan_leads_to_its_adoption(people: People) -> None:
    task = TaskFactory.create(user=people.rep, is_orphan=True)
    assert f"/orphaned-calls/{task.uuid}/" in text_of(people.rep, task)


def test_b2_page_names_the_tool_that_handed_it_in(people: People) -> None:
    task = TaskFactory.create(user=people.rep, source=TaskSource.API)
    dialer = Sender.objects.create(name="Northwind Dialer")
    ReceivedTask.objects.create(sender=dialer, key="call-1", digest="0", task=task, user=people.rep)
    html = text_of(people.rep, task)
    assert "Handed in for Rosa Rep by Northwind Dialer through the HTTP API" in html


@pytest.mark.django_db(transaction=True)
def test_b2_m25_refused_task_is_explained_mended_and_retried(
    connection: Connection, sandbox: SandboxControl, people: People
) -> None:
    """The CRM's own words, who can mend it, then one click, and the Task in the CRM."""
    User.objects.filter(pk=people.rep.pk).update(crm_user_id=None)
    rule = {
        "object": "Task",
        "name": "Disposition",
        "message": "Say how the call ended.",
        "condition": {"field": "CallDisposition", "blank": True},
    }
    sandbox.change_schema(validation_rules=[rule])
    task = complete(Completion(user=people.rep, actor=people.manager, kind=TaskKind.CALL, subject="Quote"))
    work_off()
    html = text_of(people.rep, task)
    for words in (
        "Completed for Rosa Rep by Mia Manager",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Refused by a validation rule of the CRM: Say how the call ended. An admin can mend it; it is tried again",
        "Find the rule with this message",
        "CRM request",
        "HTTP 200",
        "The 30 days end",
    ):
        assert words in html
    assert Trouble.objects.get().failure_mode == FailureMode.CONFIGURATION

    sandbox.change_schema(validation_rules=[])
    client = logged_in(people.rep)
    assert "1 task goes out at once." in client.post(page(task, "retry/"), headers=HTMX).content.decode()
    work_off()
    task.refresh_from_db()
    html = text_of(people.rep, task)
    assert f'href="{connection.instance_url}/{task.crm_id}"' in html
    assert "It was written to the CRM at" in html
    (row,) = [row for row in sandbox.rows("Task") if row.get("Playbooks_Key__c") == task.key]
    assert row["Id"][:15] == task.crm_id[:15]


def test_our_own_words_are_not_the_crms_and_times_say_what_they_are(world: World) -> None:
    rep = world.people.rep
    connection = Connection.objects.get()
    (task,) = refuse(connection, rep, RowError(FailureMode.DATA, "RECORD_NOT_FOUND", "The CRM has no such record."))
    html = text_of(rep, task)
    assert "Playbooks says" in html
    assert "The CRM says" not in html
    assert "30 days from the first attempt, or from the first one after a retry by hand" in html
    (task,) = refuse(connection, rep, BUSY)
    assert "The CRM says" in text_of(rep, task)
    (task,) = refuse(connection, rep, None)
    assert "last written" in text_of(rep, task)
