"""Files of Task Sync Results: asking for one, cancelling it, and taking it back when its time is over or its asker's
teams have changed. How one is written: sync/export_slices.py.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from sync import export_files
from sync.enums import ExportState
from sync.models import TaskSyncExport
from teams.models import Team, User

JOB = "sync.jobs.prepare_results"
DAYS = 30
KEEP_FOR = timedelta(days=7)
# Of one person, so that nobody keeps the workers busy for the others.
MOST_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was chosen; nothing: all that the asker may see."""

    user: User | None = None
    team: Team | None = None
    state: str = ""

    def as_filters(self) -> dict[str, object]:
        chosen = {"user": self.user and self.user.pk, "team": self.team and self.team.pk, "state": self.state}
        return {name: value for name, value in chosen.items() if value}


class TooManyError(Exception):
    """The asker has so many files in preparation already."""


def ask(viewer: User, wanted: Wanted) -> TaskSyncExport:
    """Ask for a file; the same, asked for twice, is prepared once. Raises TooManyError."""
    now = timezone.now()
    with transaction.atomic():
        # Two clicks at the same moment queue up here.
        User.objects.select_for_update().get(pk=viewer.pk)
        unfinished = list(TaskSyncExport.objects.visible_to(viewer).unfinished())
        for export in unfinished:
            if export.filters == wanted.as_filters():
                return export
        if len(unfinished) >= MOST_AT_ONCE:
            raise TooManyError
        export = TaskSyncExport.objects.create(
            requested_by=viewer,
            filters=wanted.as_filters(),
            users=_scope(viewer, wanted),
            since=now - timedelta(days=DAYS),
            until=now,
            expires_at=now + KEEP_FOR,
            lease_token=uuid.uuid4(),
            lease_until=now + timedelta(seconds=settings.SYNC_LEASE),
        )
        transaction.on_commit(partial(ring, export), robust=True)
    return export


def ask_again(export: TaskSyncExport) -> None:
    """Ask anew for what came to nothing: the same choice, the last 30 days from now on.

    Raises LookupError when the asker no longer sees the user or the team, and TooManyError.
    """
    viewer = export.requested_by
    wanted = Wanted(
        User.objects.visible_to(viewer).filter(pk=export.filters.get("user")).first(),
        Team.objects.visible_to(viewer).filter(pk=export.filters.get("team")).first(),
        str(export.filters.get("state", "")),
    )
    if wanted.as_filters() != export.filters:
        raise LookupError
    ask(viewer, wanted)
    delete(export)


def delete(export: TaskSyncExport) -> None:
    """Forget a file, whatever its state."""
    TaskSyncExport.objects.filter(pk=export.pk).delete()
    export_files.remove(export.file_name)


def cancel(export: TaskSyncExport) -> bool:
    """End the preparing of a file; whether there was anything to end. Its worker notices within a slice."""
    ended = export.is_unfinished and export.end(ExportState.CANCELLED)
    if ended:
        export_files.remove(export.file_name)
    return ended


def withdraw_if_outgrown(export: TaskSyncExport) -> bool:
    """Take a file back that holds what its asker may no longer see; whether that was so."""
    if _may_see(export):
        return False
    if export.end(ExportState.WITHDRAWN):
        export_files.remove(export.file_name)
    return True


def ring_lapsed() -> None:
    """Have unfinished files gone on with that nobody has in hand: a wake-up was lost, or a worker."""
    for export in TaskSyncExport.objects.due(timezone.now()):
        # A token that fits nothing: only whose lease has lapsed is taken.
        async_task(JOB, export.pk, uuid.uuid4(), save=False)


def tidy() -> None:
    """Delete files whose time is over."""
    for export in TaskSyncExport.objects.outdated(timezone.now()):
        delete(export)
    export_files.remove_strays(set(TaskSyncExport.objects.values_list("file_name", flat=True)))


def ring(export: TaskSyncExport) -> None:
    """Wake a worker for the next slice; the token lets it take the file though the lease has not lapsed."""
    async_task(JOB, export.pk, export.lease_token, save=False)


def _scope(viewer: User, wanted: Wanted) -> list[int] | None:
    """Return the pks of the users whose tasks are meant, None for everyone's."""
    if viewer.sees_everyone and wanted.user is None and wanted.team is None:
        return None
    users = User.objects.visible_to(viewer).order_by("pk")
    if wanted.user is not None:
        users = users.filter(pk=wanted.user.pk)
    if wanted.team is not None:
        users = users.filter(team=wanted.team)
    return list(users.values_list("pk", flat=True))


def _may_see(export: TaskSyncExport) -> bool:
    """Whether the asker may still see everyone whose tasks stand in the file."""
    viewer = export.requested_by
    if not viewer.has_perm("sync.view_attempt"):
        return False
    if export.users is None or viewer.sees_everyone:
        return viewer.sees_everyone
    return set(export.users) <= set(User.objects.visible_to(viewer).order_by().values_list("pk", flat=True))
