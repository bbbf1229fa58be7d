"""One task, held while it is changed: nobody else changes it meanwhile, and it is looked at as it stands now."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sync.enums import TaskState
from sync.inputs import Text
from sync.models import Task
from teams.models import User


def locked(task: Task, by: User) -> Task:
    """Return the task's row until the transaction ends. Task.DoesNotExist: `by` may not see it."""
    rows = Task.objects.visible_to(by).select_for_update(of=("self",)).select_related("user")
    return rows.get(pk=task.pk)


def still_open(task: Task) -> Task:
    """Return it, or raise ValidationError: it was completed or skipped, here or elsewhere."""
    if task.state == TaskState.COMPLETED:
        raise refusal(_("This task is completed already. Nothing was changed."), "completed")
    if task.state == TaskState.SKIPPED:
        raise refusal(_("This task is skipped already. Nothing was changed."), "skipped")
    return task


def refusal(message: Text, code: str) -> ValidationError:
    return ValidationError({"task": ValidationError(message, code=code)})
