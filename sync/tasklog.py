"""The Task Sync Log as rows of a table: what became of each completed task, with the CRM's own words.

Read in chunks by completion time, so that a million tasks need as much memory as two thousand, no cursor stays open,
and whoever is interrupted goes on where they were. Times are read as text: making datetimes of them and text again
would take half of the whole time.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection as database
from django.db.models import Exists, OuterRef, Q, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from sync.enums import AttemptOutcome, FailureMode, OutboxState, TaskKind, TaskState
from sync.models import Attempt, OutboxRow, Task
from sync.models.task import TaskQuerySet
from teams.models import User
from teams.spreadsheets import defused

CHUNK = 2000

# docs/task-sync-results.md says what each is; the names are the file's format and not translated.
COLUMNS = (
    "task",
    "completed_at",
    "rep",
    "rep_email",
    "rep_crm_user_id",
    "team",
    "kind",
    "subject",
    "record",
    "who_id",
    "related_record",
    "what_id",
    "state",
    "synced_at",
    "crm_task_id",
    "attempts",
    "last_attempt_at",
    "last_outcome",
    "error_code",
    "error_message",
    "failure_mode",
    "who_acts_next",
    "http_status",
    "crm_request_id",
    "key",
)
CRM_USER_COLUMN = COLUMNS.index("rep_crm_user_id")

# What a manager asks for, by the outbox's words for it. A task without a row waits for the first connection.
STATES: Mapping[str, frozenset[str]] = {
    "synced": frozenset({OutboxState.DONE}),
    "waiting": frozenset({OutboxState.PENDING, OutboxState.SENDING}),
    "failed": frozenset({OutboxState.FAILED}),
    "cancelled": frozenset({OutboxState.CANCELLED}),
}

_TASK = (
    "pk",
    Cast("completed_at", TextField()),
    Cast("uuid", TextField()),
    "user_id",
    "kind",
    "subject",
    "who__name",
    "who__crm_id",
    "what__name",
    "what__crm_id",
    Cast("synced_at", TextField()),
    "crm_id",
    "key",
)
_ATTEMPT = (
    "task_id",
    Cast("started_at", TextField()),
    "outcome",
    "error_code",
    "error_message",
    "failure_mode",
    "http_status",
    "request_id",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk begins: after this task."""

    at: datetime
    pk: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as they stand in the file, and where the next chunk begins; None: this was the last."""

    rows: list[list[object]]
    after: Place | None


def completed(since: datetime, until: datetime, state: str = "") -> TaskQuerySet:
    """Return the tasks completed from `since` to before `until`, in one of STATES if one is named."""
    tasks = Task.objects.filter(state=TaskState.COMPLETED, completed_at__gte=since, completed_at__lt=until)
    if state in STATES:
        newest = OutboxRow.objects.newest().filter(task=OuterRef("pk"), state__in=STATES[state])
        wanted = Q(Exists(newest))
        if state == "waiting":
            wanted |= Q(outbox_rows=None)
        tasks = tasks.filter(wanted)
    return tasks


class Reader:
    """Makes rows of tasks. `users` are the pks whose tasks may be told, None: everyone's."""

    def __init__(self, tasks: TaskQuerySet, zone: ZoneInfo, users: frozenset[int] | None) -> None:
        self._tasks = tasks.order_by("completed_at", "pk").values_list(*_TASK)
        self._times = _LocalTimes(zone)
        self._users = users
        # A few thousand at most, and each stands in many rows.
        people = User.objects.order_by().values_list("pk", "name", "email", "crm_user_id", "team__name")
        self._people = {
            pk: (defused(name), defused(email), crm_id or "", defused(team or ""))
            for pk, name, email, crm_id, team in people
        }
        self._kinds = {kind.value: str(kind.label) for kind in TaskKind}
        self._states = {state.value: str(state.label) for state in OutboxState}
        self._outcomes = {outcome.value: str(outcome.label) for outcome in AttemptOutcome}
        self._modes = {mode.value: (str(mode.label), str(mode.actor.label)) for mode in FailureMode}
        self._unasked = _("Waiting")

    def chunks(self, after: Place | None) -> Iterator[Chunk]:
        """Give the rows from a place on, up to CHUNK at a time: three queries each."""
        while True:
            tasks = list((self._from(after) if after else self._tasks)[:CHUNK])
            after = Place(_moment(tasks[-1][1]), tasks[-1][0]) if len(tasks) == CHUNK else None
            yield Chunk(list(self._rows(tasks)), after)
            if after is None:
                return

    def _from(self, place: Place) -> Any:
        return self._tasks.filter(Q(completed_at__gt=place.at) | Q(pk__gt=place.pk), completed_at__gte=place.at)

    def _rows(self, tasks: list[Any]) -> Iterator[list[object]]:
        if not tasks:
            return
        pks = _listed([task[0] for task in tasks])
        states = dict(OutboxRow.objects.filter(task__in=pks).order_by("pk").values_list("task_id", "state"))
        last: dict[int, Any] = {}
        counts: dict[int, int] = {}
        for attempt in Attempt.objects.filter(task__in=pks).order_by("pk").values_list(*_ATTEMPT):
            pk = attempt[0]
            last[pk] = attempt
            counts[pk] = counts.get(pk, 0) + 1
        for task in tasks:
            if self._users is None or task[3] in self._users:
                yield self._row(task, states.get(task[0]), last.get(task[0]), counts.get(task[0], 0))

    def _row(self, task: Any, state: str | None, attempt: Any, attempts: int) -> list[object]:
        _pk, at, uuid, user, kind, subject, who, who_id, what, what_id, synced_at, crm_id, key = task
        rep, email, crm_user_id, team = self._people[user]
        if attempt is None:
            tried_at, outcome, code, message, mode, actor, status, request = None, "", "", "", "", "", "", ""
        else:
            _task, tried_at, outcome, code, message, mode, status, request = attempt
            outcome = self._outcomes[outcome]
            mode, actor = self._modes[mode] if mode else ("", "")
        return [
            uuid if len(uuid) == 36 else _dashed(uuid),
            self._times[at],
            rep,
            email,
            crm_user_id,
            team,
            self._kinds[kind],
            defused(subject),
            defused(who) if who else "",
            who_id or "",
            defused(what) if what else "",
            what_id or "",
            self._states[state] if state else self._unasked,
            self._times[synced_at] if synced_at else "",
            crm_id,
            attempts,
            self._times[tried_at] if tried_at else "",
            outcome,
            defused(code),
            defused(message),
            mode,
            actor,
            status or "",
            defused(request),
            key,
        ]


class _LocalTimes:
    """Times as the database writes them (UTC) to times of a zone, by a table of the minutes met so far.

    No zone's offset changes within a minute, and 30 days have 43,200 of them.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._minutes: dict[str, tuple[str, str]] = {}

    def __getitem__(self, text: str) -> str:
        minute = text[:16]
        local = self._minutes.get(minute)
        if local is None:
            there = datetime.fromisoformat(minute).replace(tzinfo=UTC).astimezone(self._zone).isoformat(" ", "minutes")
            local = self._minutes[minute] = there[:16], there[16:]
        return f"{local[0]}{text[16:19]}{local[1]}"


def _moment(text: str) -> datetime:
    """Return a time as the database writes it: in UTC, which SQLite doesn't say."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _dashed(uuid: str) -> str:
    """Write a UUID as everywhere else; SQLite keeps it without dashes."""
    return f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"


def _listed(pks: Sequence[int]) -> RawSQL:
    """Return a list for `__in` as one parameter: two thousand of them cost more time than the rows they find."""
    if database.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(pks))])
    return RawSQL("SELECT unnest(%s::bigint[])", [list(pks)])
