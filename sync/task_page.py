"""What a task's page shows beside its fields, for reps and in the Manager App alike: its state and its story."""

import hashlib
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import decision_words
from sync.correcting import can_correct
from sync.crm.remedies import actor_of, remedy_for, speaker
from sync.enums import Actor, ConnectionState, OutboxState, TaskSource
from sync.models import Attempt, Decision, OutboxRow, ReceivedTask, Record, Task
from sync.models.outbox import UNSETTLED
from sync.reasons import next_time, reason
from sync.story import Loaded, crm_url, gives_up_at, tell
from sync.sync_state import ROWS, sync_state, was_deleted
from teams.models import User
from teams.scoped_admin import Text

# More attempts than 30 days of retries make; a page stays a page.
MOST_ATTEMPTS = 200
SOON = timedelta(minutes=1)
# Seconds between two looks at a task that is about to be settled, and at one that waits longer.
QUICK, SLOW = 2, 30


_CANNOT: dict[str, Text] = {
    OutboxState.DONE: _("It stands in the CRM, so that there is nothing to retry or to cancel."),
    OutboxState.SENDING: _("It is being sent, and can't be retried or cancelled meanwhile."),
    OutboxState.CANCELLED: _(
        "What was cancelled can't be sent any more. Log an ad hoc task if it has to stand in the CRM."
    ),
}


def load(task: Task, viewer: User) -> Loaded:
    """Read what is kept about a task's way: six queries at most, however long the log."""
    decisions = list(Decision.objects.filter(task=task).order_by("at", "pk"))
    attempts = list(Attempt.objects.filter(task=task).order_by("-started_at", "-pk")[: MOST_ATTEMPTS + 1])
    sender, loaded = "", getattr(task, "rows_newest_first", None)
    rows = list(ROWS.filter(task=task).order_by("pk")) if loaded is None else loaded[::-1]
    if task.source == TaskSource.API:
        received = ReceivedTask.objects.filter(task=task).select_related("sender").first()
        sender = received.sender.name if received else ""
    return Loaded(
        task=task,
        rows=rows,
        decisions=decisions,
        attempts=attempts[MOST_ATTEMPTS - 1 :: -1],
        attempts_left_out=len(attempts) > MOST_ATTEMPTS,
        people=_names(decision_words.uuids_in(decisions), task, viewer),
        sender=sender,
        named=_named(decisions, task, rows),
    )


def page_of_task(task: Task, viewer: User) -> dict[str, Any]:
    """Return the context of templates/task/standing.html and story.html."""
    loaded = load(task, viewer)
    row = loaded.row
    entries = tell(loaded)
    state = sync_state(task, row)
    why = reason(task, row, viewer)
    corrects = can_correct(task, row)
    rhythm = _rhythm(row)
    return {
        "task": task,
        "row": row,
        "sync": state,
        "reason": why,
        "crm_url": "" if row and was_deleted(row) else crm_url(task, row),
        "remedy": remedy_for(row.failure_mode, row.error_code, row.error_message) if row and row.error_code else None,
        "speaker": speaker(row.error_code) if row else "",
        "next_try": next_time(row) if row and row.next_try else None,
        "gives_up_at": gives_up_at(row, timezone.now()) if row and row.failure_mode else None,
        "can_retry": row is not None and can_retry(row),
        "can_cancel": row is not None and can_cancel(row),
        "can_correct": corrects,
        "correcting_helps": corrects and row is not None and actor_of(row.failure_mode) == Actor.REP,
        "cannot": why_not(row),
        "is_adopted": loaded.is_adopted,
        "entries": entries,
        "left_out": loaded.attempts_left_out,
        "rhythm": rhythm,
        "seen": _digest(state, why, rhythm, [(entry.at, entry.title, entry.lines) for entry in entries]),
    }


def can_retry(row: OutboxRow) -> bool:
    """Whether `outbox.retry_now` would take it, and it would be of use."""
    if row.state == OutboxState.PENDING:
        return row.connection.state == ConnectionState.CONNECTED
    return row.state == OutboxState.FAILED


def can_cancel(row: OutboxRow) -> bool:
    """Whether `outbox.cancel` would take it: what may stand in the CRM already can't be cancelled."""
    if row.state == OutboxState.FAILED:
        return True
    return row.state == OutboxState.PENDING and not row.in_doubt


def why_not(row: OutboxRow | None) -> Text:
    """Say why it can't be retried or cancelled; empty when both are possible, or nothing was asked for yet."""
    if row is None:
        return ""
    if was_deleted(row):
        return _("There is nothing to retry or to cancel. Log an ad hoc task if it has to stand in the CRM again.")
    if row.state != OutboxState.PENDING:
        return _CANNOT.get(row.state, "")
    if row.in_doubt:
        return _("It can't be cancelled: it may stand in the CRM already, and Playbooks looks there first.")
    if row.connection.state != ConnectionState.CONNECTED:
        return _("It can't be retried while the Access User is disconnected. It goes out by itself afterwards.")
    return ""


def _rhythm(row: OutboxRow | None) -> int:
    """After how many seconds the page looks again by itself; 0: never, nothing will change."""
    if row is None or row.state not in UNSETTLED:
        return 0
    soon = timezone.now() + SOON
    waits = row.connection.state != ConnectionState.CONNECTED or (row.next_try and next_time(row) > soon)
    return SLOW if waits else QUICK


def _digest(*shown: object) -> str:
    """Tell two views of a page apart."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _named(decisions: Collection[Decision], task: Task, rows: Collection[OutboxRow]) -> list[Record]:
    """Return the records that decisions name, besides the task's own: everybody who signs in may see them."""
    own = {record.crm_id for record in (task.record, task.related_record, task.who, task.what) if record}
    missing = decision_words.crm_ids_in(decisions) - own
    if not missing:
        return []
    return list(Record.objects.filter(connection__in={row.connection_id for row in rows}, crm_id__in=missing))


def _names(uuids: Collection[str], task: Task, viewer: User) -> dict[str, str]:
    """Return by UUID the names of those who acted, as far as the viewer may know them: one query, or none.

    Whose task it is knows everybody who has acted on it.
    """
    if not uuids:
        return {}
    known = User.objects.all() if task.user_id == viewer.pk else User.objects.visible_to(viewer)
    return {str(user.uuid): str(user) for user in known.filter(uuid__in=uuids).order_by()}
