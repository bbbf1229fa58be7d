"""What to tell somebody who has just completed a task: which it was, and on which record it is logged, and why."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from sync.enums import DecisionCode, TaskKind
from sync.models import Decision, Record, Task

_UNMATCHED = (DecisionCode.NO_MATCH, DecisionCode.NO_HISTORY, DecisionCode.SEVERAL_MATCHES)


def told(task: Task) -> SafeString:
    """Return a message with links: the task, its record, and for an orphaned call the way to adopt it."""
    done = format_html(_("{task} is completed."), task=link(task))
    words = _words(task)
    return format_html("{} {}", done, words) if words else done


def link(task: Task) -> SafeString:
    """Return the task's subject, leading to its page."""
    return _link(_("“%(subject)s”") % {"subject": _short(task.subject)}, reverse("task", kwargs={"task": task.uuid}))


def _words(task: Task) -> SafeString | str:
    record = task.who or task.what
    codes = set(Decision.objects.filter(task=task).values_list("code", flat=True))
    if DecisionCode.PERSON_MATCHED in codes and record is not None:
        return format_html(_matched(task), record=_record(record))
    if record is not None:
        return format_html(_("It is logged on {record}."), record=_record(record))
    return _without_record(task, codes)


def _matched(task: Task) -> str:
    if task.kind == TaskKind.CALL:
        return _("The number belongs to {record}: the call is logged there.")
    return _("The address belongs to {record}: the e-mail is logged there.")


def _without_record(task: Task, codes: set[str]) -> SafeString | str:
    if task.kind == TaskKind.EMAIL:
        return _why_no_email_record(codes)
    if not task.is_orphan:
        return _("It is written without a record.")
    adopt = _link(_("adopt it"), reverse("orphaned_call", kwargs={"task": task.uuid}))
    return format_html(_why_orphaned(codes), adopt=adopt)


def _why_orphaned(codes: set[str]) -> str:
    if DecisionCode.SEVERAL_MATCHES in codes:
        return _(
            "Several records with a history have this number: the call is written without a record; you can {adopt}."
        )
    if codes.isdisjoint(_UNMATCHED):
        return _("Neither a record nor a number was given: the call is written without a record; you can {adopt}.")
    return _("No record with a history has this number: the call is written without a record; you can {adopt}.")


def _why_no_email_record(codes: set[str]) -> str:
    if DecisionCode.SEVERAL_MATCHES in codes:
        return _("Several records with a history have this address: the e-mail is written without a record.")
    if codes.isdisjoint(_UNMATCHED):
        return _("Neither a record nor an address was given: the e-mail is written without a record.")
    return _("No record with a history has this address: the e-mail is written without a record.")


def _record(record: Record) -> SafeString:
    return _link(str(record), reverse("record", kwargs={"record": record.uuid}))


def _link(text: str, address: str) -> SafeString:
    return format_html('<a class="pb-banner-link" href="{}">{}</a>', address, text)


def _short(subject: str) -> str:
    return subject if len(subject) <= 80 else f"{subject[:79]}…"
