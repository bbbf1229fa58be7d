"""The way of a task: claim → gate → map → send → settle, a batch at a time, until nothing is due."""

import logging
import random
import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from sync import alerts, connecting, outbox, refresh, settling
from sync.crm.base import Crm, TaskSchema
from sync.enums import FailureMode
from sync.errors import CrmError, RowError
from sync.mapping import MappedTask, map_relation, map_task
from sync.models import Connection, OutboxRow
from sync.outbox import Batch
from sync.retry import pause
from sync.schema_watch import SchemaChangedError
from sync.sending import BatchSender, OutOfTimeError
from sync.settling import Answer, Call
from teams.models import Organisation

logger = logging.getLogger(__name__)
_uniform = random.SystemRandom().uniform

# After a pause one small batch goes first.
HALF_OPEN_BATCH = 10
# A new token's session that has ended, too, is bad luck (somebody ended them all); so many in a row are not.
REFUSED_SESSIONS = 4


def deliver(connection_pk: int) -> int:
    """Send what is due on one connection; return how many rows are done.

    Ends when nothing is due, when the connection rests, or at half of the job's time; then it rings for the rest.
    """
    connection = Connection.objects.get(pk=connection_pk)
    outbox.answer(connection)
    connection.grow_batch_size(timezone.now())
    end = time.monotonic() + settings.SYNC_JOB_TIMEOUT / 2
    done = 0
    while time.monotonic() < end:
        connection.refresh_from_db()
        size = _gate(connection)
        if not size:
            return done
        batch = outbox.claim(connection, size)
        if not batch.rows:
            connection.resume()
            return done
        if len(batch.rows) == size:
            # There may be more than one worker's work.
            outbox.ring(connection)
        done += _deliver_batch(connection, batch, end)
    outbox.ring(connection)
    return done


def _gate(connection: Connection) -> int:
    """Return how many rows may go at once: none while the connection rests, few just after."""
    now = timezone.now()
    if not connection.may_send(now):
        return 0
    if connection.paused_until is None:
        return connection.batch_size
    mode = connection.pause_mode
    if not connection.take_half_open(now, now + timedelta(seconds=settings.SYNC_LEASE)):
        return 0
    if mode == FailureMode.LIMIT and not _calls_are_left(connection):
        return 0
    return min(HALF_OPEN_BATCH, connection.batch_size)


def _calls_are_left(connection: Connection) -> bool:
    """Ask the CRM before work begins again after its limit was reached."""
    try:
        crm = connecting.gateway(connection)
        usage = crm.read_usage()
    except CrmError as error:
        _halt(connection, error)
        return False
    connection.note_usage(usage)
    if usage.used < usage.limit:
        return True
    message = f"API calls: {usage.used} of {usage.limit}"
    _halt(connection, CrmError(FailureMode.LIMIT, "REQUEST_LIMIT_EXCEEDED", message))
    return False


def _deliver_batch(connection: Connection, batch: Batch, end: float) -> int:
    """Send one batch; what is not settled afterwards is given back, in doubt where it is.

    After an error that nobody foresaw nothing is given back: the lease lapses, and the rows are looked up first.
    """
    unsettled = {row.pk: row for row in batch.rows}
    sender: BatchSender | None = None
    try:
        crm = connecting.gateway(connection)
        schema = connecting.schema_of(connection, crm)
        rows = _reachable(connection, crm, batch)
        mapped = _map(connection, batch, rows, schema)
        unsettled = {row.pk: row for row in rows if row.pk in mapped}
        sender = BatchSender(connection, crm, schema, batch.token, mapped, end)
        sender.send(list(unsettled.values()))
    except CrmError as error:
        _halt(connection, error)
    except OutOfTimeError:
        pass
    except SchemaChangedError:
        connection.resume()  # the CRM has answered
    else:
        if connection.resume():
            outbox.ring(connection)
    _give_back(batch, sender.unsettled if sender else unsettled, sender.resting if sender else set())
    return sender.done if sender else 0


def _give_back(batch: Batch, unsettled: dict[int, OutboxRow], resting: set[int]) -> None:
    """Without a key field only a look after the quiet time tells what became of an unanswered create."""
    now = timezone.now()
    settling.release(batch.token, [row for pk, row in unsettled.items() if pk not in resting], now)
    rested = now + timedelta(seconds=settings.SYNC_QUIET)
    settling.release(batch.token, [row for pk, row in unsettled.items() if pk in resting], rested)


def _reachable(connection: Connection, crm: Crm, batch: Batch) -> list[OutboxRow]:
    """Fetch the records that are known by their id only; refuse the rows whose record the CRM doesn't have."""
    # Each row has instances of its own; fetch asks once per record and fills them all.
    records = [
        record
        for row in batch.rows
        if row.task
        for record in (row.task.who, row.task.what)
        if record and record.fetched_at is None
    ]
    if not records:
        return list(batch.rows)
    errors = refresh.fetch(connection, crm, records)
    reachable, refused = [], []
    for row in batch.rows:
        error = next((errors[pk] for pk in _record_pks(row) if pk in errors), None)
        if error is None:
            reachable.append(row)
        else:
            refused.append((row, error))
    _refuse(connection, batch, refused)
    return reachable


def _record_pks(row: OutboxRow) -> list[int]:
    return [pk for pk in (row.task.who_id, row.task.what_id) if pk] if row.task else []


def _map(connection: Connection, batch: Batch, rows: list[OutboxRow], schema: TaskSchema) -> dict[int, MappedTask]:
    """Map each row; one that can't be mapped is shown and must not keep its neighbours.

    Of a task that stands in the CRM only its changed relation: the rest may have been edited there.
    """
    organisation = Organisation.load()
    mapped: dict[int, MappedTask] = {}
    refused: list[tuple[OutboxRow, RowError]] = []
    for row in rows:
        assert row.task is not None
        try:
            if row.task.crm_id:
                mapped[row.pk] = map_relation(row.task, schema, who=row.rewrites_who, what=row.rewrites_what)
            else:
                mapped[row.pk] = map_task(row.task, schema, row.task.user.zone(organisation))
        except Exception as error:
            logger.exception("a task could not be mapped", extra={"task": str(row.task.uuid)})
            refused.append((row, RowError(FailureMode.OTHER, "PLAYBOOKS_ERROR", type(error).__name__)))
    _refuse(connection, batch, refused)
    return mapped


def _refuse(connection: Connection, batch: Batch, refused: list[tuple[OutboxRow, RowError]]) -> None:
    """Settle rows that can't even be sent, each with an attempt that says why."""
    if not refused:
        return
    attempts = outbox.start(connection, batch.token, [row for row, _error in refused])
    answers = [Answer(row, attempts[row.pk], error=error) for row, error in refused if row.pk in attempts]
    settling.settle(connection, batch.token, answers, Call())


def _halt(connection: Connection, error: CrmError) -> None:
    """Let the connection rest: one that is lost until it is back, any other for a while."""
    logger.warning(
        "connection rests",
        extra={
            "connection": str(connection.uuid),
            "error_code": error.code,
            "http_status": error.http_status,
            "crm_request_id": error.request_id,
        },
    )
    is_refused = error.mode == FailureMode.SESSION and connection.pause_count >= REFUSED_SESSIONS
    if error.mode == FailureMode.CONNECTION or is_refused:
        if connection.mark_disconnected(error.code, error.message):
            alerts.connection_lost(connection)
        return
    wait = pause(error.mode, error.message, connection.pause_count, _uniform)
    connection.pause(error.mode, error.code, error.message, timezone.now() + wait)
