"""The two ways of bringing tasks into the CRM that are compared: this project's, and the naive one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from benchmarks import naive
from benchmarks.installation import NAIVE_SETTINGS, Installation
from benchmarks.judging import Ours
from benchmarks.work import finish
from sandbox.control import SandboxControl
from sync.completion import Completion
from sync.enums import OutboxState
from sync.models import OutboxRow, Task

FRESH = timedelta(seconds=0.7)


class Strategy(Protocol):
    """How tasks get into the CRM, and how one sees how far they are."""

    settings: str
    is_ours: bool
    key_field: str

    def prepare(self, installation: Installation) -> None:
        """Connect it."""
        ...

    def complete(self, completions: Sequence[Completion], *, together: bool) -> list[Task]:
        """Complete tasks and ask for them to be written."""
        ...

    def is_busy(self) -> bool:
        """Whether something is being sent just now."""
        ...

    def waiting(self, but: Sequence[Task]) -> int:
        """Return how many are not in the CRM yet, as far as is known here; `but` is left out."""
        ...

    def outcome(self, sandbox: SandboxControl) -> list[Ours]:
        """Return what this side believes to have written."""
        ...


class OurWay:
    """Task and outbox row in one transaction; workers drain the outbox."""

    settings = "playbooks.settings"
    is_ours = True
    key_field = "Playbooks_Key__c"

    def prepare(self, installation: Installation) -> None:
        installation.manage("crm_connect")

    def complete(self, completions: Sequence[Completion], *, together: bool) -> list[Task]:
        return finish(completions, together=together)

    def is_busy(self) -> bool:
        # A lease is taken and renewed before each call; older ones may be those of a worker that was killed.
        renewed = timezone.now() + timedelta(seconds=settings.SYNC_LEASE) - FRESH
        return OutboxRow.objects.filter(state=OutboxState.SENDING, not_before__gt=renewed).exists()

    def waiting(self, but: Sequence[Task]) -> int:
        return OutboxRow.objects.unsettled().exclude(task__in=[task.pk for task in but]).count()

    def outcome(self, sandbox: SandboxControl) -> list[Ours]:
        done = set(OutboxRow.objects.filter(state=OutboxState.DONE).values_list("task_id", flat=True))
        tasks = Task.objects.values_list("pk", "key", "crm_id")
        return [Ours(key, crm_id, pk in done) for pk, key, crm_id in tasks]


class NaiveWay:
    """Task and one queued job in one transaction; nothing is connected, so the outbox stays empty."""

    settings = NAIVE_SETTINGS
    is_ours = False
    key_field = naive.KEY_FIELD

    def prepare(self, installation: Installation) -> None:
        """Nothing: each worker logs in by itself."""

    def complete(self, completions: Sequence[Completion], *, together: bool) -> list[Task]:
        with transaction.atomic():
            tasks = finish(completions, together=together)
            for task in tasks:
                naive.enqueue(task.key, task.subject)
        return tasks

    def is_busy(self) -> bool:
        locked: bool = OrmQ.objects.filter(lock__gt=timezone.now()).exists()
        return locked

    def waiting(self, but: Sequence[Task]) -> int:
        jobs: int = OrmQ.objects.count()
        return jobs

    def outcome(self, sandbox: SandboxControl) -> list[Ours]:
        """The naive job keeps nothing: take the CRM's word for the id."""
        ids = {row.get(self.key_field): row["Id"] for row in sandbox.rows("Task")}
        return [Ours(key, ids.get(key, ""), key in ids) for key in Task.objects.values_list("key", flat=True)]


WAYS: dict[str, type[OurWay] | type[NaiveWay]] = {"ours": OurWay, "naive": NaiveWay}
