"""Putting a task off to another day."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.enums import DecisionCode
from sync.inputs import Text
from sync.models import Decision, Task
from sync.open_tasks import locked, still_open
from teams.models import Organisation, User

FARTHEST = timedelta(days=365)


def snooze(task: Task, until: date, by: User) -> Task:
    """Let an open task be due on `until`. Raises ValidationError for a day that won't do, or a task that isn't open.

    Task.DoesNotExist when `by` may not see it. Days are those of the task's user.
    """
    with transaction.atomic():
        task = still_open(locked(task, by))
        _check(until, today_of(task.user), task.due_on)
        before, task.due_on = task.due_on, until
        task.save(update_fields=["due_on"])
        Decision.objects.create(
            task=task,
            at=timezone.now(),
            code=DecisionCode.SNOOZED,
            detail={
                "from": before.isoformat() if before else None,
                "to": until.isoformat(),
                "by": str(by.uuid),
            },
        )
    return task


def today_of(user: User) -> date:
    """Return what day it is for `user`."""
    return timezone.localdate(timezone=user.zone(Organisation.load()))


def _check(until: date, today: date, due_on: date | None) -> None:
    if until < today:
        raise _refusal(_("This day has passed. Choose today or a later day."), "past")
    if until > today + FARTHEST:
        raise _refusal(_("This is more than a year ahead. Choose an earlier day."), "too_far")
    if until == due_on:
        raise _refusal(_("The task is due on this day already. Choose another."), "same")


def _refusal(message: Text, code: str) -> ValidationError:
    return ValidationError({"until": ValidationError(message, code=code)})
