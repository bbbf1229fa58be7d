"""The Task Sync Log: whose tasks it tells of, how they are found, and the CRM's words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from sync.admin import filters, task_sync_log
from sync.enums import AttemptOutcome, FailureMode, OutboxState
from sync.models import Attempt, OutboxRow, Record, Task, Trouble
from tests.people import People, logged_in
from tests.sync.admin.conftest import NOON, World, make_connection, make_task
from tests.sync.results import refuse

LOG = "/manager/settings/crm/task-sync/"


def subjects(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{LOG}{query}")
    assert response.status_code == 200
    return [row.task.subject for row in response.context["cl"].result_list]


def html_of(client: Client, query: str = "") -> str:
    return client.get(f"{LOG}{query}").content.decode()


def test_m21_each_attempt_in_the_crms_own_words(world: World) -> None:
    for number in (1, 2):
        refuse(
            world.task,
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            f"Calls need a result <b>before</b> they are saved ({number}).",
            started_at=NOON + timedelta(minutes=number),
            failure_mode=FailureMode.CONFIGURATION,
        )
    html = html_of(logged_in(world.people.manager))
    for words in (
        "Calls need a result &lt;b&gt;before&lt;/b&gt; they are saved (2).",
        "Calls need a result &lt;b&gt;before&lt;/b&gt; they are saved (1).",
        "1 earlier attempt",
        "Attempt 2",
        "Attempt 1",
        "req-2",
        "req-1",
    ):
        assert html.count(words) == 1
    assert html.count(f'href="/manager/sync/task/{world.task.uuid}/change/"') == 1
    assert html.count('href="/manager/settings/crm/task-sync/?code=FIELD_CUSTOM_VALIDATION_EXCEPTION"') == 2
    assert [html.count(words) for words in ("Rosa Rep", "Carla Contact", ">Failed<")] == [2, 1, 1]


def test_m21_every_task_also_without_an_attempt(world: World) -> None:
    make_task(world.connection, world.people.rep, "Waits", OutboxState.PENDING)
    client = logged_in(world.people.manager)
    assert subjects(client) == ["Waits", "Call about the offer"]
    assert html_of(client, "?state=waiting").count("not tried yet") == 1


def test_many_attempts_are_told_on_the_tasks_page(world: World) -> None:
    for number in range(13):
        refuse(world.task, "CODE", f"Words {number}.", started_at=NOON + timedelta(minutes=number))
    html = html_of(logged_in(world.people.manager))
    assert [html.count(words) for words in ("12 earlier attempts", "all attempts", "Words 2.", "Words 1.")] == [
        1,
        1,
        1,
        0,
    ]


@pytest.mark.parametrize("gathered", [0, 500])
def test_log_is_the_viewers(world: World, gathered: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the viewer's users are few or many."""
    monkeypatch.setattr(task_sync_log, "MOST_GATHERED", gathered)
    assert subjects(logged_in(world.people.manager)) == ["Call about the offer"]
    assert subjects(logged_in(world.people.other_manager)) == ["A stranger's call"]
    assert subjects(logged_in(world.people.colleague)) == []
    assert subjects(logged_in(world.people.admin)) == ["A stranger's call", "Call about the offer"]
    assert logged_in(world.people.rep).get(LOG).status_code == 403
    answer = Client().get(LOG)
    assert (answer.status_code, "login" in answer["Location"]) == (302, True)


def test_old_address_leads_to_the_log(world: World) -> None:
    answer = logged_in(world.people.manager).get("/manager/sync/logrow/?state=failed")
    assert (answer.status_code, answer["Location"]) == (302, f"{LOG}?state=failed")


def test_log_only_shows(world: World) -> None:
    client = logged_in(world.people.admin)
    client.post(LOG, {"action": "delete_selected", "_selected_action": [world.row.pk], "post": "yes"})
    assert OutboxRow.objects.count() == 2
    for page in ("add/", f"{world.row.pk}/change/", f"{world.row.uuid}/delete/"):
        assert client.get(f"/manager/sync/logrow/{page}").status_code == 404


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("00T5g00000AbCdE", ["Call about the offer"]),
        ("00T5g00000AbCdEEAV", ["Call about the offer"]),
        ("00T5g00000aBcDe", ["A stranger's call"]),
        ("00T5g00000abcde", []),
        ("0035g00000XyZaB", ["A stranger's call", "Call about the offer"]),
        ("0035g00000XyZaBAAV", ["A stranger's call", "Call about the offer"]),
        ("005AAAAAAAAAAa1", ["Call about the offer"]),
        ("005AAAAAAAAAAa2Y5H", ["A stranger's call"]),
        ("", ["A stranger's call", "Call about the offer"]),
    ],
)
@pytest.mark.parametrize("few", [0, 2000])
def test_search_by_the_crm_id_of_a_task_record_or_user(
    world: World, term: str, found: list[str], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_sync_log, "FEW", few)
    Task.objects.filter(pk=world.task.pk).update(crm_id="00T5g00000AbCdEEAV")
    Task.objects.filter(pk=world.other_task.pk).update(crm_id="00T5g00000aBcDeEAK")
    assert subjects(logged_in(world.people.admin), f"?q={term}") == found


def test_search_reaches_ones_own_teams_only(world: World) -> None:
    client = logged_in(world.people.manager)
    assert [subjects(client, f"?q={term}") for term in ("005AAAAAAAAAAa2", "0035g00000XyZaB")] == [
        [],
        ["Call about the offer"],
    ]


def test_search_by_key(world: World) -> None:
    client = logged_in(world.people.admin)
    assert subjects(client, f"?q={world.task.key}") == ["Call about the offer"]
    assert subjects(client, f"?q={'0' * 32}") == []


def test_search_for_words_says_what_can_be_found(world: World) -> None:
    response = logged_in(world.people.admin).get(f"{LOG}?q=offer")
    assert list(response.context["cl"].result_list) == []
    assert [str(message) for message in response.context["messages"]] == [
        "“offer” is no CRM id: it has 15 or 18 letters and digits, and upper and lower case count."
    ]


def test_state_filter(world: World) -> None:
    rep = world.people.rep
    waits = make_task(world.connection, rep, "Waits", OutboxState.PENDING)
    for subject, state in (("Sends", "sending"), ("Synced", "done"), ("Cancelled", "cancelled"), ("Plain", "pending")):
        make_task(world.connection, rep, subject, state)
    trouble = Trouble.objects.create(
        connection=world.connection,
        signature="s",
        failure_mode=FailureMode.CONFIGURATION,
        error_code="CODE",
        error_message="Words",
        first_at=NOON,
        next_probe_at=NOON,
    )
    OutboxRow.objects.filter(task=waits).update(trouble=trouble)
    client = logged_in(world.people.manager)
    assert subjects(client, "?state=waiting") == ["Plain", "Waits"]
    assert subjects(client, "?state=admin") == ["Waits"]
    assert subjects(client, "?state=sending") == ["Sends"]
    assert subjects(client, "?state=synced") == ["Synced"]
    assert subjects(client, "?state=failed") == ["Call about the offer"]
    assert subjects(client, "?state=cancelled") == ["Cancelled"]
    assert len(subjects(client, "?state=nonsense")) == 6


@pytest.mark.parametrize("few", [0, 2000])
def test_error_code_filter_finds_what_passed_later_too(world: World, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_sync_log, "FEW", few)
    refuse(world.task, "UNABLE_TO_LOCK_ROW", "busy")
    refuse(world.task, "", "", outcome=AttemptOutcome.WRITTEN)
    refuse(world.other_task, "STRING_TOO_LONG", "too long")
    client = logged_in(world.people.admin)
    assert subjects(client, "?code=UNABLE_TO_LOCK_ROW") == ["Call about the offer"]
    assert subjects(client, "?code=+unable_to_lock_row+") == ["Call about the offer"]
    assert subjects(client, "?code=STRING") == []
    assert subjects(logged_in(world.people.manager), "?code=STRING_TOO_LONG") == []


@pytest.mark.parametrize("offered", [0, 200])
def test_user_and_team_filters_offer_and_take_the_viewers_only(
    world: World, offered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list to choose from, or a field for a name where users are many."""
    monkeypatch.setattr(filters, "MOST_OFFERED", offered)
    manager, admin = logged_in(world.people.manager), logged_in(world.people.admin)
    assert [name in html_of(manager) for name in ("Rosa Rep", "Sven Stranger", "South")] == [True, False, False]
    rosa, sven = world.people.rep, world.people.other_rep
    assert subjects(admin, f"?user={rosa.uuid}") == ["Call about the offer"]
    assert subjects(manager, f"?user={sven.uuid}") == ["Call about the offer"]
    assert "Sven" not in html_of(manager, f"?user={sven.uuid}")
    assert subjects(admin, "?user=rosa@") == ["Call about the offer"]
    assert subjects(manager, "?user=sven") == []
    assert subjects(admin, f"?team={world.people.south.uuid}") == ["A stranger's call"]
    assert subjects(manager, f"?team={world.people.south.uuid}") == ["Call about the offer"]


def test_day_filter_takes_whole_days_of_the_viewers_zone(world: World) -> None:
    admin = world.people.admin
    admin.time_zone = "America/New_York"
    admin.save()
    OutboxRow.objects.update(created_at=NOON)
    # 23:30 in New York is the next day in UTC.
    OutboxRow.objects.filter(pk=world.other_row.pk).update(created_at=datetime(2025, 3, 4, 4, 30, tzinfo=UTC))
    client = logged_in(admin)
    both = ["A stranger's call", "Call about the offer"]
    assert subjects(client, "?created_at_from=2025-03-03&created_at_to=2025-03-03") == both
    assert subjects(client, "?created_at_from=2025-03-04") == []
    assert subjects(client, "?created_at_from=yesterday") == both


def test_empty_log_says_what_will_stand_there(people: People) -> None:
    html = html_of(logged_in(people.manager))
    assert html.count("As soon as a task is completed, it appears here with what the CRM answered.") == 1


@pytest.mark.parametrize("query", ["q=%00", "code=%00", "user=%00", "state=%00"])
def test_nul_byte_is_no_error_of_ours(world: World, query: str) -> None:
    assert logged_in(world.people.admin).get(f"{LOG}?{query}").status_code == 400


@pytest.mark.parametrize("count", [3, 300])
def test_queries_do_not_grow(people: People, count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    connection = make_connection()
    record = Record.objects.create(connection=connection, kind="contact", crm_id="0035g00000XyZaBAAV", name="Carla")
    for number in range(count):
        task = make_task(connection, people.rep, f"Task {number}", OutboxState.FAILED, who=record, record=record)
        Attempt.objects.bulk_create(
            Attempt(row=row, task=task, connection=connection, key=task.key, started_at=NOON, error_code="CODE")
            for row in task.outbox_rows.all()
        )
    client = logged_in(people.manager)
    subjects(client)
    with django_assert_num_queries(15):
        assert len(subjects(client)) == min(count, 50)
    with django_assert_num_queries(15):
        subjects(client, "?state=failed&created_at_from=2025-01-01")
