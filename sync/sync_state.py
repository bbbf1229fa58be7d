"""Where a task stands on its way to the CRM, in words."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch
from django.utils.translation import gettext_lazy as _

from sync.enums import Actor, ConnectionState, DecisionCode, FailureMode, OutboxState, TaskState
from sync.models import Decision, OutboxRow, Task
from teams.scoped_admin import Text

# Rows with what their state depends on. Pages have no business with tokens, and each row would bring the org's fields.
_GONE = Decision.objects.filter(task=OuterRef("task"), code=DecisionCode.DELETED_IN_CRM).order_by()
ROWS = (
    OutboxRow.objects.select_related("connection", "trouble")
    .defer("connection__access_token", "connection__refresh_token", "connection__schema", "connection__access")
    .annotate(is_gone=Exists(_GONE))
)
# Read by `newest_row`: a list of tasks with this prefetch asks the database once for all of them.
NEWEST_FIRST = Prefetch("outbox_rows", queryset=ROWS.order_by("-pk"), to_attr="rows_newest_first")


@dataclass(frozen=True, slots=True)
class SyncState:
    """A word or two, their tone (see `badge`), what it means, and who acts next."""

    label: Text
    tone: str
    meaning: Text
    actor: Text = ""


def newest_row(task: Task) -> OutboxRow | None:
    """Return what was asked for last; older rows are history."""
    rows: list[OutboxRow] = getattr(task, "rows_newest_first", None) or []
    return rows[0] if rows else None


def was_deleted(row: OutboxRow) -> bool:
    """Whether its Task was found deleted in the CRM; `row` comes from ROWS."""
    return row.state == OutboxState.DONE and getattr(row, "is_gone", False)


def sync_state(task: Task, row: OutboxRow | None) -> SyncState:
    """Say where `task` stands; `row` is its newest, None when it was never asked for."""
    if row is not None:
        return row_state(row)
    if task.state == TaskState.OPEN:
        return SyncState(_("Not completed"), "neutral", _("Nothing is sent before it is completed."))
    if task.state == TaskState.SKIPPED:
        return SyncState(_("Skipped"), "neutral", _("Nothing is sent."))
    if task.crm_id:
        return SyncState(_("Synced"), "good", _("It stands in the CRM."))
    return SyncState(_("Waiting"), "warn", _("No CRM is connected yet. It goes out by itself then."), Actor.ADMIN.label)


def row_state(row: OutboxRow) -> SyncState:
    """Say where one outbox row stands."""
    match OutboxState(row.state):
        case OutboxState.DONE if was_deleted(row):
            return SyncState(
                _("Deleted in the CRM"), "neutral", _("Its Task was deleted in the CRM, and is not made again.")
            )
        case OutboxState.DONE:
            return SyncState(_("Synced"), "good", _("It stands in the CRM."))
        case OutboxState.SENDING:
            return SyncState(_("Sending"), "busy", _("A worker is sending it."), Actor.NOBODY.label)
        case OutboxState.CANCELLED:
            return SyncState(_("Cancelled"), "neutral", _("It was cancelled by hand and is not sent."))
        case OutboxState.FAILED:
            return SyncState(_("Failed"), "bad", mode_label(row.failure_mode), actor_label(row.failure_mode))
        case OutboxState.PENDING:
            return _pending(row)


def _pending(row: OutboxRow) -> SyncState:
    if row.connection.state == ConnectionState.DISCONNECTED:
        return SyncState(
            _("Waiting"),
            "warn",
            _("The Access User is disconnected. It goes out by itself once the connection is back."),
            Actor.ADMIN.label,
        )
    if row.trouble_id:
        return SyncState(
            _("Waits for an admin"),
            "bad",
            _("One task of this trouble is tried every hour; when it passes, all that wait go out."),
            Actor.ADMIN.label,
        )
    if row.in_doubt:
        return SyncState(
            _("In doubt"),
            "warn",
            _("The last answer got lost. Playbooks looks in the CRM before it sends again."),
            Actor.NOBODY.label,
        )
    if row.failure_mode:
        return SyncState(_("Will be retried"), "warn", mode_label(row.failure_mode), actor_label(row.failure_mode))
    return SyncState(_("Waiting"), "busy", _("It goes out in a moment."), Actor.NOBODY.label)


def mode_label(mode: str) -> Text:
    return FailureMode(mode).label if mode else ""


def actor_label(mode: str) -> Text:
    """Return who acts next on a failure of this mode."""
    return FailureMode(mode).actor.label if mode else ""
