"""Adopting an orphaned phone call: it gets a record here and in the CRM; and undoing that (M6)."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sync import linking, outbox
from sync.chosen_records import ChosenRecords
from sync.enums import DecisionCode, LinkChoice, RecordKind, TaskKind, TaskState
from sync.inputs import Errors
from sync.mapping import about
from sync.models import Adoption, Connection, Decision, Record, Task
from teams.models import User

_CHANGED = ["record", "related_record", "link_choice", "who", "what", "is_orphan"]


def adopt(task: Task, record: Record | str, by: User, related_record: Record | str | None = None) -> Adoption:
    """Give a completed orphaned call its record, and ask for its Task in the CRM to be related to it.

    A record may be a CRM id that is not mirrored yet. Raises ValidationError with messages by field (`task`,
    `record`, `related_record`); then nothing is changed. Of two people the second is told who came first.
    """
    now = timezone.now()
    with transaction.atomic():
        locked = _locked(task, by)
        _check_orphan(locked)
        connection = Connection.objects.of_organisation().without_tokens().first()
        link, the_record, related = _link(connection, record, related_record)
        adoption = Adoption.objects.create(
            task=locked,
            at=now,
            by=by,
            record=the_record,
            related_record=related,
            before_who=locked.who,
            before_what=locked.what,
            before_choice=locked.link_choice,
            was_orphan=locked.is_orphan,
        )
        locked.record, locked.related_record, locked.is_orphan = the_record, related, False
        _relate(connection, locked, link)
        _note(locked, now, DecisionCode.ADOPTED, by, the_record, related)
        Decision.objects.bulk_create(
            Decision(task=locked, at=now, code=code, detail=detail) for code, detail in link.decisions
        )
    return adoption


def undo(adoption: Adoption, by: User) -> None:
    """Give a call back what stood before its adoption, here and in the CRM; only the one that stands can be undone.

    Raises ValidationError with a message when somebody was faster.
    """
    now = timezone.now()
    with transaction.atomic():
        task = _locked(adoption.task, by)
        stands = Adoption.objects.standing().filter(pk=adoption.pk)
        if not stands.update(undone_at=now, undone_by=by):
            raise _refusal("task", _("This adoption was undone already, or another one followed."), "undone")
        was = linking.Link(
            who=adoption.before_who, what=adoption.before_what, choice=LinkChoice(adoption.before_choice)
        )
        # Only what no record had been chosen for is an orphan.
        task.record = task.related_record = None
        task.is_orphan = adoption.was_orphan
        _relate(Connection.objects.of_organisation().without_tokens().first(), task, was)
        _note(task, now, DecisionCode.ADOPTION_UNDONE, by, adoption.record, adoption.related_record)


def _locked(task: Task, by: User) -> Task:
    """The task as it stands now, locked until the transaction ends, if `by` may see it."""
    of_those = Task.objects.visible_to(by).filter(pk=task.pk)
    # Not its key: workers that note an attempt at it hold its row meanwhile, for which this transaction may wait.
    found = of_those.select_for_update(of=("self",), no_key=True).select_related("who", "what").first()
    if found is None:
        raise _refusal("task", _("You may adopt calls of your own and, as a manager, of your own teams."), "unknown")
    return found


def _check_orphan(task: Task) -> None:
    if task.kind != TaskKind.CALL or task.state != TaskState.COMPLETED:
        raise _refusal("task", _("Only a completed phone call can be adopted."), "no_call")
    if task.is_orphan:
        return
    first = task.adoptions.standing().select_related("by", "record").first()
    if first is None:
        raise _refusal("task", _("This call has its record already, so there is nothing to adopt."), "no_orphan")
    message = _("%(name)s has adopted this call already: it belongs to %(record)s. Undo that first, if it is wrong.")
    raise _refusal("task", message % {"name": first.by, "record": first.record}, "adopted")


def _link(
    connection: Connection | None, record: Record | str, related_record: Record | str | None
) -> tuple[linking.Link, Record, Record | None]:
    """Judge the records as they stand now, and decide which of them is the person."""
    given = [one.crm_id if isinstance(one, Record) else one for one in (record, related_record or "")]
    chosen = ChosenRecords.gather(connection, [one for one in given if one], ())
    errors = Errors()
    the_record = chosen.resolve(given[0], "record", errors)
    related = chosen.resolve(given[1], "related_record", errors)
    if the_record is None and not errors.by_field:
        errors.add("record", _("Choose the record that the call belongs to."), "required")
    if errors.by_field or the_record is None:
        raise errors.as_error()
    chosen.save(one for one in (the_record, related) if one is not None)
    the_record, related = chosen.saved(the_record), chosen.saved(related)
    assert the_record is not None
    return linking.chosen(the_record, related, LinkChoice.EXPLICIT), the_record, related


def _relate(connection: Connection | None, task: Task, link: linking.Link) -> None:
    """Store the link, and ask for what it changes to be written to the CRM."""
    who_changes, what_changes = task.who != link.who, task.what != link.what
    involved = (task.who, task.what, link.who, link.what)
    # An account that is, or may turn out to be, a person goes from the one to the other.
    either = any(record is not None and _is_either(record) for record in involved)
    task.who, task.what, task.link_choice = link.who, link.what, link.choice
    task.save(update_fields=_CHANGED)
    outbox.enqueue_rewrite(connection, task, who=who_changes or either, what=what_changes or either)


def _is_either(record: Record) -> bool:
    return record.kind == RecordKind.ACCOUNT and (record.is_person or record.fetched_at is None)


def _note(task: Task, now: datetime, code: DecisionCode, by: User, record: Record, related: Record | None) -> None:
    detail = {"by": str(by.uuid), **about(record)}
    if related is not None:
        detail |= {f"related_{name}": value for name, value in about(related).items()}
    Decision.objects.create(task=task, at=now, code=code, detail=detail)


def _refusal(field: str, message: str, code: str) -> ValidationError:
    return ValidationError({field: ValidationError(message, code=code)})
