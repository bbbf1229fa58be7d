"""Correcting a completed task that the CRM refused: it is said anew, and goes out at once as it stands then (M25)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sync import outbox
from sync.completion import say_anew
from sync.enums import DecisionCode, FailureMode, OutboxState, TaskState
from sync.inputs import Completion, Text
from sync.models import Decision, OutboxRow, Task
from teams.models import User

# What can be corrected, as the log names it; contents never stand there.
_FIELDS = {
    "subject": "subject",
    "description": "description",
    "completed_at": "completed_at",
    "call_direction": "call_direction",
    "call_duration_seconds": "call_duration_seconds",
    "call_disposition": "call_disposition",
    "phone_e164": "phone_number",
    "email_address": "email_address",
    "record_id": "record",
    "related_record_id": "related_record",
}
# What the CRM says about the record rather than about what was typed.
_ABOUT_RECORD = ("INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED", "MALFORMED_ID", "FIELD_INTEGRITY_EXCEPTION")

_SENDING = _("It is being sent; look again in a moment.")
_IN_THE_WAY: dict[str, Text] = {
    OutboxState.DONE: _("It stands in the CRM already, so that there is nothing to correct here. Change it there."),
    OutboxState.CANCELLED: _(
        "It was cancelled, and what was cancelled can't be sent any more. Log an ad hoc task instead."
    ),
    OutboxState.SENDING: _SENDING,
}

_NOT_REFUSED: dict[str, object] = {
    **dict.fromkeys(("failure_mode", "error_code", "error_message", "signature"), ""),
    **dict.fromkeys(("error_since", "error_at", "trouble"), None),
}

SAME, MEANWHILE, UNCHANGED = "same", "meanwhile", "unchanged"


def can_correct(task: Task, row: OutboxRow | None) -> bool:
    """Whether `task` was refused and can be said anew; `row` is its newest. Pure."""
    return not in_the_way(task, row)


def in_the_way(task: Task, row: OutboxRow | None) -> Text:
    """Say why `task` can't be corrected; empty when it can. Pure."""
    if task.state != TaskState.COMPLETED or row is None:
        return _("Only a completed task that the CRM refused can be corrected.")
    if trouble := _IN_THE_WAY.get(OutboxState.DONE if task.crm_id else row.state):
        return trouble
    if row.in_doubt:
        return _("It may stand in the CRM already: Playbooks looks there first. Look again later.")
    if row.state == OutboxState.PENDING and not row.failure_mode:
        return _("It waits to be sent: the CRM has not refused what stands there now.")
    return ""


def keeps_records(task: Task, row: OutboxRow | None) -> bool:
    """Whether its records stay as they are: the play's, unless the CRM refuses just them, and those of an adoption."""
    if task.adoptions.standing().exists():
        return True
    about_record = row is not None and (row.failure_mode == FailureMode.RELINK or row.error_code in _ABOUT_RECORD)
    return task.step_id is not None and not about_record


def seen(task: Task) -> str:
    """Tell two states of a task apart: a form brings back what it was made for."""
    return hashlib.sha256(repr(_values(task)).encode()).hexdigest()[:16]


def correct(completion: Completion, by: User, was_seen: str) -> Task:
    """Say the completed `completion.task` anew, and have it sent at once; ValidationError by field: nothing is changed.

    Whoever comes second is told (code MEANWHILE), unless they say what stands there already (SAME).
    """
    assert completion.task is not None
    with transaction.atomic():
        task, rows = _locked(completion.task, by)
        row = rows[0] if rows else None
        trouble = in_the_way(task, row) or _sent_behind(rows)
        is_stale = was_seen != seen(task)
        if trouble and not is_stale:
            raise _refusal(trouble, "in_the_way")
        before = _values(task)
        corrected, link = say_anew(completion, task, keeps_records=keeps_records(task, row))
        changed = [_FIELDS[name] for name, value in _values(corrected).items() if value != before[name]]
        if not changed:
            words = _("Nothing is changed yet. Change what the CRM refuses, or choose Retry now on the task's page.")
            raise _refusal(words, SAME if is_stale else UNCHANGED)
        if trouble:
            raise _refusal(format_lazy("{} {}", _("It was corrected meanwhile."), trouble), "in_the_way")
        if is_stale:
            words = _("It was corrected meanwhile. Look at it first; sent again, what stands here takes its place.")
            raise _refusal(words, MEANWHILE)
        now = timezone.now()
        detail = {"by": str(by.uuid), "fields": changed}
        said = [(DecisionCode.CORRECTED, detail), *link.decisions]
        Decision.objects.bulk_create(Decision(task=task, at=now, code=code, detail=each) for code, each in said)
        outbox.retry_now(rows[:1], by)
        # Nobody has refused what stands there now. When it passes, that says nothing of what waits for the same cause.
        OutboxRow.objects.filter(pk=rows[0].pk).update(**_NOT_REFUSED)
    return corrected


def _locked(task: Task, by: User) -> tuple[Task, Sequence[OutboxRow]]:
    """The task and its rows as they stand now, the newest first; the task and what waits are locked.

    A row that a worker holds is not waited for: settling it, they wait for the task in turn.
    """
    tasks = Task.objects.visible_to(by).filter(pk=task.pk)
    found = tasks.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise _refusal(_("You may correct tasks of your own and, as a manager, of your own teams."), "unknown")
    of_task = OutboxRow.objects.filter(task=found)
    waiting = of_task.filter(state__in=(OutboxState.PENDING, OutboxState.FAILED))
    list(waiting.select_for_update().order_by("pk").values_list("pk"))
    return found, list(of_task.order_by("-pk"))


def _sent_behind(rows: Sequence[OutboxRow]) -> Text:
    """Say that an older row is on its way, which a newer one waits for."""
    return _SENDING if any(row.state == OutboxState.SENDING for row in rows) else ""


def _values(task: Task) -> dict[str, str | int | datetime | None]:
    return {name: getattr(task, name) for name in _FIELDS}


def _refusal(message: Text, code: str) -> ValidationError:
    return ValidationError({"task": ValidationError(message, code=code)})
