"""How a sender's tasks fare: one by its id, and page by page."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.enums import AttemptOutcome, FailureMode, OutboxState, TaskState, TaskStatus
from sync.models import Attempt, OutboxRow, ReceivedTask, Task
from sync.task_answers import answer, loaded, status, with_status
from teams.models import Team, User
from tests.factories import RecordFactory, crm_id, the_connection
from tests.people import People
from tests.sync.api.conftest import Dialer, call, dialer_of, make_rule, track_and_sync

pytestmark = pytest.mark.django_db


def hand_in(dialer: Dialer, user: User, *keys: str) -> list[Task]:
    answers = dialer.post([call(user, key) for key in keys])
    return [Task.objects.get(uuid=one["id"]) for one in answers]


def try_once(task: Task, **values: Any) -> Attempt:
    row = task.outbox_rows.get()
    return Attempt.objects.create(
        row=row, task=task, connection=row.connection, key=row.key, started_at=timezone.now(), **values
    )


def test_a_task_tells_its_whole_way_and_none_of_its_texts(dialer: Dialer, people: People) -> None:
    record = RecordFactory.create()
    said = call(people.rep, description="Wants skis.", record=record.crm_id, completed_at="2025-03-31T14:05:00+02:00")
    task = Task.objects.get(uuid=dialer.post(said)["id"])
    begun = timezone.now()
    error = {"error_code": "STRING_TOO_LONG", "error_message": "Subject: data value too large", "request_id": "r-1"}
    try_once(task, outcome=AttemptOutcome.REFUSED, finished_at=begun, http_status=400, **error)
    next_try = begun + timedelta(hours=1)
    OutboxRow.objects.update(failure_mode=FailureMode.DATA, not_before=next_try, **without(error, "request_id"))
    told = dialer.get(f"/{task.uuid}")
    (attempt,) = told.pop("attempts")
    assert attempt.pop("started_at")
    assert attempt == {**error, "finished_at": begun.isoformat(), "outcome": "refused", "http_status": 400}
    reason, received_at = told.pop("reason"), told.pop("received_at")
    assert "data value too large" in reason
    assert reason.endswith("it is tried again later."), reason
    assert received_at == ReceivedTask.objects.get().received_at.isoformat()
    assert told == {
        "id": str(task.uuid),
        "key": "call-1",
        "state": "waiting",
        "is_final": False,
        "stopped_by": None,
        "crm_task_id": None,
        "who": record.crm_id,
        "what": None,
        "is_orphaned": False,
        "completed_at": "2025-03-31T12:05:00+00:00",
        "next_try_at": next_try.isoformat(),
    }
    assert "skis" not in str(told)
    assert "Discovery" not in str(told)


def test_a_reason_names_no_time(dialer: Dialer, people: People) -> None:
    the_connection()
    (task,) = hand_in(dialer, people.rep, "1")
    OutboxRow.objects.update(not_before=timezone.now() + timedelta(hours=1))
    assert dialer.get(f"/{task.uuid}")["reason"] == "It goes out later."
    OutboxRow.objects.all().delete()
    Task.objects.update(crm_id="00T000000000001EAA", synced_at=timezone.now())
    assert dialer.get(f"/{task.uuid}")["reason"] == "It stands in the CRM."


def without(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def test_only_the_last_attempts_are_told(dialer: Dialer, people: People) -> None:
    the_connection()
    (task,) = hand_in(dialer, people.rep, "1")
    for number in range(25):
        try_once(task, error_code=f"E{number}")
    codes = [one["error_code"] for one in dialer.get(f"/{task.uuid}")["attempts"]]
    assert codes == [f"E{number}" for number in range(5, 25)]


def test_others_tasks_are_not_there(dialer: Dialer, people: People) -> None:
    (task,) = hand_in(dialer, people.rep, "1")
    other = dialer_of("Other")
    assert other.get(f"/{task.uuid}", 404)["code"] == "not_found"
    assert other.get() == {"items": [], "next": None}
    assert dialer.get(f"/{uuid4()}", 404)["code"] == "not_found"
    of_playbooks = Task.objects.create(user=people.rep, kind="call")
    dialer.get(f"/{of_playbooks.uuid}", 404)


def test_a_teams_token_reads_what_its_users_did(people: People) -> None:
    """Who leaves the team takes their tasks along, until they come back."""
    dialer = dialer_of(team=people.north)
    (task,) = hand_in(dialer, people.rep, "1")
    User.objects.filter(pk=people.rep.pk).update(team=people.south)
    dialer.get(f"/{task.uuid}", 404)
    assert dialer.get()["items"] == []
    assert dialer.get(status=422, user=people.rep.email)["errors"][0]["code"] == "unknown"
    User.objects.filter(pk=people.rep.pk).update(team=people.north, is_active=False)
    assert dialer.get(f"/{task.uuid}")["key"] == "1"
    assert len(dialer.get(user=people.rep.email)["items"]) == 1


def keys(page: Any) -> list[str]:
    return [item["key"] for item in page["items"]]


def test_pages_follow_one_another_and_miss_nothing(dialer: Dialer, people: People) -> None:
    wanted = [f"{number:02}" for number in range(7)]
    hand_in(dialer, people.rep, *wanted)
    # Received in one moment: the order stays.
    ReceivedTask.objects.update(received_at=timezone.now())
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = dialer.get(limit=3, **({"cursor": cursor} if cursor else {}))
        found += keys(page)
        cursor, pages = page["next"], pages + 1
    assert (found, pages) == (wanted, 3)
    assert dialer.get(limit=7)["next"] is None


def test_tasks_are_narrowed_by_key_user_and_time(dialer: Dialer, people: People) -> None:
    hand_in(dialer, people.rep, "1", "2")
    hand_in(dialer, people.other_rep, "3")
    old = ReceivedTask.objects.get(key="1")
    ReceivedTask.objects.filter(pk=old.pk).update(received_at=old.received_at - timedelta(days=2))
    assert keys(dialer.get(key="2")) == ["2"]
    assert keys(dialer.get(key="no")) == keys(dialer.get(key="\0")) == []
    assert keys(dialer.get(user=people.rep.email.upper())) == ["1", "2"]
    assert people.other_rep.crm_user_id is not None
    assert keys(dialer.get(user=people.other_rep.crm_user_id[:15])) == ["3"]
    since = (old.received_at - timedelta(days=1)).isoformat()
    assert keys(dialer.get(since=since)) == ["2", "3"]
    assert keys(dialer.get(since=since, user=people.rep.email, state="waiting", limit=1)) == ["2"]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"limit": "0"}, {"limit": "out_of_range"}),
        ({"limit": "501"}, {"limit": "out_of_range"}),
        ({"limit": "many"}, {"limit": "type"}),
        ({"state": "lost"}, {"state": "choice"}),
        ({"since": "2025-03-31T14:05:00"}, {"since": "naive"}),
        ({"since": "2025-03-31T14:05:00 02:00"}, {"since": "malformed"}),
        ({"since": "\0"}, {"since": "malformed"}),
        ({"user": "nobody@example.com"}, {"user": "unknown"}),
        ({"user": "\0@"}, {"user": "unknown"}),
        ({"user": "x"}, {"user": "unknown"}),
        ({"cursor": "forged"}, {"cursor": "unknown"}),
        ({"cursor": "1.1:forged"}, {"cursor": "unknown"}),
        ({"key": "k" * 256}, {"key": "too_long"}),
        ({"key": "", "limit": ""}, {"key": "required", "limit": "type"}),
        ({"since": "", "user": "", "cursor": ""}, {"since": "malformed", "user": "unknown", "cursor": "unknown"}),
        ({"sate": "failed"}, {"sate": "unknown_field"}),
        ({"limit": "0", "state": "lost"}, {"limit": "out_of_range", "state": "choice"}),
    ],
)
def test_each_parameter_says_what_is_wrong_with_it(
    dialer: Dialer, query: dict[str, str], codes: dict[str, str]
) -> None:
    problem = dialer.get(status=422, **query)
    assert {error["field"]: error["code"] for error in problem["errors"]} == codes


def test_a_cursor_is_its_senders_own(dialer: Dialer, people: People) -> None:
    hand_in(dialer, people.rep, "1", "2")
    cursor = dialer.get(limit=1)["next"]
    assert dialer_of("Other").get(status=422, cursor=cursor)["errors"][0]["code"] == "unknown"


def set_up_states(dialer: Dialer, people: People) -> dict[str, str]:
    """A task in each state, by key."""
    the_connection()
    states = {
        "waiting": OutboxState.PENDING,
        "sending": OutboxState.SENDING,
        "synced": OutboxState.DONE,
        "failed": OutboxState.FAILED,
        "cancelled": OutboxState.CANCELLED,
    }
    for task, (key, state) in zip(hand_in(dialer, people.rep, *states), states.items(), strict=True):
        task.outbox_rows.update(state=state)
        if key == "waiting":
            # What was written is to be written anew.
            task.outbox_rows.update(state=OutboxState.DONE)
            OutboxRow.objects.create(
                connection=the_connection(), task=task, key=task.key, not_before=timezone.now(), state=state
            )
    make_rule("skis", "keyword")
    dialer.post(track_and_sync(people.rep, "stopped"))
    without_rows = hand_in(dialer, people.rep, "open", "skipped", "unasked", "adopted")
    OutboxRow.objects.filter(task__in=without_rows).delete()
    for task, task_state in zip(without_rows, (TaskState.OPEN, TaskState.SKIPPED), strict=False):
        Task.objects.filter(pk=task.pk).update(state=task_state)
    Task.objects.filter(pk=without_rows[3].pk).update(crm_id=crm_id("00T", 1))
    return {**{key: key for key in (*states, "stopped", "open", "skipped")}, "unasked": "waiting", "adopted": "synced"}


def test_the_state_and_the_filter_by_it_agree(dialer: Dialer, people: People) -> None:
    expected = set_up_states(dialer, people)
    rows = ReceivedTask.objects.all()
    assert {row.key: status(row).value for row in loaded(rows)} == expected
    assert {item["key"]: item["state"] for item in dialer.get()["items"]} == expected
    for state in TaskStatus:
        wanted = {key for key, value in expected.items() if value == state}
        assert set(with_status(rows, state).values_list("key", flat=True)) == wanted, state
        assert set(keys(dialer.get(state=state.value))) == wanted
    assert {item["key"] for item in dialer.get()["items"] if item["is_final"]} == {
        "synced",
        "adopted",
        "failed",
        "cancelled",
        "stopped",
    }


def test_whose_list_stopped_it_is_told_but_not_the_word(dialer: Dialer, people: People) -> None:
    make_rule("skis", "keyword", people.rep)
    make_rule("rival.example", "domain", None)
    for key, mail in (("user", "hana@friend.example"), ("company", "hana@rival.example")):
        dialer.post(track_and_sync(people.rep, key, email_address=mail))
        told = answer(loaded(ReceivedTask.objects.filter(key=key)).get())
        assert (told["state"], told["stopped_by"], told["attempts"]) == ("stopped", key, [])
        assert "blacklist" in told["reason"].lower()
        assert "skis" not in str(told)


@pytest.mark.parametrize("count", [3, 30])
def test_a_page_asks_equally_often_however_long(people: People, count: int) -> None:
    dialer = dialer_of(team=people.north)
    the_connection()
    record = RecordFactory.create()
    dialer.post([call(people.rep, str(number), record=record.crm_id) for number in range(count)])
    for task in Task.objects.all():
        try_once(task)
    with CaptureQueriesContext(database) as queries:
        assert len(dialer.get()["items"]) == count
    # The token, the tasks as received, the tasks with their records, their outbox rows, their attempts.
    assert len(queries) == 5


def test_a_team_that_is_gone_leaves_its_token_nothing(people: People) -> None:
    empty = Team.objects.create(name="Empty")
    assert dialer_of(team=empty).get()["items"] == []
