"""What a task's page tells beside its fields: its state, what was decided, and each attempt."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from sync.crm.remedies import remedy_for
from sync.enums import AttemptOutcome, OutboxState
from sync.models import Attempt, Decision, OutboxRow, Task
from sync.sync_state import actor_label, mode_label, newest_row, sync_state
from teams.models import User
from teams.scoped_admin import viewer_of

# More attempts than 30 days of retries make; a page stays a page.
MOST_ATTEMPTS = 200

OUTCOME_TONES = {
    AttemptOutcome.STARTED: "busy",
    AttemptOutcome.WRITTEN: "good",
    AttemptOutcome.FOUND: "good",
    AttemptOutcome.REFUSED: "bad",
    AttemptOutcome.UNKNOWN: "warn",
    AttemptOutcome.LOST: "warn",
}


def log_of(task: Task, request: HttpRequest) -> dict[str, Any]:
    """Return the context of templates/admin/sync/task_*.html: four queries at most, however long the log."""
    row = newest_row(task)
    decisions = list(task.decisions.all())
    names = _names(decisions, viewer_of(request))
    attempts = list(task.attempts.order_by("-started_at", "-pk")[:MOST_ATTEMPTS])
    return {
        "task": task,
        "row": row,
        "sync": sync_state(task, row),
        "crm_url": crm_url(task, row),
        "remedy": remedy_for(row.failure_mode, row.error_code, row.error_message) if row and row.error_code else None,
        "next_try": row.next_try if row else None,
        "can_retry": row is not None and row.state in (OutboxState.PENDING, OutboxState.FAILED),
        "can_cancel": row is not None and can_cancel(row),
        "decisions": [(decision, _detail(decision, names)) for decision in decisions],
        "attempts": [
            {
                "attempt": attempt,
                "tone": OUTCOME_TONES[AttemptOutcome(attempt.outcome)],
                "mode": mode_label(attempt.failure_mode),
                "actor": actor_label(attempt.failure_mode),
                "milliseconds": _milliseconds(attempt),
            }
            for attempt in attempts
        ],
    }


def can_cancel(row: OutboxRow) -> bool:
    """Whether `outbox.cancel` would take it: what may stand in the CRM already can't be cancelled."""
    if row.state == OutboxState.FAILED:
        return True
    return row.state == OutboxState.PENDING and not row.in_doubt


def crm_url(task: Task, row: OutboxRow | None) -> str:
    """Return the Task's address in the CRM, or nothing."""
    if not (task.crm_id and row and row.connection.instance_url):
        return ""
    return f"{row.connection.instance_url.rstrip('/')}/{task.crm_id}"


def _milliseconds(attempt: Attempt) -> int | None:
    if attempt.finished_at is None:
        return None
    return round((attempt.finished_at - attempt.started_at).total_seconds() * 1000)


def _names(decisions: Iterable[Decision], viewer: User) -> dict[str, str]:
    """Return by UUID the names of those who acted, as far as the viewer may see them: one query, or none."""
    found = {decision.detail.get("by") for decision in decisions if decision.detail}
    uuids = {by for by in found if isinstance(by, str) and _is_uuid(by)}
    if not uuids:
        return {}
    seen = User.objects.visible_to(viewer).filter(uuid__in=uuids)
    return {str(user.uuid): str(user) for user in seen}


def _detail(decision: Decision, names: dict[str, str]) -> str:
    """Return the ground of a decision in one line."""
    detail = dict(decision.detail or {})
    words = []
    if by := detail.pop("by", None):
        words.append(_("by %(name)s") % {"name": names.get(str(by), _("someone outside your teams"))})
    words += [f"{name.replace('_', ' ')}: {_value(value)}" for name, value in detail.items()]
    return ", ".join(words)


def _value(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
