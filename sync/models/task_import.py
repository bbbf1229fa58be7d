"""Files of completed tasks: what was handed in by whom, how far it is, what is wrong with which line, and the keys."""

from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sync.enums import ImportState
from sync.models.task import Task
from teams.models import User

WORKING = (ImportState.CHECKING, ImportState.IMPORTING)
UNFINISHED = (*WORKING, ImportState.READY)


class TaskImportQuerySet(models.QuerySet["TaskImport"]):
    def visible_to(self, viewer: User) -> Self:
        """Files are for one person alone, whatever their role: each holds what its owner may see."""
        return self.filter(user=viewer)

    def working(self) -> Self:
        return self.filter(state__in=WORKING)

    def due(self, now: datetime) -> Self:
        """Those that nobody has in hand: a wake-up was lost, or a worker."""
        return self.working().filter(lease_until__lte=now)

    def held(self, token: UUID) -> Self:
        """The import that the holder of this lease may still go on with."""
        return self.working().filter(lease_token=token)


class TaskImport(models.Model):
    """One file: checked line by line, then, once its owner has said so, imported in slices (sync/import_slices.py)."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, verbose_name=_("imported by"), on_delete=models.PROTECT, related_name="task_imports")
    name = models.CharField(_("file"), max_length=200)
    # What the first line names, and which field each column is taken for ("" for none).
    headings = models.JSONField(default=list)
    mapping = models.JSONField(default=list)
    # Lines whose key, or whose contents without one, stand on an earlier line, too.
    repeats = models.JSONField(default=list)
    time_zone = models.CharField(_("time zone"), max_length=64)

    state = models.CharField(_("state"), max_length=10, choices=ImportState.choices, default=ImportState.CHECKING)
    error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    file_name = models.CharField(max_length=100, blank=True, editable=False)
    total = models.PositiveIntegerField(_("lines"))
    # How many lines of this state are done, and where in the stored file the next one begins.
    done = models.PositiveIntegerField(default=0)
    offset = models.PositiveBigIntegerField(default=0)
    # Of the check: lines that can be imported, that are there already, whose time has no offset.
    good = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    without_offset = models.PositiveIntegerField(default=0)
    imported = models.PositiveIntegerField(default=0)
    # How many workers were lost over it.
    lost = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    # When the stored lines are deleted at the latest, and when nothing of it is kept but the keys.
    expires_at = models.DateTimeField(_("deleted at"))

    objects = TaskImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of tasks")
        verbose_name_plural = _("imports of tasks")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["lease_until"], condition=Q(state__in=WORKING), name="import_working")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_working(self) -> bool:
        return self.state in WORKING

    @property
    def percentage(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 100

    def take(self, given: UUID, now: datetime, seconds: float) -> bool:
        """Take it for so long if it was handed on with the token `given`, or if nobody has it in hand any more.

        A worker that was lost over it is counted. A new token shuts out whoever had it.
        """
        if not self.is_working:
            return False
        lapsed = self.lease_until is not None and self.lease_until <= now
        if self.lease_token != given and not lapsed:
            return False
        changes: dict[str, Any] = {"lease_token": uuid4(), "lease_until": now + timedelta(seconds=seconds)}
        if self.lease_token != given:
            changes["lost"] = self.lost + 1
        same = TaskImport.objects.filter(pk=self.pk, lease_token=self.lease_token, state=self.state)
        taken = same.filter(lease_until=self.lease_until).update(**changes)
        for name, value in changes.items() if taken else ():
            setattr(self, name, value)
        return bool(taken)

    def settle(self, **changes: Any) -> bool:
        """Write `changes` if it is still ours to go on with; whether it was."""
        assert self.lease_token is not None
        ours = TaskImport.objects.filter(pk=self.pk, state=self.state).held(self.lease_token).update(**changes)
        for name, value in changes.items() if ours else ():
            setattr(self, name, value)
        return bool(ours)


class ImportProblem(models.Model):
    """What is wrong with one line of a file: messages by field. What the line says stands in the file alone."""

    task_import = models.ForeignKey(TaskImport, on_delete=models.CASCADE, related_name="problems")
    line = models.PositiveIntegerField(_("line"))
    errors = models.JSONField(default=list)

    class Meta:
        verbose_name = _("problem of an import")
        verbose_name_plural = _("problems of an import")
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["task_import", "line"], name="import_problem_once_per_line")]

    def __str__(self) -> str:
        return str(self.line)


class ImportedTask(models.Model):
    """A task that came from a file, and its key there: the same key in a later file makes no second task.

    The key of a line without one is made of what the line says (“line:” and a digest, import_lines.py).
    """

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="imported")
    task_import = models.ForeignKey(TaskImport, on_delete=models.SET_NULL, null=True, related_name="tasks")
    key = models.CharField(_("key"), max_length=255, null=True, unique=True)

    class Meta:
        verbose_name = _("imported task")
        verbose_name_plural = _("imported tasks")

    def __str__(self) -> str:
        return self.key or str(self.task_id)
