"""Why a task stands where it stands, in a sentence or two: for lists and for its page. Pure."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.correcting import can_correct
from sync.crm.remedies import actor_of
from sync.enums import Actor, ConnectionState, FailureMode, OutboxState, TaskState
from sync.models import OutboxRow, Task
from sync.sync_state import mode_label, was_deleted
from teams.models import User
from teams.scoped_admin import Text

MESSAGE_LENGTH = 200  # of the CRM's message in a list; a task's page has it whole

# Where the code tells more than its failure mode.
_CAUSES: dict[str, Text] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": gettext_lazy("Refused by a validation rule of the CRM"),
    "REQUIRED_FIELD_MISSING": gettext_lazy("The CRM requires a field that Playbooks doesn't fill"),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": gettext_lazy("Refused by an Apex trigger of the CRM"),
    "CANNOT_EXECUTE_FLOW_TRIGGER": gettext_lazy("Refused by a flow of the CRM"),
    "DUPLICATES_DETECTED": gettext_lazy("Refused by a duplicate rule of the CRM"),
}


def reason(task: Task, row: OutboxRow | None, viewer: User | None = None, *, with_times: bool = True) -> str:
    """Say in a sentence or two why `task` stands where it stands; `row` is its newest (sync_state.newest_row).

    A `viewer`, who may see the task, is told what they themselves can do. Without `with_times` no time is named: for
    programs, which have times in fields of their own and no time zone.
    """
    if row is None:
        return _without_row(task, with_times)
    match OutboxState(row.state):
        case OutboxState.DONE:
            gone = _("Its Task was deleted in the CRM, and is not made again.")
            return gone if was_deleted(row) else _in_crm(task, with_times)
        case OutboxState.SENDING:
            return _("It is being sent to the CRM.")
        case OutboxState.CANCELLED:
            return _("It was cancelled by hand and is not sent to the CRM.")
        case OutboxState.FAILED:
            return _given_up(task, row, viewer)
        case OutboxState.PENDING:
            return _waiting(task, row, viewer, with_times)


def at(time: datetime) -> str:
    """Return a time as a sentence goes on with it: “at 14:05”, or with its day when it isn't today."""
    local = timezone.localtime(time)
    if local.date() == timezone.localdate():
        return _("at %(time)s") % {"time": date_format(local, "TIME_FORMAT")}
    return _("on %(time)s") % {"time": date_format(local, "DATETIME_FORMAT")}


def _without_row(task: Task, with_times: bool) -> str:
    if task.state == TaskState.OPEN:
        return _("It is not completed: nothing is sent before that.")
    if task.state == TaskState.SKIPPED:
        return _("It was skipped: nothing is sent.")
    if task.crm_id:
        return _in_crm(task, with_times)
    return _("No CRM is connected yet. It goes out by itself once an admin has connected one.")


def _in_crm(task: Task, with_times: bool) -> str:
    if task.synced_at is None or not with_times:
        return _("It stands in the CRM.")
    return _("It was written to the CRM %(when)s.") % {"when": at(task.synced_at)}


def _given_up(task: Task, row: OutboxRow, viewer: User | None) -> str:
    words = {"what": what_failed(row)}
    if actor_of(row.failure_mode) == Actor.REP:
        if viewer is not None and can_correct(task, row):
            if viewer.pk == task.user_id:
                return _("%(what)s. It was given up after 30 days. You can mend it: correct it.") % words
            return _("%(what)s. It was given up after 30 days. The rep or you can mend it: correct it.") % words
        return _("%(what)s. It was given up after 30 days. The rep can mend it; then it can be retried.") % words
    return _("%(what)s. It was given up after 30 days. An admin can mend it; then it can be retried.") % words


def _waiting(task: Task, row: OutboxRow, viewer: User | None, with_times: bool) -> str:
    connection = row.connection
    if connection.state == ConnectionState.DISCONNECTED:
        return _("The Access User is disconnected. It goes out by itself once an admin has connected it again.")
    words = {"when": _next(row, with_times)}
    if row.in_doubt and not row.trouble_id:
        return _("The CRM's last answer got lost. Playbooks looks there before it sends again, %(when)s.") % words
    if row.failure_mode:
        return _tried_again(task, row, viewer, with_times)
    if connection.paused_until and connection.paused_until > timezone.now():
        return _("The CRM takes nothing at the moment. It goes out %(when)s.") % words
    return _("It goes out %(when)s.") % words


def _tried_again(task: Task, row: OutboxRow, viewer: User | None, with_times: bool) -> str:
    words = {"what": what_failed(row), "when": _next(row, with_times)}
    match Actor.ADMIN if row.trouble_id else actor_of(row.failure_mode):
        case Actor.ADMIN:
            return _("%(what)s. An admin can mend it; it is tried again %(when)s.") % words
        case Actor.REP if viewer is not None and can_correct(task, row):
            if viewer.pk == task.user_id:
                return _("%(what)s. You can mend it: correct it. Else it is tried again %(when)s.") % words
            return _("%(what)s. The rep or you can mend it: correct it. Else it is tried again %(when)s.") % words
        case Actor.REP:
            return _("%(what)s. The rep can mend it; it is tried again %(when)s.") % words
        case Actor.NOBODY:
            return _("%(what)s. Nobody has to do anything: it is tried again %(when)s.") % words


def what_failed(row: OutboxRow) -> str:
    """Return what the last error was, with the CRM's message when it says more than the failure mode."""
    nests = row.failure_mode in (FailureMode.TRANSIENT, FailureMode.TOO_BIG)
    known = None if nests else _CAUSES.get(row.error_code)
    cause = str(known or mode_label(row.failure_mode) or _("The CRM refused it"))
    message = " ".join(row.error_message.split()).rstrip(".")
    if not message or actor_of(row.failure_mode) == Actor.NOBODY:
        return cause
    return f"{cause}: {Truncator(message).chars(MESSAGE_LENGTH)}"


def next_time(row: OutboxRow) -> datetime:
    """When it goes out next: never before a pause of its connection is over."""
    return max(time for time in (row.next_try or timezone.now(), row.connection.paused_until) if time)


def _next(row: OutboxRow, with_times: bool) -> str:
    """When it goes out next, as a sentence goes on with it."""
    latest = next_time(row)
    if latest <= timezone.now():
        return _("in a moment")
    return at(latest) if with_times else _("later")
