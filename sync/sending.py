"""Sending one claimed batch: look first where in doubt, write, and halve what fails as a whole."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.utils import timezone

from sync import outbox, settling
from sync.batch_size import size_that_works
from sync.crm.base import BatchAnswer, Crm, FoundTask, TaskRow, TaskSchema, Value
from sync.enums import DecisionCode, FailureMode
from sync.errors import CrmError, RowError
from sync.looking import Look, lacking, look
from sync.mapping import MappedTask
from sync.models import Attempt, Connection, Heartbeat, OutboxRow
from sync.retry import HALTING_MODES
from sync.schema_watch import SchemaChangedError, SchemaWatch
from sync.settling import Answer, Call, Decided

# So many rows that failed alone, while none passed, say that the CRM is to blame and not the rows.
CULPRITS = 3

Send = Callable[[Sequence[OutboxRow]], BatchAnswer]


class _Fate(Enum):
    """What follows from the answer to one row."""

    SETTLED = 1
    LOOKED_UP = 2
    PERHAPS_GONE = 3
    TOO_BIG = 4
    HALTING = 5


class OutOfTimeError(Exception):
    """The job's time is nearly over: the rest of the batch is given back."""


class BatchSender:
    """Sends the rows of one lease. What stands in `unsettled` at the end must be given back."""

    def __init__(
        self,
        connection: Connection,
        crm: Crm,
        schema: TaskSchema,
        token: uuid.UUID,
        mapped: dict[int, MappedTask],
        end: float,
    ) -> None:
        """`mapped` by the row's pk; `end` by time.monotonic()."""
        self.connection = connection
        self.crm = crm
        self.schema = schema
        self.token = token
        self.mapped = mapped
        self.end = end
        self.unsettled: dict[int, OutboxRow] = {}
        self.patches: dict[int, dict[str, Value]] = {}
        # Without a key field: what was sent and not answered must not be looked up before the quiet time is over.
        self.resting: set[int] = set()
        self.watch = SchemaWatch(connection, crm)
        self.done = 0

    def send(self, rows: Sequence[OutboxRow]) -> None:
        """Write what the CRM lacks of these rows. Raises CrmError when the connection can't go on."""
        self.unsettled = {row.pk: row for row in rows}
        # What stands in the CRM already is only changed there.
        self.patches = {row.pk: dict(self.mapped[row.pk].row.fields) for row in rows if self._stands(row)}
        doubtful = [row for row in rows if row.in_doubt]
        # A first attempt never needs the look.
        absent = self._look_up(doubtful) if doubtful else []
        patched = [row for row in rows if row.pk in self.patches]
        if patched:
            self._halving(patched, self._update)
        if new := [row for row in rows if not (row.in_doubt or self._stands(row))]:
            self._halving(new, self._create)
        # In a call of their own: the one of them that broke its batch before would break the new ones' again.
        if absent := [row for row in absent if not self._stands(row)]:
            self._halving(absent, self._create)

    def _stands(self, row: OutboxRow) -> bool:
        """Whether the row changes a Task that was known to stand in the CRM before this batch."""
        return bool(self.mapped[row.pk].row.crm_id)

    def _create(self, rows: Sequence[OutboxRow]) -> BatchAnswer:
        return self.crm.write_tasks([self.mapped[row.pk].row for row in rows], self.schema)

    def _update(self, rows: Sequence[OutboxRow]) -> BatchAnswer:
        return self.crm.update_tasks([TaskRow(row.key, self.patches[row.pk], _task_crm_id(row)) for row in rows])

    def _halving(self, rows: list[OutboxRow], send: Send) -> None:
        """Send `rows`, and what fails as a whole in halves, until the culprit stands alone."""
        stack, passed, culprits = [rows], 0, 0
        failures: list[tuple[int, CrmError]] = []
        while stack:
            if time.monotonic() > self.end:
                # The next run begins with what is left of this one, so that even time-outs come to an end.
                if failures and not passed:
                    self._shrink(len(stack[-1]))
                raise OutOfTimeError
            part = stack.pop()
            failed, error = self._call(part, send)
            if error is None:
                passed = max(passed, len(part))
                continue
            failures.append((len(part), error))
            if len(part) == 1 and failed:
                culprits += 1
                self._refuse(failed, error)
                if culprits >= CULPRITS and not passed:
                    self._refuse_rest([row for rest in stack for row in rest], error)
                    return
            elif failed:
                # One that failed among others is tried alone before it is to blame.
                middle = (len(failed) + 1) // 2
                stack += [half for half in (failed[middle:], failed[:middle]) if half]
        if passed and not culprits and (size := size_that_works(passed, failures)):
            self._shrink(size)

    def _shrink(self, size: int) -> None:
        if size < self.connection.batch_size:
            self.connection.remember_batch_size(size)

    def _call(self, part: list[OutboxRow], send: Send) -> tuple[list[OutboxRow], CrmError | None]:
        """Make one call; return the rows that failed as a whole, and the error if there are any."""
        Heartbeat.beat()
        attempts = outbox.start(self.connection, self.token, part)
        for row in part:
            if row.pk not in attempts:
                self.unsettled.pop(row.pk, None)
        part = [row for row in part if row.pk in attempts]
        if not part:
            return [], None
        try:
            answer = send(part)
        except CrmError as error:
            settling.finish_failed_call(attempts.values(), error)
            return self._failed_whole(part, error), error
        finally:
            self.connection.note_usage(self.crm.usage)
        failed, too_big = self._settle_answer(part, answer, attempts)
        if self.watch.changed:
            raise SchemaChangedError
        return failed, too_big

    def _failed_whole(self, part: list[OutboxRow], error: CrmError) -> list[OutboxRow]:
        """Return the rows to try again in halves; raise where that would be of no use."""
        again = any(row.in_doubt for row in part)
        patched = {row.pk for row in part if row.pk in self.patches}
        if error.outcome_unknown:
            settling.put_in_doubt(self.token, part)
            for row in part:
                row.in_doubt = True
        if error.mode in HALTING_MODES or (error.mode == FailureMode.TRANSIENT and not error.outcome_unknown):
            raise error
        if self.watch.explains(error.code):
            raise SchemaChangedError
        if not error.outcome_unknown:
            return part
        if not self.schema.has_key and not patched:
            self._rest(part, error, again=again)
        # The look also tells whether the CRM or the batch is to blame: if it fails, too, everything rests.
        absent = {row.pk for row in self._look_up(part)}
        return [row for row in part if row.pk in absent or (row.pk in patched and row.pk in self.patches)]

    def _rest(self, part: list[OutboxRow], error: CrmError, *, again: bool) -> None:
        """Without a unique key only a look after the quiet time is safe, so halves can't follow at once.

        What fails again goes in smaller batches, until the one that fails alone is to blame.
        """
        self.resting.update(row.pk for row in part)
        if again and len(part) == 1:
            return
        if again:
            self._shrink(len(part) // 2)
        raise error

    def _settle_answer(
        self, part: list[OutboxRow], answer: BatchAnswer, attempts: dict[int, Attempt]
    ) -> tuple[list[OutboxRow], CrmError | None]:
        """Settle each row with its own answer; return those that were too many at once, and their error."""
        by_fate: dict[_Fate, list[Answer]] = {fate: [] for fate in _Fate}
        for row, result in zip(part, answer.results, strict=True):
            fate, error = self._fate(row, result.error), result.error
            if error and fate == _Fate.SETTLED:
                error = self._known_schema(error)
            decisions = () if error else self.mapped[row.pk].decisions
            by_fate[fate].append(Answer(row, attempts[row.pk], crm_id=result.crm_id, error=error, decisions=decisions))
        answers, looked, perhaps_gone, too_big, halting = by_fate.values()
        if any(result.error is None for result in answer.results):
            # A limit that its neighbours don't meet is the row's own, and must not stop them.
            answers += [each for each in halting if each.error and each.error.mode == FailureMode.LIMIT]
            halting = [each for each in halting if each.error and each.error.mode != FailureMode.LIMIT]
        call = Call(answer.http_status, answer.request_id)
        self._settle(answers, call)
        settling.finish_attempts([*too_big, *halting, *looked, *perhaps_gone], call, timezone.now())
        if looked:
            # Two writers of one key, or a late one: whoever came first, it is in the CRM, and we read its id.
            settling.put_in_doubt(self.token, [refused.row for refused in looked])
            absent = {row.pk for row in self._look_up([refused.row for refused in looked])}
            self._settle([replace(each, attempt=None) for each in looked if each.row.pk in absent], call)
        if perhaps_gone:
            self._settle_gone(perhaps_gone, call)
        if halting:
            raise _whole(halting[0], answer)
        return [each.row for each in too_big], _whole(too_big[0], answer) if too_big else None

    def _fate(self, row: OutboxRow, error: RowError | None) -> "_Fate":
        if error is None:
            return _Fate.SETTLED
        if error.mode == FailureMode.TOO_BIG:
            return _Fate.TOO_BIG
        if error.mode in HALTING_MODES:
            return _Fate.HALTING
        if error.mode == FailureMode.DONE_ALREADY or (row.in_doubt and row.pk not in self.patches):
            return _Fate.LOOKED_UP
        if self._stands(row) and error.mode in (FailureMode.RELINK, FailureMode.DATA):
            return _Fate.PERHAPS_GONE
        return _Fate.SETTLED

    def _settle_gone(self, refused: list[Answer], call: Call) -> None:
        """Settle refused changes: the Task itself may be gone, which is no error, or what it should be related to."""
        absent = {row.pk for row in self._look_up([each.row for each in refused])}
        gone: tuple[Decided, ...] = ((DecisionCode.DELETED_IN_CRM, {}),)
        self._settle(
            [
                Answer(each.row, crm_id=_task_crm_id(each.row), found=True, decisions=gone)
                if each.row.pk in absent
                else replace(each, attempt=None)
                for each in refused
                if each.row.pk in self.patches
            ],
            call,
        )

    def _look_up(self, rows: list[OutboxRow]) -> list[OutboxRow]:
        """Ask the CRM which of these it has: settle those, and return those that it lacks.

        A Task that lacks some of what was sent, or has another relation than was asked for since, gets only that, by
        a patch.
        """
        Heartbeat.beat()
        seen = self._look(rows)
        unsaid = {row.pk for part, _error in seen.unsaid for row in part}
        answers, absent = [], []
        for row in rows:
            task = seen.found.get(row.pk)
            if row.pk in unsaid:
                continue
            if task is None:
                absent.append(row)
            elif not task.is_deleted and (missing := lacking(row, self.mapped[row.pk], task, self.schema)) and row.task:
                row.task.crm_id, self.patches[row.pk] = task.crm_id, missing
            else:
                answers.append(self._found(row, task))
        attempts = outbox.start(self.connection, self.token, [answer.row for answer in answers])
        self._settle([replace(each, attempt=attempts.get(each.row.pk)) for each in answers], Call())
        return absent

    def _look(self, rows: list[OutboxRow]) -> Look:
        """Where the CRM refuses to look, the rows wait for an admin: in doubt, they must not be written unseen.

        They keep no others.
        """
        try:
            seen = look(self.crm, self.schema, rows, self.mapped)
        finally:
            self.connection.note_usage(self.crm.usage)
        for part, error in seen.unsaid:
            if self.watch.explains(error.code):
                raise SchemaChangedError
            settling.finish_failed_call(outbox.start(self.connection, self.token, part).values(), error)
            self._refuse(part, error)
        return seen

    def _found(self, row: OutboxRow, found: FoundTask) -> Answer:
        decisions: list[Decided] = [*self.mapped[row.pk].decisions]
        if not self._stands(row):
            decisions.insert(0, (DecisionCode.FOUND_IN_CRM, {}))
        if found.is_deleted:
            decisions.append((DecisionCode.DELETED_IN_CRM, {}))
        return Answer(row, crm_id=found.crm_id, found=True, decisions=tuple(decisions))

    def _known_schema(self, error: RowError) -> RowError:
        """A refusal that the org's changed fields explain costs nothing: the row is mapped anew."""
        if self.watch.explains(error.code):
            return RowError(FailureMode.FREE, error.code, error.message, error.fields)
        return error

    def _refuse(self, rows: list[OutboxRow], error: CrmError) -> None:
        """Settle rows with an error of the whole call; its attempts are complete already."""
        refusal = RowError(error.mode, error.code, error.message, error.fields)
        call = Call(error.http_status, error.request_id)
        rested = timezone.now() + timedelta(seconds=settings.SYNC_QUIET)
        self._settle(
            [Answer(row, error=refusal, not_before=rested if row.pk in self.resting else None) for row in rows], call
        )

    def _refuse_rest(self, rest: list[OutboxRow], error: CrmError) -> None:
        """Several rows failed alone and none passed: what is left would fail alike."""
        if error.mode == FailureMode.TRANSIENT:
            raise error
        self._refuse(rest, error)

    def _settle(self, answers: list[Answer], call: Call) -> None:
        if not answers:
            return
        self.done += settling.settle(self.connection, self.token, answers, call)
        for answer in answers:
            self.unsettled.pop(answer.row.pk, None)
            self.patches.pop(answer.row.pk, None)


def _task_crm_id(row: OutboxRow) -> str:
    return row.task.crm_id if row.task else ""


def _whole(refused: Answer, answer: BatchAnswer) -> CrmError:
    error = refused.error
    assert error is not None
    return CrmError(
        error.mode,
        error.code,
        error.message,
        http_status=answer.http_status,
        request_id=answer.request_id,
        fields=error.fields,
    )
