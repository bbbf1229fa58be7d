"""The judgement by a table of cases, the reading by rows, the command by its exit status."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries

from sync import health, webhook_events
from sync.enums import ConnectionState, FailureMode, OutboxState
from sync.health import ConnectionFacts, Facts, Limits, check, judge
from sync.models import Attempt, Connection, Heartbeat, OutboxRow, Trouble, WebhookReceiver
from tests.sync.receivers import hand_in, make_sender
from tests.sync.rows import complete, make_connection

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMITS = Limits(heartbeat=timedelta(seconds=120), due=timedelta(seconds=240), queued=timedelta(seconds=360))
LONG_AGO = NOW - timedelta(hours=2)
JUST_NOW = NOW - timedelta(seconds=5)


def connected(**changes: Any) -> ConnectionFacts:
    return ConnectionFacts(**{"name": "Ada", "state": ConnectionState.CONNECTED, **changes})


def judged(**changes: Any) -> health.Health:
    facts = {"heartbeat_at": JUST_NOW, "connections": [connected()], **changes}
    return judge(Facts(**facts), NOW, LIMITS)


def test_all_is_well() -> None:
    result = judged(connections=[connected(oldest_due_at=JUST_NOW)], waiting=3, in_doubt=1)
    assert (result.ok, result.ready, result.problems, result.notices) == (True, True, [], [])
    assert (result.heartbeat_age, result.oldest_due_age, result.connection) == (5, 5, "connected")
    assert (result.waiting, result.in_doubt) == (3, 1)


@pytest.mark.parametrize(
    ("heartbeat_at", "problems"),
    [
        (NOW - timedelta(seconds=120), []),
        (
            NOW - timedelta(seconds=121),
            ["No worker has shown a sign of life for 121 seconds. Is `manage.py workers` running?"],
        ),
        (None, ["No worker has shown a sign of life yet. Is `manage.py workers` running?"]),
    ],
)
def test_workers_that_show_no_sign_of_life_are_a_problem(heartbeat_at: datetime | None, problems: list[str]) -> None:
    assert judged(heartbeat_at=heartbeat_at).blocking == problems


@pytest.mark.parametrize(
    ("oldest_due_at", "last_attempt_at", "ready"),
    [
        (None, None, True),
        (NOW - timedelta(seconds=240), None, True),
        (NOW - timedelta(seconds=241), None, False),
        (LONG_AGO, NOW - timedelta(seconds=241), False),
        # A backlog that is worked on.
        (LONG_AGO, JUST_NOW, True),
    ],
)
def test_due_rows_that_nobody_works_on_are_a_problem(
    oldest_due_at: datetime | None, last_attempt_at: datetime | None, ready: bool
) -> None:
    result = judged(connections=[connected(oldest_due_at=oldest_due_at, last_attempt_at=last_attempt_at)])
    assert result.ready is ready
    assert result.problems == result.blocking


def test_due_rows_say_for_how_long() -> None:
    assert judged(connections=[connected(oldest_due_at=LONG_AGO)]).problems == [
        "Tasks have been due for 7200 seconds, and nobody has tried to send any."
    ]


def test_a_lost_connection_is_its_own_problem_and_does_not_take_the_site_away() -> None:
    lost = connected(
        state=ConnectionState.DISCONNECTED, down_since=LONG_AGO, error_code="invalid_grant", oldest_due_at=LONG_AGO
    )
    result = judged(connections=[lost])
    (problem,) = result.problems
    assert problem == (
        "The Access User Ada has been disconnected since 2026-03-02 10:00:00 UTC (invalid_grant). "
        "Nothing is lost; reconnect it on the page Connection, or run crm_connect."
    )
    assert (result.ok, result.ready, result.connection, result.oldest_due_age) == (False, True, "disconnected", None)


def test_one_that_was_disconnected_on_purpose_says_who() -> None:
    lost = connected(state=ConnectionState.DISCONNECTED, down_since=LONG_AGO, disconnected_by="Mia Admin")
    assert judged(connections=[lost]).problems == [
        (
            "Mia Admin disconnected the Access User Ada at 2026-03-02 10:00:00 UTC. Nothing is lost; it stays so until "
            "somebody connects it again."
        )
    ]


def test_a_resting_connection_is_told_and_no_problem() -> None:
    resting = connected(
        paused_until=NOW + timedelta(minutes=5), error_code="REQUEST_LIMIT_EXCEEDED", oldest_due_at=LONG_AGO
    )
    result = judged(connections=[resting])
    assert (result.ok, result.connection) == (True, "paused")
    assert result.notices == ["The connection of Ada rests until 2026-03-02 12:05:00 UTC (REQUEST_LIMIT_EXCEEDED)."]


def test_a_pause_that_is_over_does_not_excuse_due_rows() -> None:
    rested = connected(paused_until=NOW - timedelta(seconds=1), oldest_due_at=LONG_AGO)
    assert judged(connections=[rested]).ready is False


def test_no_connection_yet_is_told() -> None:
    result = judged(connections=[])
    assert (result.ok, result.connection) == (True, "none")
    assert result.notices == ["No CRM is connected yet: open the page Connection, or run crm_connect."]


@pytest.mark.parametrize(
    ("count", "notices"),
    [
        (0, []),
        (1, ["1 kind of error waits for an admin."]),
        (3, ["3 kinds of errors wait for an admin."]),
    ],
)
def test_open_troubles_are_told(count: int, notices: list[str]) -> None:
    assert judged(open_troubles=count).notices == notices


@pytest.mark.parametrize(("seconds", "ready"), [(360, True), (361, False)])
def test_a_queue_that_does_not_move_is_a_problem(seconds: int, ready: bool) -> None:
    assert judged(queued_since=NOW - timedelta(seconds=seconds)).ready is ready


def make_busy() -> Connection:
    """A worker that lives, one row that waits and one that is being sent in doubt."""
    made = make_connection()
    Heartbeat.beat()
    complete(made, 2)
    first = OutboxRow.objects.order_by("pk")[0]
    OutboxRow.objects.filter(pk=first.pk).update(
        state=OutboxState.SENDING, in_doubt=True, not_before=timezone.now() + timedelta(minutes=1)
    )
    return made


@pytest.mark.django_db
def test_check_reads_the_database() -> None:
    made = make_busy()
    Trouble.objects.create(
        connection=made,
        signature="x",
        failure_mode=FailureMode.CONFIGURATION,
        error_code="REQUIRED_FIELD_MISSING",
        first_at=timezone.now(),
        next_probe_at=timezone.now(),
    )
    result = check()
    assert (result.ok, result.waiting, result.in_doubt, result.open_troubles) == (True, 2, 1, 1)
    assert result.connection == "connected"
    assert result.oldest_due_age is not None
    assert result.oldest_due_age < 60


@pytest.mark.django_db
def test_check_hears_the_heartbeat_of_any_cluster_but_of_workers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    Heartbeat.beat("sentinel")
    assert check().heartbeat_age is None
    monkeypatch.setenv("WORKERS_CLUSTER", "abc")
    Heartbeat.beat("worker")
    assert (check().heartbeat_age or 0) < 60


@pytest.mark.django_db
def test_check_finds_rows_that_nobody_sends() -> None:
    made = make_busy()
    OutboxRow.objects.update(not_before=timezone.now() - timedelta(hours=1))
    assert check().ready is False
    row = OutboxRow.objects.order_by("pk")[0]
    Attempt.objects.create(row=row, task=row.task, connection=made, key=row.key, started_at=timezone.now())
    assert check().ready is True


@pytest.mark.django_db
def test_check_finds_a_queue_that_does_not_move() -> None:
    Heartbeat.beat()
    job = OrmQ.objects.create(key="playbooks", payload="", lock=timezone.now() + timedelta(hours=1))
    assert check().ready is True
    job.lock = timezone.now() - timedelta(hours=1)
    job.save()
    assert check().blocking == ["The queue doesn't move: a job has waited for 3600 seconds."]


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [1, 3])
def test_check_without_counts_costs_eight_queries(rows: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    complete(make_connection(), rows)
    with django_assert_num_queries(8):
        result = check(counts=False)
    assert (result.waiting, result.in_doubt) == (None, None)


@pytest.mark.django_db
def test_check_says_that_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> Any:
        raise OperationalError("server at 10.0.0.1 closed the connection")

    with connection.execute_wrapper(away):
        result = check()
    problem = "The database doesn't answer (OperationalError). Does it run, and is DATABASE_URL right?"
    assert result.problems == result.blocking == [problem]


@pytest.mark.django_db
def test_a_database_that_setup_has_not_prepared_says_so() -> None:
    assert health.database_problem() == ""
    ((_app, newest),) = MigrationLoader(connection).graph.leaf_nodes("sync")
    MigrationRecorder(connection).record_unapplied("sync", newest)
    assert health.database_problem() == "The database is not prepared for this version: run `manage.py setup`."


@pytest.mark.django_db
def test_check_says_that_a_stored_secret_cannot_be_read(settings: Any) -> None:
    make_connection().store_token("token", "https://northwind.my.salesforce.com")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert check().problems[0].startswith("A stored secret can't be read with any of ENCRYPTION_KEYS.")


def told(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("health", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
def test_command_tells_health_with_its_exit_status() -> None:
    make_busy()
    status, text = told()
    assert (status, text.splitlines()[0], text.splitlines()[-2:]) == (
        0,
        "Healthy.",
        ["waiting: 2", "outcome unknown: 1"],
    )


@pytest.mark.django_db
def test_command_tells_problems_with_its_exit_status() -> None:
    make_busy()
    Connection.objects.update(state=ConnectionState.DISCONNECTED)
    status, text = told()
    assert (status, text.splitlines()[0]) == (1, "Not healthy.")
    assert text.splitlines()[1].startswith("  ! The Access User Access User has been disconnected")


@pytest.mark.django_db
def test_command_prints_json() -> None:
    status, text = told("--json")
    answer = json.loads(text)
    assert (status, answer["ok"], answer["connection"], answer["waiting"]) == (1, False, "none", 0)
    assert answer["problems"] == ["No worker has shown a sign of life yet. Is `manage.py workers` running?"]


def test_webhooks_that_nobody_tells_are_a_problem_but_not_a_blocking_one() -> None:
    long_since = NOW - timedelta(seconds=600)
    silent = judged(webhooks_due_since=long_since)
    assert "Webhooks have been due for 600 seconds" in silent.problems[0]
    assert silent.blocking == []
    assert judged(webhooks_due_since=long_since, webhooks_beat_at=JUST_NOW).problems == []
    assert judged(webhooks_due_since=JUST_NOW).problems == []


def test_a_webhook_that_takes_nothing_is_a_line() -> None:
    result = judged(failing_webhooks=["Dialer"])
    assert result.ok
    assert "The webhook of Dialer takes nothing" in result.notices[0]


@pytest.mark.django_db
def test_check_finds_webhooks_that_nobody_tells_but_not_those_that_rest() -> None:
    org = make_connection()
    Heartbeat.beat()
    sender = make_sender("Dialer", "https://example.com/")
    tasks = complete(org)
    hand_in(sender, tasks)
    OutboxRow.objects.update(state=OutboxState.DONE)
    hour_ago = timezone.now() - timedelta(hours=1)
    webhook_events.note(webhook_events.hearers_of([tasks[0].pk]), hour_ago)
    assert "Webhooks have been due" in check().problems[0]
    WebhookReceiver.objects.create(
        sender=sender, resting_until=timezone.now() + timedelta(minutes=5), failing_since=hour_ago - timedelta(hours=1)
    )
    result = check()
    assert result.problems == []
    assert any("Dialer" in notice for notice in result.notices)
