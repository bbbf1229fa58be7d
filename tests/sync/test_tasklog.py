"""The rows of Task Sync Results."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from sync import tasklog
from sync.enums import AttemptOutcome, FailureMode, OutboxState, TaskState
from sync.models import OutboxRow, Task
from sync.tasklog import COLUMNS, Place, Reader, completed
from teams.models import User
from tests.factories import RecordFactory, UserFactory, the_connection
from tests.sync.results import make_done, make_many, refuse

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 28, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def rep() -> User:
    return UserFactory.create(name="Rosa Rep", email="rosa@example.com", crm_user_id="005AAAAAAAAAAa1Y5H")


def rows(users: frozenset[int] | None = None, state: str = "", zone: str = "UTC") -> list[dict[str, object]]:
    reader = Reader(completed(NOON - DAY, NOON + DAY, state), ZoneInfo(zone), users)
    return [dict(zip(COLUMNS, row, strict=True)) for chunk in reader.chunks(None) for row in chunk.rows]


def test_row_tells_all_of_a_refused_task(rep: User) -> None:
    person = RecordFactory.create(name="=Carla")
    task = make_done(
        the_connection(), rep, "+49 30 1234", OutboxState.FAILED, completed_at=NOON, who=person, record=person
    )
    refuse(task, "UNABLE_TO_LOCK_ROW", "busy", started_at=NOON, failure_mode=FailureMode.TRANSIENT)
    refuse(task, "STRING_TOO_LONG", "-Subject: data value too large", started_at=NOON + timedelta(minutes=5))
    assert rep.team
    assert rows(zone="Europe/Berlin") == [
        {
            "task": str(task.uuid),
            "completed_at": "2026-03-28 13:30:00+01:00",
            "rep": "Rosa Rep",
            "rep_email": "rosa@example.com",
            "rep_crm_user_id": "005AAAAAAAAAAa1Y5H",
            "team": rep.team.name,
            "kind": "Call",
            "subject": "'+49 30 1234",
            "record": "'=Carla",
            "who_id": person.crm_id,
            "related_record": "",
            "what_id": "",
            "state": "Failed",
            "synced_at": "",
            "crm_task_id": "",
            "attempts": 2,
            "last_attempt_at": "2026-03-28 13:35:00+01:00",
            "last_outcome": "Refused",
            "error_code": "STRING_TOO_LONG",
            "error_message": "'-Subject: data value too large",
            "failure_mode": "Something in the task doesn't fit",
            "who_acts_next": "The rep",
            "http_status": 200,
            "crm_request_id": "req-2",
            "key": task.key,
        }
    ]


def test_what_passed_at_last_shows_no_error(rep: User) -> None:
    task = make_done(the_connection(), rep, "Call", OutboxState.DONE, completed_at=NOON, crm_id="00T5g00000AbCdEEAV")
    refuse(task, "UNABLE_TO_LOCK_ROW", "busy")
    refuse(task, "", "", outcome=AttemptOutcome.WRITTEN, failure_mode="")
    (row,) = rows()
    assert [row[name] for name in ("state", "attempts", "last_outcome", "error_code", "crm_task_id")] == [
        "Synced",
        2,
        "Written",
        "",
        "00T5g00000AbCdEEAV",
    ]


def test_newest_row_of_a_task_counts(rep: User) -> None:
    task = make_done(the_connection(), rep, "Call", OutboxState.CANCELLED, completed_at=NOON)
    OutboxRow.objects.create(
        connection=the_connection(), task=task, key=task.key, state=OutboxState.DONE, not_before=NOON
    )
    assert [row["state"] for row in rows()] == ["Synced"]
    assert [len(rows(state=state)) for state in ("synced", "cancelled")] == [1, 0]


def test_task_that_was_never_asked_for_waits(rep: User) -> None:
    make_done(None, rep, "Call", completed_at=NOON)
    (row,) = rows()
    assert [row[name] for name in ("state", "attempts", "last_attempt_at", "http_status")] == ["Waiting", 0, "", ""]


@pytest.mark.parametrize(
    ("state", "subjects"),
    [
        ("synced", ["done"]),
        ("waiting", ["pending", "sending", "unasked"]),
        ("failed", ["failed"]),
        ("cancelled", ["cancelled"]),
        ("", ["cancelled", "done", "failed", "pending", "sending", "unasked"]),
    ],
)
def test_states(rep: User, state: str, subjects: list[str]) -> None:
    for each in OutboxState:
        make_done(the_connection(), rep, each.value, each, completed_at=NOON)
    make_done(None, rep, "unasked", completed_at=NOON)
    assert sorted(str(row["subject"]) for row in rows(state=state)) == subjects


def test_days_begin_with_the_first_moment_and_end_before_the_last(rep: User) -> None:
    for at in (NOON - DAY - timedelta(microseconds=1), NOON - DAY, NOON + DAY - timedelta(microseconds=1), NOON + DAY):
        make_done(None, rep, str(at), completed_at=at)
    skipped = make_done(None, rep, "skipped", completed_at=NOON)
    Task.objects.filter(pk=skipped.pk).update(state=TaskState.SKIPPED)
    assert [row["subject"] for row in rows()] == [str(NOON - DAY), str(NOON + DAY - timedelta(microseconds=1))]


def test_only_these_users(rep: User) -> None:
    make_done(None, rep, "Mine", completed_at=NOON)
    make_done(None, UserFactory.create(), "Another's", completed_at=NOON)
    assert [row["subject"] for row in rows(frozenset({rep.pk}))] == ["Mine"]


def test_chunks_meet_without_gap_or_overlap(rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where more tasks than a chunk holds were completed in the same moment."""
    monkeypatch.setattr(tasklog, "CHUNK", 3)
    make_many(the_connection(), rep, 7, NOON)
    make_many(the_connection(), rep, 2, NOON + timedelta(seconds=1))
    reader = Reader(completed(NOON - DAY, NOON + DAY), ZoneInfo("UTC"), None)
    places: list[Place | None] = [None]
    found = []
    while True:
        # Each from the place alone, as after a restart.
        chunk = next(reader.chunks(places[-1]))
        found += [row[0] for row in chunk.rows]
        if chunk.after is None:
            break
        places.append(chunk.after)
    assert found == [str(task.uuid) for task in Task.objects.order_by("completed_at", "pk")]
    assert len(places) == 4


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (datetime(2026, 3, 29, 0, 59, 59, 999_999, UTC), "Europe/Berlin", "2026-03-29 01:59:59+01:00"),
        (datetime(2026, 3, 29, 1, 0, 0, 0, UTC), "Europe/Berlin", "2026-03-29 03:00:00+02:00"),
        (datetime(2026, 3, 28, 12, 30, 5, 0, UTC), "Asia/Kathmandu", "2026-03-28 18:15:05+05:45"),
        (datetime(2026, 3, 28, 12, 30, 5, 100, UTC), "America/New_York", "2026-03-28 08:30:05-04:00"),
        (datetime(2026, 3, 28, 12, 30, 5, 0, UTC), "UTC", "2026-03-28 12:30:05+00:00"),
    ],
)
def test_times_are_the_organisations(rep: User, moment: datetime, zone: str, text: str) -> None:
    make_done(None, rep, "Call", completed_at=moment, synced_at=moment)
    assert [(row["completed_at"], row["synced_at"]) for row in rows(zone=zone)] == [(text, text)]


@pytest.mark.parametrize("count", [3, 300])
def test_queries_do_not_grow(rep: User, count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_many(the_connection(), rep, count, NOON)
    with django_assert_num_queries(4):
        assert len(rows()) == count
