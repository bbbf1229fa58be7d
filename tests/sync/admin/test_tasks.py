"""Tasks in the Manager App: whose they are, how they are found, what their page tells, retry and cancel."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from sync.enums import AttemptOutcome, DecisionCode, FailureMode, OutboxState, TaskKind, TaskState
from sync.models import Attempt, Connection, Decision, OutboxRow, Task, Trouble
from tests.people import People, logged_in
from tests.sync.admin.conftest import NOON, World, make_connection, make_task

TASKS = "/manager/sync/task/"


def page(task: Task) -> str:
    return f"{TASKS}{task.uuid}/change/"


def subjects(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{TASKS}{query}")
    assert response.status_code == 200
    return [task.subject for task in response.context["cl"].result_list]


def text_of(client: Client, task: Task) -> str:
    response = client.get(page(task))
    assert response.status_code == 200
    return response.content.decode()


def states(world: World) -> tuple[str, str]:
    world.row.refresh_from_db()
    world.other_row.refresh_from_db()
    return world.row.state, world.other_row.state


def test_list_is_the_viewers(world: World) -> None:
    assert subjects(logged_in(world.people.manager)) == ["Call about the offer"]
    assert subjects(logged_in(world.people.other_manager)) == ["A stranger's call"]
    assert subjects(logged_in(world.people.admin)) == ["A stranger's call", "Call about the offer"]
    assert logged_in(world.people.rep).get(TASKS).status_code == 403


def test_page_of_another_team_is_not_there(world: World) -> None:
    client = logged_in(world.people.manager)
    for key in (world.other_task.uuid, world.other_task.pk):
        for view in ("change", "history"):
            response = client.get(f"{TASKS}{key}/{view}/")
            assert (response.status_code, response["Location"]) == (302, "/manager/")


def test_page_shows_and_never_edits(world: World) -> None:
    client = logged_in(world.people.admin)
    assert client.post(page(world.task), {"subject": "Changed"}).status_code == 403
    assert client.get(f"{TASKS}add/").status_code == 403
    assert client.post(f"{TASKS}{world.task.pk}/delete/", {"post": "yes"}).status_code == 403
    world.task.refresh_from_db()
    assert world.task.subject == "Call about the offer"


def test_user_and_team_filters_offer_and_take_the_viewers_only(world: World) -> None:
    client = logged_in(world.people.manager)
    html = client.get(TASKS).content.decode()
    assert [name in html for name in ("Rosa Rep", "Sven Stranger", "South")] == [True, False, False]
    stranger, rosa = world.people.other_rep.uuid, world.people.rep.uuid
    assert subjects(client, f"?user={stranger}") == ["Call about the offer"]
    assert "Sven Stranger" not in client.get(f"{TASKS}?user={stranger}").content.decode()
    assert subjects(logged_in(world.people.admin), f"?user={rosa}") == ["Call about the offer"]
    assert subjects(logged_in(world.people.admin), f"?team={world.people.south.uuid}") == ["A stranger's call"]
    assert client.get(f"{TASKS}?user__email__startswith=s").status_code == 400


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("offer", ["Call about the offer"]),
        ("rosa", ["Call about the offer"]),
        ("00T5g00000AbCdE", ["Call about the offer"]),
        ("00T5g00000AbCdEEAV", ["Call about the offer"]),
        ("00T5g00000aBcDe", ["A stranger's call"]),
        ("00T5g00000abcde", []),
        ("0035g00000XyZaB", ["A stranger's call", "Call about the offer"]),
        ("005AAAAAAAAAAa1", ["Call about the offer"]),
        ("congratulations", []),
    ],
)
def test_search_by_crm_id_heeds_its_case(world: World, term: str, found: list[str]) -> None:
    Task.objects.filter(pk=world.task.pk).update(crm_id="00T5g00000AbCdEEAV")
    Task.objects.filter(pk=world.other_task.pk).update(crm_id="00T5g00000aBcDeEAK")
    assert subjects(logged_in(world.people.admin), f"?q={term}") == found


def test_sync_state_filter(world: World) -> None:
    rep = world.people.rep
    waits = make_task(world.connection, rep, "Waits", OutboxState.PENDING)
    make_task(world.connection, rep, "Sends", OutboxState.SENDING)
    make_task(world.connection, rep, "Synced", OutboxState.DONE)
    make_task(world.connection, rep, "Cancelled", OutboxState.CANCELLED)
    make_task(None, rep, "Unasked", "")
    Task.objects.create(user=rep, kind=TaskKind.OTHER, subject="Open")
    trouble = Trouble.objects.create(
        connection=world.connection,
        signature="s",
        failure_mode=FailureMode.CONFIGURATION,
        error_code="CODE",
        error_message="Words",
        first_at=NOON,
        next_probe_at=NOON,
    )
    OutboxRow.objects.filter(task=waits).update(trouble=trouble, failure_mode=FailureMode.CONFIGURATION)
    # A newer row replaces an older one: this task is no longer failed.
    OutboxRow.objects.create(
        connection=world.connection,
        task=world.other_task,
        key=world.other_task.key,
        state=OutboxState.DONE,
        not_before=NOON,
    )
    client = logged_in(world.people.admin)
    assert subjects(client, "?sync=waiting") == ["Sends", "Waits"]
    assert subjects(client, "?sync=admin") == ["Waits"]
    assert subjects(client, "?sync=failed") == ["Call about the offer"]
    assert subjects(client, "?sync=synced") == ["Synced", "A stranger's call"]
    assert subjects(client, "?sync=cancelled") == ["Cancelled"]
    assert subjects(client, "?sync=unasked") == ["Unasked"]
    assert subjects(client, "?failure=configuration") == ["Waits"]
    assert subjects(client, "?state__exact=open") == ["Open"]
    assert len(subjects(client, "?sync=nonsense")) == 8


def test_day_filter_takes_whole_days_of_the_viewers_zone(world: World) -> None:
    admin = world.people.admin
    admin.time_zone = "America/New_York"
    admin.save()
    # 23:30 in New York is the next day in UTC.
    late = datetime(2025, 3, 4, 4, 30, tzinfo=UTC)
    Task.objects.filter(pk=world.other_task.pk).update(completed_at=late)
    client = logged_in(admin)
    both = ["A stranger's call", "Call about the offer"]
    assert subjects(client, "?completed_at_from=2025-03-03&completed_at_to=2025-03-03") == both
    assert subjects(client, "?completed_at_from=2025-03-04") == []
    assert subjects(client, "?completed_at_to=2025-03-02") == []
    assert subjects(client, "?completed_at_from=yesterday&completed_at_to=9999-12-31") == both


def test_nul_byte_is_no_error_of_ours(world: World) -> None:
    client = logged_in(world.people.admin)
    assert [client.get(f"{TASKS}?{query}=%00").status_code for query in ("q", "state__exact", "user")] == [400] * 3
    assert client.get(f"{TASKS}%00/change/").status_code == 302
    assert client.get("/manager/django_q/failure/%00/change/").status_code == 302


def test_orphan_filter(world: World) -> None:
    Task.objects.filter(pk=world.task.pk).update(is_orphan=True)
    assert subjects(logged_in(world.people.admin), "?is_orphan__exact=1") == ["Call about the offer"]


def test_list_queries_do_not_grow(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(world.people.admin)
    subjects(client)
    with django_assert_num_queries(12):
        assert len(subjects(client, "?q=offer")) == 1
    make_task(world.connection, world.people.rep, "Third", OutboxState.DONE, record=world.record)
    with django_assert_num_queries(12):
        assert len(subjects(client)) == 3


def add_attempts(world: World, count: int) -> None:
    Attempt.objects.bulk_create(
        Attempt(
            row=world.row,
            task=world.task,
            connection=world.connection,
            key=world.task.key,
            started_at=NOON + timedelta(minutes=number),
            finished_at=NOON + timedelta(minutes=number, milliseconds=150),
            outcome=AttemptOutcome.REFUSED,
            failure_mode=FailureMode.CONFIGURATION,
            error_code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
            error_message="Calls need a result <b>before</b> they are saved.",
            error_fields=["CallDisposition"],
            http_status=200,
            request_id="req-1",
        )
        for number in range(count)
    )


def test_m21_page_shows_each_attempt_in_the_crms_words(world: World) -> None:
    add_attempts(world, 2)
    OutboxRow.objects.filter(pk=world.row.pk).update(
        failure_mode=FailureMode.CONFIGURATION,
        error_code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
        error_message="Calls need a result <b>before</b> they are saved.",
    )
    html = text_of(logged_in(world.people.manager), world.task)
    # Once in the state above (and its message in the reason), once for each attempt; escaped.
    assert html.count("FIELD_CUSTOM_VALIDATION_EXCEPTION") == 3
    assert html.count("Calls need a result &lt;b&gt;before&lt;/b&gt; they are saved.") == 4
    assert html.count("CallDisposition") == 2
    assert html.count("req-1") == 2
    assert html.count("HTTP 200") == 2
    assert html.count("150 ms") == 2
    assert html.count("The CRM&#x27;s set-up refuses this") == 2
    assert html.count("An admin") == 4


def test_page_links_to_the_task_in_the_crm(world: World) -> None:
    Task.objects.filter(pk=world.task.pk).update(crm_id="00T5g00000AbCdEEAV", synced_at=NOON)
    html = text_of(logged_in(world.people.manager), world.task)
    assert html.count('href="https://northwind.my.salesforce.com/00T5g00000AbCdEEAV"') == 1


def test_page_names_who_acted_only_where_the_viewer_may_see_them(world: World) -> None:
    for who in (world.people.rep, world.people.other_manager):
        Decision.objects.create(
            task=world.task, at=NOON, code=DecisionCode.RETRIED_BY_HAND, detail={"by": str(who.uuid)}
        )
    html = text_of(logged_in(world.people.manager), world.task)
    assert [html.count(words) for words in ("by Rosa Rep", "Otto", "by someone outside your teams")] == [2, 0, 1]
    assert text_of(logged_in(world.people.admin), world.task).count("by Otto Other") == 1


def test_page_queries_do_not_grow(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(world.people.admin)
    text_of(client, world.task)
    add_attempts(world, 1)
    with django_assert_num_queries(12):
        text_of(client, world.task)
    add_attempts(world, 2)
    with django_assert_num_queries(12):
        text_of(client, world.task)


def test_retry_button(world: World) -> None:
    client = logged_in(world.people.manager)
    response = client.post(f"{TASKS}{world.task.uuid}/retry/", follow=True)
    assert response.redirect_chain == [(page(world.task), 302)]
    assert [str(message) for message in response.context["messages"]] == ["1 task goes out at once."]
    assert states(world) == (OutboxState.PENDING, OutboxState.FAILED)
    decision = world.task.decisions.get()
    assert (decision.code, decision.detail) == (
        DecisionCode.RETRIED_BY_HAND,
        {"by": str(world.people.manager.uuid)},
    )


def test_cancel_button_asks_first(world: World) -> None:
    client = logged_in(world.people.manager)
    url = f"{TASKS}{world.task.uuid}/cancel/"
    asked = client.post(url)
    assert (asked.status_code, asked.context["count"]) == (200, 1)
    assert states(world) == (OutboxState.FAILED, OutboxState.FAILED)
    assert client.post(url, {"confirmed": "yes"}).status_code == 302
    assert states(world) == (OutboxState.CANCELLED, OutboxState.FAILED)


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_buttons_of_another_teams_task_are_not_there(world: World, action: str) -> None:
    url = f"{TASKS}{world.other_task.uuid}/{action}/"
    assert logged_in(world.people.manager).post(url, {"confirmed": "yes"}).status_code == 404
    assert logged_in(world.people.rep).post(url, {"confirmed": "yes"}).status_code == 403
    assert Client().post(url, {"confirmed": "yes"}).status_code == 302
    assert states(world) == (OutboxState.FAILED, OutboxState.FAILED)


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_buttons_are_no_links(world: World, action: str) -> None:
    client = logged_in(world.people.manager)
    assert client.get(f"{TASKS}{world.task.uuid}/{action}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.people.manager)
    assert strict.post(f"{TASKS}{world.task.uuid}/{action}/", {"confirmed": "yes"}).status_code == 403
    assert states(world) == (OutboxState.FAILED, OutboxState.FAILED)


@pytest.mark.parametrize(("action", "state"), [("retry_now", OutboxState.PENDING), ("cancel", OutboxState.CANCELLED)])
def test_actions_by_forged_post_reach_ones_own_teams_only(world: World, action: str, state: OutboxState) -> None:
    both = [world.task.pk, world.other_task.pk]
    data = {"action": action, ACTION_CHECKBOX_NAME: both, "select_across": "1", "confirmed": "yes"}
    assert logged_in(world.people.rep).post(TASKS, data).status_code == 403
    assert states(world) == (OutboxState.FAILED, OutboxState.FAILED)
    assert logged_in(world.people.manager).post(TASKS, data).status_code == 302
    assert states(world) == (state, OutboxState.FAILED)


def test_cancel_action_asks_first(world: World) -> None:
    client = logged_in(world.people.admin)
    data = {"action": "cancel", ACTION_CHECKBOX_NAME: [world.task.pk, world.other_task.pk]}
    response = client.post(TASKS, data)
    assert (response.status_code, response.context["count"]) == (200, 2)
    assert states(world) == (OutboxState.FAILED, OutboxState.FAILED)
    client.post(TASKS, {**data, "confirmed": "yes"})
    assert states(world) == (OutboxState.CANCELLED, OutboxState.CANCELLED)


def test_cancel_action_counts_what_can_be_cancelled(world: World) -> None:
    older = {"connection": world.connection, "task": world.task, "key": world.task.key, "not_before": NOON}
    OutboxRow.objects.filter(pk=world.row.pk).delete()
    OutboxRow.objects.create(**older, state=OutboxState.DONE)
    OutboxRow.objects.create(**older, state=OutboxState.PENDING)
    OutboxRow.objects.filter(pk=world.other_row.pk).update(state=OutboxState.PENDING, in_doubt=True)
    client = logged_in(world.people.admin)
    for url, chosen in ((TASKS, Task), ("/manager/sync/outboxrow/", OutboxRow)):
        data = {"action": "cancel", ACTION_CHECKBOX_NAME: list(chosen.objects.values_list("pk", flat=True))}
        assert client.post(url, data).context["count"] == 1


def test_what_is_done_offers_no_buttons(world: World) -> None:
    OutboxRow.objects.update(state=OutboxState.DONE)
    client = logged_in(world.people.manager)
    context = client.get(page(world.task)).context
    assert (context["can_retry"], context["can_cancel"]) == (False, False)
    messages = client.post(f"{TASKS}{world.task.uuid}/retry/", follow=True).context["messages"]
    assert [str(message) for message in messages] == [
        "There was nothing to retry: only what waits or failed can be retried."
    ]


def test_page_before_a_connection(people: People) -> None:
    task = make_task(None, people.rep, "Early", "")
    context = logged_in(people.manager).get(page(task)).context
    assert (str(context["sync"].label), str(context["sync"].actor)) == ("Waiting", "An admin")


@pytest.mark.parametrize("connected", [True, False])
def test_page_says_who_acts_next_while_disconnected(people: People, connected: bool) -> None:
    connection = make_connection()
    task = make_task(connection, people.rep, "Waits", OutboxState.PENDING)
    if not connected:
        Connection.objects.update(state="disconnected", down_since=NOON)
    context = logged_in(people.manager).get(page(task)).context
    assert str(context["sync"].actor) == ("Nobody: it goes on by itself" if connected else "An admin")


def test_task_state_words_of_an_open_task(people: People) -> None:
    task = Task.objects.create(user=people.rep, kind=TaskKind.EMAIL, state=TaskState.OPEN, subject="")
    response = logged_in(people.manager).get(page(task))
    assert str(response.context["sync"].meaning) == "Nothing is sent before it is completed."
    assert response.context["subtitle"] == "(no subject)"
