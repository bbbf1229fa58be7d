"""Enrolling a record in a play: its steps become open tasks with the days on which they are due. And its end."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import linking, play_texts
from sync.chosen_records import check_usable
from sync.enums import DecisionCode, LinkChoice, RecordKind, TaskState
from sync.inputs import Errors
from sync.models import Decision, Enrolment, Play, PlayStep, Record, Task
from teams import audit
from teams.models import Organisation, User

Pair = tuple[Record, User]


def enrol(
    play: Play, record: Record, user: User, related_record: Record | None = None, actor: User | None = None
) -> Enrolment:
    """Enrol `record` for `user` and make one open task per step, due from today on in the user's time zone.

    `actor` is who does it, when it is somebody else. Raises ValidationError with messages by field.
    """
    with transaction.atomic():
        play, steps = take_turn(play)
        errors = Errors()
        check_play(play, steps, errors)
        check_user(user, actor, errors)
        check_record(record, related_record, enrolled_now(play, [record]), errors)
        if related_record is not None:
            check_usable(related_record, "related_record", errors)
        if errors.by_field:
            raise errors.as_error()
        (enrolment,) = make(play, steps, [(record, user)], related_record, actor)
    return enrolment


def take_turn(play: Play) -> tuple[Play, list[PlayStep]]:
    """Return the play as it stands now, and its steps in order.

    Until the transaction ends nobody else enrols in it: the second of two who enrol one record at once is told.
    """
    play = Play.objects.select_for_update().get(pk=play.pk)
    return play, list(play.steps.order_by("position"))


def check_play(play: Play, steps: Sequence[PlayStep], errors: Errors) -> None:
    if not play.is_active:
        message = _("This play is not active. Let a manager activate it first, or choose another.")
        errors.add("play", message, "inactive")
    elif not steps:
        errors.add("play", _("This play has no steps. Add one first."), "no_steps")


def check_user(user: User, actor: User | None, errors: Errors) -> None:
    if not user.is_active:
        errors.add("user", _("This user is deactivated. Choose another."), "deactivated")
    elif actor is not None and not User.objects.visible_to(actor).filter(pk=user.pk).exists():
        message = _("You may enrol records for yourself and, as a manager, for your own teams.")
        errors.add("user", message, "not_visible")


def check_record(record: Record, related: Record | None, enrolled: set[int], errors: Errors) -> None:
    """Judge one record; `enrolled` are those that are in the play already."""
    check_usable(record, "record", errors)
    if record.missing_since:
        message = _("The CRM has no such record, or the Access User may not see it. Choose another.")
        errors.add("record", message, "not_in_crm")
    if record.pk in enrolled:
        message = _("This record is in this play already. End that enrolment first.")
        errors.add("record", message, "already_enrolled")
    try:
        linking.chosen(record, related, LinkChoice.PLAY)
    except ValidationError as error:
        errors.take(error)


def enrolled_now(play: Play, records: Iterable[Record]) -> set[int]:
    """Return the records (by primary key) that are in the play at this time."""
    running = Enrolment.objects.running().filter(play=play, record__in=[record.pk for record in records])
    return set(running.values_list("record_id", flat=True))


def make(
    play: Play, steps: Sequence[PlayStep], pairs: Sequence[Pair], related: Record | None, actor: User | None
) -> list[Enrolment]:
    """Store enrolments that nothing speaks against, and their tasks: the same few queries for one and for many."""
    enrolments = [
        Enrolment(
            play=play,
            record=record,
            related_record=related,
            user=user,
            enrolled_by=None if actor == user else actor,
        )
        for record, user in pairs
    ]
    Enrolment.objects.bulk_create(enrolments)
    texts = filled_texts(play, steps, pairs)
    days = _days(user for _record, user in pairs)
    Task.objects.bulk_create(
        Task(
            user=enrolment.user,
            kind=step.kind,
            enrolment=enrolment,
            step=step,
            due_on=days[enrolment.user_id] + timedelta(days=step.day_offset),
            subject=subject,
            description=description,
            record=enrolment.record,
            related_record=related,
            link_choice=LinkChoice.PLAY,
        )
        for enrolment, filled in zip(enrolments, texts, strict=True)
        for step, (subject, description) in zip(steps, filled, strict=True)
    )
    by_others = [enrolment for enrolment in enrolments if enrolment.enrolled_by is not None]
    if by_others:
        # What people do for themselves stands in the enrolment alone.
        changes = ((each, {"user": ("", str(each.user))}) for each in by_others)
        audit.note_all(actor, changes, created=True)
    return enrolments


def filled_texts(play: Play, steps: Sequence[PlayStep], pairs: Sequence[Pair]) -> list[list[tuple[str, str]]]:
    """Return subject and description of each step's task, for each record and its rep."""
    needed = play_texts.used(text for step in steps for text in (step.subject, step.description))
    accounts = _account_names([record for record, _user in pairs]) if "account" in needed else {}
    filled = []
    for record, user in pairs:
        values = facts(play, record, user, accounts).values()
        filled.append(
            [
                (
                    play_texts.subject(step.subject, step.name, values),
                    play_texts.fill(step.description, values),
                )
                for step in steps
            ]
        )
    return filled


def facts(play: Play, record: Record, user: User, accounts: dict[str, str]) -> play_texts.Facts:
    """Return what a step's placeholders are filled with."""
    match record.kind:
        case RecordKind.ACCOUNT:
            account = record.name
        case RecordKind.LEAD:
            account = str(record.fields.get("Company") or "")
        case _:
            account = accounts.get(record.account_crm_id, "")
    first_name = str(record.fields.get("FirstName") or "") if record.is_person else ""
    return play_texts.Facts(name=str(record), first_name=first_name, account=account, rep=str(user), play=play.name)


def _account_names(records: Sequence[Record]) -> dict[str, str]:
    """Return the mirrored accounts of `records`: names by CRM id."""
    crm_ids = {record.account_crm_id for record in records} - {""}
    if not crm_ids:
        return {}
    connections = {record.connection_id for record in records}
    found = Record.objects.filter(connection__in=connections, crm_id__in=crm_ids)
    return dict(found.values_list("crm_id", "name"))


def _days(users: Iterable[User]) -> dict[int, date]:
    """Return what day it is for each user."""
    organisation = Organisation.load()
    return {user.pk: timezone.localdate(timezone=user.zone(organisation)) for user in set(users)}


def end_enrolment(enrolment: Enrolment, by: User, reason: str = "") -> bool:
    """End one enrolment; whether there was anything to end for `by`."""
    return end_enrolments(Enrolment.objects.filter(pk=enrolment.pk), by, reason) == 1


def end_enrolments(enrolments: QuerySet[Enrolment], by: User, reason: str = "") -> int:
    """End what runs of `enrolments` within the sight of `by`; return how many. What is open of them is skipped."""
    now = timezone.now()
    with transaction.atomic():
        theirs = Enrolment.objects.visible_to(by).running().filter(pk__in=enrolments.order_by().values("pk"))
        pks = list(theirs.order_by("pk").values_list("pk", flat=True))
        # Tasks first, then enrolments: completing locks them in the same order.
        tasks = Task.objects.select_for_update().filter(enrolment__in=pks, state=TaskState.OPEN).order_by("pk")
        opened = {task.pk: task for task in tasks}
        locked = Enrolment.objects.running().filter(pk__in=pks).select_for_update(of=("self",))
        ended = list(locked.select_related("play", "record").order_by("pk"))
        if not ended:
            return 0
        Task.objects.filter(pk__in=list(opened)).update(state=TaskState.SKIPPED)
        detail = {"by": str(by.uuid), "why": "enrolment_ended"}
        Decision.objects.bulk_create(
            Decision(task=task, at=now, code=DecisionCode.SKIPPED, detail=detail) for task in opened.values()
        )
        rows = Enrolment.objects.filter(pk__in=[each.pk for each in ended])
        rows.update(ended_at=now, ended_by=by, end_reason=reason.strip()[:200])
        of_others = (each for each in ended if each.user_id != by.pk)
        audit.note_all(by, ((each, {"ended": ("", reason.strip() or str(_("by hand")))}) for each in of_others))
    return len(ended)


def end_finished(tasks: Iterable[Task]) -> None:
    """End the enrolments whose last open task is among `tasks`, which were just completed or skipped.

    Called in the transaction that stored them: two queries, however many, and none for tasks that are ad hoc.
    """
    pks = {task.enrolment_id for task in tasks if task.enrolment_id is not None}
    if not pks:
        return
    # Whoever finishes the other of two last tasks at this moment waits here, and then sees this one as done.
    list(Enrolment.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk", flat=True))
    still_open = Task.objects.filter(enrolment=OuterRef("pk"), state=TaskState.OPEN)
    running = Enrolment.objects.running().filter(pk__in=pks)
    running.filter(~Exists(still_open)).update(ended_at=timezone.now())


def duplicate(play: Play, actor: User) -> Play:
    """Copy a play with its steps, under a name of its own. The copy is not active: it is there to be changed."""
    with transaction.atomic():
        play, steps = take_turn(play)
        copy = Play.objects.create(name=_name_of_copy(play), is_active=False)
        copies = PlayStep.objects.bulk_create(
            PlayStep(
                play=copy,
                position=position,
                kind=step.kind,
                name=step.name,
                day_offset=step.day_offset,
                subject=step.subject,
                description=step.description,
            )
            for position, step in enumerate(steps, start=1)
        )
        audit.note_all(actor, ((step, {"name": ("", step.name)}) for step in copies), created=True)
    return copy


def _name_of_copy(play: Play) -> str:
    numbers = itertools.chain([""], (f" {number}" for number in itertools.count(2)))
    for number in numbers:
        ending = str(_(" (copy%(number)s)")) % {"number": number}
        name = play.name[: 150 - len(ending)] + ending
        if not Play.objects.filter(name=name).exists():
            return name
    raise AssertionError("There is always another number.")
