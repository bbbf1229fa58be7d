"""Writing a file of Task Sync Results in the background, in slices of two seconds.

Between two slices the worker is free, so that what is completed meanwhile still goes out at once. A slice begins where
the last one ended. A worker may be killed at any time: its lease lapses, and the sweep has another begin anew, in a
file of its own, as a worker that was only slow may still be writing.
"""

import logging
import time
import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync import export_files, exports, tasklog
from sync.enums import ExportState
from sync.export_files import ExportFile
from sync.models import TaskSyncExport
from sync.models.task import TaskQuerySet
from sync.tasklog import Place, Reader
from teams import notices
from teams.models import NoticeKind, Organisation

logger = logging.getLogger(__name__)

# Whoever waits for the worker meanwhile waits no longer than this.
SLICE_SECONDS = 2.0
# So many workers lost over one file are no bad luck.
MOST_LOST = 3


def prepare(pk: int, token: uuid.UUID) -> None:
    """Do one slice and ask for the next; nothing if someone else has the file, or nobody wants it any more."""
    export = TaskSyncExport.objects.select_related("requested_by").filter(pk=pk).first()
    if export is None or not export.take(token, timezone.now(), settings.SYNC_LEASE):
        return
    if exports.withdraw_if_outgrown(export):
        _tell(
            export,
            _("Task Sync Results were withdrawn"),
            _("You no longer see everyone whose tasks stand in it. Prepare it anew."),
        )
    elif export.lost >= MOST_LOST:
        words = _("Its worker was lost %(count)d times. Ask an admin to look at the workers' log.")
        _fail(export, words % {"count": export.lost})
    else:
        try:
            _slice(export)
        except OSError as error:
            logger.exception("results not written", extra={"error_code": type(error).__name__})
            _fail(export, _("The file could not be written: is the server's disk full, or VAR_DIR not shared?"))


def _slice(export: TaskSyncExport) -> None:
    """Write for two seconds, from where the file ends. Raises OSError."""
    end = time.monotonic() + SLICE_SECONDS
    tasks = _tasks(export)
    if not export.bytes and not _begin_anew(export, tasks):
        return
    users = None if export.users is None else frozenset(export.users)
    after = Place(export.after_at, export.after_pk) if export.after_at and export.after_pk else None
    done = export.rows_done
    reader = Reader(tasks, ZoneInfo(Organisation.load().time_zone), users)
    with ExportFile(export.file_name, export.bytes) as file:
        for chunk in reader.chunks(after):
            file.write(chunk.rows)
            done += len(chunk.rows)
            after = chunk.after
            if time.monotonic() >= end:
                break
        size = file.save(finished=after is None)
    if after is None:
        _finish(export, done, size)
    else:
        _hand_on(export, after, done, size)


def _begin_anew(export: TaskSyncExport, tasks: TaskQuerySet) -> bool:
    """Leave what was written, if anything; False: it is not ours any more."""
    export_files.remove(export.file_name)
    return export.settle(
        file_name=export_files.new_name(),
        bytes=0,
        rows_done=0,
        rows_total=tasks.count(),
        after_at=None,
        after_pk=None,
        started_at=timezone.now(),
    )


def _hand_on(export: TaskSyncExport, after: Place, done: int, size: int) -> None:
    now = timezone.now()
    if export.settle(
        rows_done=done,
        bytes=size,
        after_at=after.at,
        after_pk=after.pk,
        lease_until=now + timedelta(seconds=settings.SYNC_LEASE),
    ):
        exports.ring(export)
    else:
        _leave(export)


def _finish(export: TaskSyncExport, done: int, size: int) -> None:
    now = timezone.now()
    if not export.settle(
        state=ExportState.READY,
        rows_done=done,
        rows_total=done,
        bytes=size,
        finished_at=now,
        expires_at=now + exports.KEEP_FOR,
        lease_until=None,
    ):
        _leave(export)
        return
    text = ngettext("%(count)s task, %(size)s.", "%(count)s tasks, %(size)s.", done) % {
        "count": formats.number_format(done, force_grouping=True),
        "size": filesizeformat(size),
    }
    kept = _("The file is deleted after a week.")
    _tell(export, _("Task Sync Results are ready"), f"{text} {kept}")


def _fail(export: TaskSyncExport, why: str) -> None:
    if export.settle(state=ExportState.FAILED, error=why[:300], finished_at=timezone.now(), lease_until=None):
        export_files.remove(export.file_name)
        _tell(export, _("Task Sync Results could not be prepared"), why)


def _leave(export: TaskSyncExport) -> None:
    """Someone cancelled it, or went on with a copy: what was written here is nobody's."""
    if not TaskSyncExport.objects.filter(pk=export.pk, file_name=export.file_name).unfinished().exists():
        export_files.remove(export.file_name)


def _tell(export: TaskSyncExport, title: str, text: str) -> None:
    path = reverse("task_sync_results")
    notices.tell(
        [export.requested_by], NoticeKind.FILE_READY, title=title, text=text, path=path, key=f"results {export.uuid}"
    )


def _tasks(export: TaskSyncExport) -> TaskQuerySet:
    """Return the tasks to tell of; the reader leaves out again whose user came into sight later."""
    tasks = tasklog.completed(export.since, export.until, str(export.filters.get("state", "")))
    if export.users is None:
        return tasks
    if len(export.users) <= 500:
        return tasks.filter(user__in=export.users)
    return tasks.visible_to(export.requested_by)
