"""Enrolling a record in a play: its steps become open tasks with the days on which they are due."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import linking
from sync.chosen_records import check_usable
from sync.enums import LinkChoice
from sync.inputs import Errors
from sync.models import Enrolment, Play, Record, Task
from teams.models import Organisation, User


def enrol(
    play: Play, record: Record, user: User, related_record: Record | None = None, actor: User | None = None
) -> Enrolment:
    """Enrol `record` for `user` and make one open task per step, due from today on in the user's time zone.

    `actor` is who does it, when it is somebody else. Raises ValidationError with messages by field.
    """
    with transaction.atomic():
        # Two people who enrol one record at once take turns; the second is told.
        Play.objects.select_for_update().get(pk=play.pk)
        steps = list(play.steps.order_by("position"))
        _check(play, record, user, related_record, actor, has_steps=bool(steps))
        enrolment = Enrolment.objects.create(play=play, record=record, related_record=related_record, user=user)
        today = timezone.localdate(timezone=user.zone(Organisation.load()))
        Task.objects.bulk_create(
            Task(
                user=user,
                kind=step.kind,
                enrolment=enrolment,
                step=step,
                due_on=today + timedelta(days=step.day_offset),
                subject=step.subject or step.name,
                description=step.description,
                record=record,
                related_record=related_record,
                link_choice=LinkChoice.PLAY,
            )
            for step in steps
        )
    return enrolment


def _check(
    play: Play, record: Record, user: User, related: Record | None, actor: User | None, *, has_steps: bool
) -> None:
    errors = Errors()
    if not play.is_active:
        errors.add("play", _("This play is not active. Let an admin activate it first."), "inactive")
    elif not has_steps:
        errors.add("play", _("This play has no steps. Add one first."), "no_steps")
    if not user.is_active:
        errors.add("user", _("This user is deactivated. Choose another."), "deactivated")
    elif actor is not None and not User.objects.visible_to(actor).filter(pk=user.pk).exists():
        message = _("You may enrol records for yourself and, as a manager, for your own teams.")
        errors.add("user", message, "not_visible")
    check_usable(record, "record", errors)
    if related is not None:
        check_usable(related, "related_record", errors)
    if Enrolment.objects.filter(play=play, record=record, ended_at=None).exists():
        message = _("This record is in this play already. End that enrolment first.")
        errors.add("record", message, "already_enrolled")
    try:
        linking.chosen(record, related, LinkChoice.PLAY)
    except ValidationError as error:
        errors.take(error)
    if errors.by_field:
        raise errors.as_error()
