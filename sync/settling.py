"""Settling: every row of a batch with its own answer, in one transaction, by whoever still holds the lease."""

import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import CharField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from sync import outbox, troubles, webhook_events
from sync.enums import AttemptOutcome, DecisionCode, FailureMode, OutboxState
from sync.errors import CrmError, RowError
from sync.models import Attempt, Connection, Decision, OutboxRow, Task
from sync.retry import ADMIN_MODES, UNCHARGED_MODES, deadline, delay

logger = logging.getLogger(__name__)
_uniform = random.SystemRandom().uniform

Decided = tuple[DecisionCode, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row: a CRM id, or an error."""

    row: OutboxRow
    attempt: Attempt | None = None
    crm_id: str = ""
    found: bool = False
    error: RowError | None = None
    decisions: tuple[Decided, ...] = ()
    not_before: datetime | None = None  # of the next try, whatever the error says


@dataclass(frozen=True, slots=True)
class Call:
    """What the log keeps of the HTTP call that gave the answers."""

    http_status: int | None = None
    request_id: str = ""


@dataclass
class _Changes:
    """What one transaction writes, gathered first so that the number of queries doesn't grow with the rows."""

    rows: list[OutboxRow] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    ended_troubles: set[int] = field(default_factory=set)
    troubles: dict[str, int] = field(default_factory=dict)  # primary keys by signature


def settle(connection: Connection, token: uuid.UUID, answers: Sequence[Answer], call: Call) -> int:
    """Write down the answers; return how many rows are done.

    Rows whose lease was lost meanwhile stay as their new holder has them: by their key it finds what was written.
    """
    now = timezone.now()
    with transaction.atomic():
        held = OutboxRow.objects.held(token).filter(pk__in=[answer.row.pk for answer in answers])
        ours = webhook_events.hearers_by_row(held.select_for_update(of=("self",)))
        answers = [answer for answer in answers if answer.row.pk in ours]
        finish_attempts(answers, call, now)
        changes = _Changes()
        # In one order, so that two workers that open the same troubles don't wait for each other.
        for answer in sorted(answers, key=_signature):
            if answer.error is None:
                _done(changes, answer, now)
            else:
                _refused(changes, connection, answer, answer.error, now)
        _write(changes, now)
        final = [row.pk for row in changes.rows if row.state in (OutboxState.DONE, OutboxState.FAILED)]
        webhook_events.note((hearer for pk in final if (hearer := ours[pk])), now)
        if changes.ended_troubles and troubles.end(changes.ended_troubles, now):
            transaction.on_commit(partial(outbox.ring, connection), robust=True)
    for answer in answers:
        _log(connection, answer, call)
    return sum(answer.error is None for answer in answers)


def release(token: uuid.UUID, rows: Iterable[OutboxRow], not_before: datetime) -> None:
    """Give rows back without charging them an attempt."""
    rows = list(rows)
    if not rows:
        return
    now = timezone.now()
    with transaction.atomic():
        held = OutboxRow.objects.held(token).filter(pk__in=[row.pk for row in rows])
        back = list(held.select_for_update())
        _hold_tasks(back)
        for row in back:
            row.state, row.lease_token, row.not_before = OutboxState.PENDING, None, not_before
            if not_before > now:
                row.trouble_id = None  # whose end would cut the rest short
        _yield_to_newer(back, now)
        OutboxRow.objects.bulk_update(back, ["state", "lease_token", "not_before", "trouble", "settled_at"])


def put_in_doubt(token: uuid.UUID, rows: Iterable[OutboxRow]) -> None:
    """Remember that the CRM may have carried out what was sent: the next attempt looks first."""
    OutboxRow.objects.held(token).filter(pk__in=[row.pk for row in rows]).update(in_doubt=True)


def finish_failed_call(attempts: Iterable[Attempt], error: CrmError) -> None:
    """Complete the attempts of a call that failed as a whole."""
    outcome = AttemptOutcome.UNKNOWN if error.outcome_unknown else AttemptOutcome.REFUSED
    Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).update(
        outcome=outcome,
        finished_at=timezone.now(),
        failure_mode=error.mode,
        error_code=error.code[:100],
        error_message=error.message,
        error_fields=list(error.fields),
        http_status=error.http_status,
        request_id=error.request_id[:64],
    )


def finish_attempts(answers: Sequence[Answer], call: Call, now: datetime) -> None:
    """Complete the attempts, one query for each different answer."""
    groups: dict[tuple[AttemptOutcome, RowError | None], list[int]] = defaultdict(list)
    for answer in answers:
        if answer.attempt is None:
            continue
        outcome = AttemptOutcome.FOUND if answer.found else AttemptOutcome.WRITTEN
        groups[AttemptOutcome.REFUSED if answer.error else outcome, answer.error].append(answer.attempt.pk)
    for (outcome, error), pks in groups.items():
        values: dict[str, Any] = {
            "outcome": outcome,
            "finished_at": now,
            "http_status": call.http_status,
            "request_id": call.request_id[:64],
        }
        if error:
            values |= {
                "failure_mode": error.mode,
                "error_code": error.code[:100],
                "error_message": error.message,
                "error_fields": list(error.fields),
            }
        Attempt.objects.filter(pk__in=pks).update(**values)


def _done(changes: _Changes, answer: Answer, now: datetime) -> None:
    row = answer.row
    row.state, row.settled_at, row.lease_token, row.in_doubt = OutboxState.DONE, now, None, False
    row.attempts += 1
    row.failure_mode = row.error_code = row.error_message = row.signature = ""
    row.error_since = row.error_at = None
    if row.trouble_id:
        changes.ended_troubles.add(row.trouble_id)
    row.trouble_id = None
    changes.rows.append(row)
    if row.task:
        row.task.crm_id, row.task.synced_at = answer.crm_id, now
        changes.tasks.append(row.task)
        changes.decisions += [
            Decision(task=row.task, at=now, code=code, detail=detail) for code, detail in answer.decisions
        ]


def _refused(changes: _Changes, connection: Connection, answer: Answer, error: RowError, now: datetime) -> None:
    row = answer.row
    row.state, row.lease_token = OutboxState.PENDING, None
    row.failure_mode, row.error_code, row.error_message = error.mode, error.code[:100], error.message
    signature = troubles.signature(error)
    if row.signature != signature:
        row.signature, row.error_since = signature, now
    row.error_at = now
    if error.mode not in UNCHARGED_MODES:
        row.attempts += 1
    row.first_attempt_at = row.first_attempt_at or now
    end = deadline(row.first_attempt_at, row.down_total_at_first, connection.down_time(now))
    if now >= end:
        row.state, row.settled_at, row.trouble_id = OutboxState.FAILED, now, None
        if row.task_id:
            changes.decisions.append(Decision(task_id=row.task_id, at=now, code=DecisionCode.GAVE_UP))
    elif error.mode in ADMIN_MODES:
        if signature not in changes.troubles:
            changes.troubles[signature] = troubles.find(connection, error, now).pk
        row.trouble_id, row.not_before = changes.troubles[signature], end
    else:
        if error.mode not in (FailureMode.TRANSIENT, FailureMode.FREE) or answer.not_before:
            row.trouble_id = None  # else it still tries for those that wait with it
        wait = delay(error.mode, row.attempts, _uniform, now - row.first_attempt_at)
        row.not_before = min(end, now + wait)
    if row.state == OutboxState.PENDING and answer.not_before:
        row.not_before = max(row.not_before, answer.not_before)
    changes.rows.append(row)


def _signature(answer: Answer) -> str:
    """Of the trouble that the error belongs to; empty when it belongs to none."""
    return troubles.signature(answer.error) if answer.error and answer.error.mode in ADMIN_MODES else ""


def _write(changes: _Changes, now: datetime) -> None:
    _hold_tasks(changes.rows)
    _yield_to_newer([row for row in changes.rows if row.state != OutboxState.DONE], now)
    done = [row for row in changes.rows if row.state == OutboxState.DONE]
    OutboxRow.objects.filter(pk__in=[row.pk for row in done if row.attempts == 1]).update(
        state=OutboxState.DONE,
        settled_at=now,
        lease_token=None,
        in_doubt=False,
        attempts=1,
        failure_mode="",
        error_code="",
        error_message="",
        signature="",
        error_since=None,
        error_at=None,
        trouble=None,
    )
    others = [row for row in changes.rows if row.state != OutboxState.DONE or row.attempts != 1]
    OutboxRow.objects.bulk_update(others, _SETTLED_FIELDS)
    _write_crm_ids(changes.tasks, now)
    Decision.objects.bulk_create(changes.decisions)


def _write_crm_ids(tasks: Sequence[Task], now: datetime) -> None:
    """Give each Task its id. Not by bulk_update, whose expressions cost a third of a whole batch's CPU time."""
    if not tasks:
        return
    whens = "WHEN %s THEN %s " * len(tasks)
    pairs = [value for task in tasks for value in (task.pk, task.crm_id)]
    crm_id = RawSQL(f"CASE id {whens}END", pairs, output_field=CharField())  # noqa: S611 - values are parameters
    Task.objects.filter(pk__in=[task.pk for task in tasks]).update(crm_id=crm_id, synced_at=now)


_SETTLED_FIELDS = [
    "state",
    "not_before",
    "attempts",
    "in_doubt",
    "lease_token",
    "first_attempt_at",
    "failure_mode",
    "error_code",
    "error_message",
    "signature",
    "error_since",
    "error_at",
    "trouble",
    "settled_at",
]


def _hold_tasks(rows: Iterable[OutboxRow]) -> None:
    """Lock their tasks, all in one order: whoever changes tasks or retries them by hand holds several, too."""
    pks = [row.task_id for row in rows if row.task_id]
    list(Task.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk"))


def _yield_to_newer(rows: Iterable[OutboxRow], now: datetime) -> None:
    """Of two rows of one object the newer goes on: it sends the newest state anyway.

    It inherits the doubt, so that it looks first, too, and no sooner. Whoever changes a task holds its lock, as the
    caller does, so that a row that they are just making is seen here.
    """
    by_task = {row.task_id: row for row in rows if row.task_id}
    if not by_task:
        return
    waiting = OutboxRow.objects.filter(state=OutboxState.PENDING, task__in=by_task).select_for_update()
    for newer in waiting.exclude(pk__in=[row.pk for row in by_task.values()]):
        row = by_task[newer.task_id or 0]
        newer.rewrites_who |= row.rewrites_who
        newer.rewrites_what |= row.rewrites_what
        if row.in_doubt:
            rested = min(row.not_before, now + timedelta(seconds=settings.SYNC_QUIET))
            newer.in_doubt, newer.not_before = True, max(newer.not_before, rested)
        newer.save(update_fields=["rewrites_who", "rewrites_what", "in_doubt", "not_before"])
        if row.state == OutboxState.PENDING:
            row.state, row.settled_at, row.trouble_id = OutboxState.CANCELLED, now, None


def _log(connection: Connection, answer: Answer, call: Call) -> None:
    """One line a row: ids and codes, never the CRM's message, which may quote what was sent."""
    error = answer.error
    logger.log(
        logging.WARNING if error and error.mode != FailureMode.FREE else logging.INFO,
        "task refused" if error else "task found in the CRM" if answer.found else "task written",
        extra={
            "task": str(answer.row.task.uuid) if answer.row.task else None,
            "attempt": answer.attempt.pk if answer.attempt else None,
            "connection": str(connection.uuid),
            "crm_id": answer.crm_id,
            "crm_request_id": call.request_id,
            "http_status": call.http_status,
            "error_code": error.code if error else None,
        },
    )
