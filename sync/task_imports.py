"""Imports of tasks: handing a file in, choosing its columns, starting and cancelling it, and forgetting it in time.

How one is worked off: sync/import_slices.py. No import-export resource: that saves row by row, and keeps the file
between preview and import where only one machine finds it.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from sync import import_files
from sync.enums import ImportState
from sync.import_columns import check_mapping, mapping_of, mark
from sync.models import TaskImport
from sync.models.task_import import UNFINISHED, WORKING
from teams.models import Organisation, User

JOB = "sync.jobs.import_tasks"
# Of one person, so that nobody keeps the workers busy for the others.
MOST_AT_ONCE = 3
# What was only checked, and the lines that were refused.
KEEP_CHECKED = timedelta(days=1)
KEEP_REFUSED = timedelta(days=7)
# That there was an import, with its numbers.
KEEP_NUMBERS = timedelta(days=90)


class TooManyError(Exception):
    """So many of this person's files are not finished yet."""


def ask(viewer: User, upload: IO[bytes], name: str) -> TaskImport:
    """Keep a file, to be checked. Raises ValidationError for what is no CSV file, and TooManyError."""
    if TaskImport.objects.visible_to(viewer).filter(state__in=UNFINISHED).count() >= MOST_AT_ONCE:
        raise TooManyError
    stored = import_files.store(upload)
    found = TaskImport(
        user=viewer,
        name=name[:200],
        headings=stored.headings,
        total=stored.total,
        file_name=stored.name,
        time_zone=str(viewer.zone(Organisation.load())),
        expires_at=timezone.now() + KEEP_CHECKED,
    )
    for field, value in _to_check(stored.name, mapping_of(stored.headings)).items():
        setattr(found, field, value)
    found.save()
    return found


def remap(found: TaskImport, mapping: Sequence[str]) -> bool:
    """Take the columns for other fields, and check the file anew; whether it could still be done."""
    if not found.file_name:
        return False
    with transaction.atomic():
        same = TaskImport.objects.filter(pk=found.pk, state__in=(ImportState.CHECKING, ImportState.READY))
        if not same.update(**_to_check(found.file_name, mapping)):
            return False
        found.problems.all().delete()
    found.refresh_from_db()
    return True


def start(found: TaskImport) -> bool:
    """Import what was checked; whether it was this call that began it."""
    now = timezone.now()
    with transaction.atomic():
        checked = TaskImport.objects.filter(pk=found.pk, state=ImportState.READY, good__gt=0)
        begun = checked.update(
            state=ImportState.IMPORTING, started_at=now, done=0, offset=0, known=0, bad=0, **_lease()
        )
        if begun:
            found.problems.all().delete()
    found.refresh_from_db()
    return bool(begun)


def cancel(found: TaskImport) -> bool:
    """Give it up; what is imported already stays. Whether there was anything to give up."""
    ended = TaskImport.objects.filter(pk=found.pk, state__in=UNFINISHED).update(
        state=ImportState.CANCELLED, finished_at=timezone.now(), lease_token=None, lease_until=None, file_name=""
    )
    if ended:
        import_files.remove(found.file_name)
    found.refresh_from_db()
    return bool(ended)


def ring(found: TaskImport) -> None:
    """Wake a worker for the next slice; the token lets it take the import though the lease has not lapsed."""
    async_task(JOB, found.pk, found.lease_token, save=False)


def ring_lapsed() -> None:
    """Have imports gone on with that nobody has in hand: a wake-up was lost, or a worker."""
    for found in TaskImport.objects.due(timezone.now()).only("pk"):
        # A token that fits nothing: only whose lease has lapsed is taken.
        async_task(JOB, found.pk, uuid.uuid4(), save=False)


def tidy() -> None:
    """Delete lines that are kept no longer, and after a while the numbers, too. The keys stay."""
    now = timezone.now()
    for found in TaskImport.objects.filter(expires_at__lte=now).exclude(state__in=WORKING):
        if found.state == ImportState.READY:
            cancel(found)
        elif found.file_name:
            import_files.remove(found.file_name)
            TaskImport.objects.filter(pk=found.pk).update(file_name="")
            found.problems.all().delete()
    TaskImport.objects.filter(finished_at__lte=now - KEEP_NUMBERS).delete()
    import_files.remove_strays(set(TaskImport.objects.values_list("file_name", flat=True)))


def _to_check(file_name: str, mapping: Sequence[str]) -> dict[str, Any]:
    """What is written for a file that is to be checked; without a column for users there is nothing to check yet."""
    values: dict[str, Any] = {
        "mapping": list(mapping),
        "repeats": [],
        "error": "",
        **dict.fromkeys(("done", "offset", "good", "known", "bad", "without_offset"), 0),
    }
    try:
        check_mapping(mapping)
    except ValidationError as error:
        return values | {"state": ImportState.READY, "error": error.messages[0][:300], "lease_token": None}
    values["repeats"] = import_files.repeats(file_name, partial(mark, mapping))
    return values | {"state": ImportState.CHECKING, **_lease()}


def _lease() -> dict[str, Any]:
    return {"lease_token": uuid.uuid4(), "lease_until": timezone.now() + timedelta(seconds=settings.SYNC_LEASE)}
