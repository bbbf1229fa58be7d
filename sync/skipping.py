"""Leaving a play's step out, and taking that back."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import plays
from sync.enums import DecisionCode, TaskState
from sync.models import Decision, Enrolment, Task
from sync.open_tasks import locked, refusal, still_open
from teams.models import User


def skip(task: Task, by: User) -> Task:
    """Leave an open task out: nothing of it is sent. Raises ValidationError when it isn't open any more.

    Task.DoesNotExist when `by` may not see it.
    """
    with transaction.atomic():
        task = still_open(locked(task, by))
        task.state = TaskState.SKIPPED
        task.save(update_fields=["state"])
        _note(task, by, DecisionCode.SKIPPED)
        plays.end_finished([task])
    return task


def unskip(task: Task, by: User) -> Task:
    """Open a skipped task again. Raises ValidationError when it isn't skipped, or its play ended meanwhile."""
    with transaction.atomic():
        task = locked(task, by)
        if task.state == TaskState.COMPLETED:
            raise refusal(_("This task is completed. Nothing was changed."), "completed")
        if task.state == TaskState.OPEN:
            raise refusal(_("This task is open already. Nothing was changed."), "open")
        _go_on(task)
        task.state = TaskState.OPEN
        task.save(update_fields=["state"])
        _note(task, by, DecisionCode.SKIP_UNDONE)
    return task


def _go_on(task: Task) -> None:
    """Let the play go on for the record where it ended by itself with this task; not where somebody ended it."""
    if task.enrolment_id is None:
        return
    enrolment = Enrolment.objects.select_for_update().get(pk=task.enrolment_id)
    if enrolment.ended_at is None:
        return
    again = Enrolment.objects.filter(play=enrolment.play_id, record=enrolment.record_id, ended_at=None)
    if again.exists() or _was_ended_by_hand(enrolment, task):
        raise _ended()
    enrolment.ended_at = None
    try:
        with transaction.atomic():
            enrolment.save(update_fields=["ended_at"])
    except IntegrityError:
        # Somebody has just enrolled the record anew.
        raise _ended() from None


def _ended() -> ValidationError:
    return refusal(
        _("The play has ended for this record since. Start it anew on the record's page, or log an ad hoc task."),
        "ended",
    )


def _was_ended_by_hand(enrolment: Enrolment, task: Task) -> bool:
    if enrolment.ended_by_id is not None:
        return True
    last = Decision.objects.filter(task=task, code=DecisionCode.SKIPPED).order_by("pk").last()
    return last is None or "why" in last.detail


def _note(task: Task, by: User, code: DecisionCode) -> None:
    Decision.objects.create(task=task, at=timezone.now(), code=code, detail={"by": str(by.uuid)})
