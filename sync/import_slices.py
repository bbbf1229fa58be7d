"""Checking and importing a file of tasks in the background, in slices of two seconds.

Each chunk of lines is one transaction with the place where the next begins: a worker may be killed at any time, and
whoever goes on has each line once. Between two slices the worker is free, and what is imported goes to the CRM as
backlog: what reps complete meanwhile still goes out at once.
"""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync import import_files, task_imports
from sync.completion import check_many, complete_many
from sync.enums import ImportState
from sync.import_files import Row
from sync.import_lines import Judge, Line
from sync.models import ImportedTask, ImportProblem, OutboxRow, Task, TaskImport
from sync.outbox import FRESH_FOR
from teams import notices
from teams.models import NoticeKind

logger = logging.getLogger(__name__)

# Whoever waits for the worker meanwhile waits no longer than this.
SLICE_SECONDS = 2.0
CHUNK = 500
# So many workers lost over one file are no bad luck.
MOST_LOST = 3
MOST_IN_SAMPLE = 5
_TRIES = 5

_Work = Callable[[TaskImport, Sequence[Line]], Counter[str]]


class _NotOursError(Exception):
    """Somebody cancelled it, or went on with it: nothing of this chunk counts."""


def run(pk: int, token: uuid.UUID) -> None:
    """Do one slice and ask for the next; nothing if someone else has the import, or nobody wants it any more."""
    found = TaskImport.objects.select_related("user").filter(pk=pk).first()
    if found is None or not found.take(token, timezone.now(), settings.SYNC_LEASE):
        return
    if not found.user.is_active or not found.user.has_perm("sync.add_taskimport"):
        _fail(found, _("You may no longer import tasks."))
    elif found.lost >= MOST_LOST:
        words = _("Its worker was lost %(count)d times. Ask an admin to look at the workers' log.")
        _fail(found, words % {"count": found.lost})
    else:
        try:
            _slice(found)
        except _NotOursError:
            return
        except OSError as error:
            logger.exception("tasks not imported", extra={"error_code": type(error).__name__})
            _fail(found, _("The file could not be read again: is VAR_DIR shared by all machines?"))


def sample(found: TaskImport) -> list[Line]:
    """Return the first lines that would be imported, of the first chunk. Raises OSError."""
    rows, _after = import_files.read(found.file_name, 0, CHUNK)
    left_out = {
        *found.repeats,
        *found.problems.filter(line__lte=rows[-1][0] if rows else 0).values_list("line", flat=True),
    }
    good = [row for row in rows if row[0] not in left_out][: 4 * MOST_IN_SAMPLE]
    lines = Judge(found.user, found.mapping, ZoneInfo(found.time_zone)).judge(good)
    keys = _known_keys(lines)
    return [line for line in lines if line.completion is not None and line.key not in keys][:MOST_IN_SAMPLE]


def _slice(found: TaskImport) -> None:
    """Work for two seconds, from where the last chunk ended. Raises OSError and _NotOursError."""
    end = time.monotonic() + SLICE_SECONDS
    judge = Judge(found.user, found.mapping, ZoneInfo(found.time_zone))
    work = _check if found.state == ImportState.CHECKING else _import
    while found.done < found.total:
        rows, after = import_files.read(found.file_name, found.offset, CHUNK)
        if not rows:
            raise FileNotFoundError(f"{found.file_name} is shorter than it was.")
        _once(work, found, judge, rows, after)
        if time.monotonic() >= end:
            break
    if found.done < found.total:
        task_imports.ring(found)
    elif found.state == ImportState.CHECKING:
        found.settle(state=ImportState.READY, lease_token=None, lease_until=None)
    else:
        _finish(found)


def _once(work: _Work, found: TaskImport, judge: Judge, rows: Sequence[Row], after: int) -> None:
    """Do a chunk in one transaction, again if another import took one of its keys meanwhile."""
    for tries in range(_TRIES):
        try:
            with transaction.atomic():
                counts = work(found, judge.judge(rows))
                if not found.settle(
                    done=found.done + len(rows),
                    offset=after,
                    lease_until=timezone.now() + timedelta(seconds=settings.SYNC_LEASE),
                    **{name: getattr(found, name) + count for name, count in counts.items()},
                ):
                    raise _NotOursError
        except IntegrityError:
            if tries == _TRIES - 1:
                raise
        else:
            return


def _check(found: TaskImport, lines: Sequence[Line]) -> Counter[str]:
    """Count what could be imported; nothing is stored but what is wrong."""
    counts: Counter[str] = Counter()
    sound = [line for line in lines if line.completion is not None]
    for line, error in zip(sound, check_many([each.completion for each in sound if each.completion]), strict=True):
        if error is not None:
            line.refuse(error)
    keys = _known_keys(lines)
    repeats = set(found.repeats)
    for line in lines:
        if not line.errors and (_is_known(line, keys) or line.number in repeats):
            counts["known"] += 1
        elif not line.errors:
            counts["good"] += 1
            counts["without_offset"] += line.has_no_offset
    return counts + _note_problems(found, lines)


def _import(found: TaskImport, lines: Sequence[Line]) -> Counter[str]:
    """Complete the tasks of a chunk, each once per key."""
    counts: Counter[str] = Counter()
    keys = _known_keys(lines)
    waiting = [line for line in lines if not line.errors]
    while waiting:
        firsts, rest, begun = [], [], set()
        for line in waiting:
            if _is_known(line, keys):
                counts["known"] += 1
            elif line.errors:
                continue
            elif line.key and line.key in begun:
                rest.append(line)  # only if the first one is refused
            else:
                begun.add(line.key)
                firsts.append(line)
        tasks = _complete(found, firsts)
        keys |= {line.key: task.user_id for line, task in tasks if line.key}
        counts["imported"] += len(tasks)
        waiting = rest
    return counts + _note_problems(found, lines)


def _complete(found: TaskImport, lines: Sequence[Line]) -> list[tuple[Line, Task]]:
    results = complete_many([line.completion for line in lines if line.completion]) if lines else []
    tasks = []
    for line, result in zip(lines, results, strict=True):
        if isinstance(result, ValidationError):
            line.refuse(result)
        else:
            tasks.append((line, result))
    ImportedTask.objects.bulk_create(
        ImportedTask(task=task, task_import=found, key=line.key or None) for line, task in tasks
    )
    rows = OutboxRow.objects.filter(task__in=[task.pk for _line, task in tasks])
    rows.update(not_before=timezone.now() - FRESH_FOR)
    return tasks


def _known_keys(lines: Iterable[Line]) -> dict[str, int]:
    """The users (pk) of the keys that were imported before."""
    named = {line.key for line in lines} - {""}
    known = ImportedTask.objects.filter(key__in=named).values_list("key", "task__user") if named else ()
    return {key: user for key, user in known if key is not None}


def _is_known(line: Line, keys: dict[str, int]) -> bool:
    """Whether its key was imported before; for somebody else, that is said instead of losing the task silently."""
    user = keys.get(line.key) if line.key else None
    if user is None or line.completion is None:
        return False
    if user == line.completion.user.pk:
        return True
    line.add("key", _("This key was imported before, for another user. Use another key, or check the user."))
    return False


def _note_problems(found: TaskImport, lines: Sequence[Line]) -> Counter[str]:
    bad = [line for line in lines if line.errors]
    ImportProblem.objects.bulk_create(
        ImportProblem(task_import=found, line=line.number, errors=[list(error) for error in line.errors])
        for line in bad
    )
    return Counter(bad=len(bad))


def _finish(found: TaskImport) -> None:
    """Of the file only the lines that were refused are kept, and those for a week."""
    old, kept = found.file_name, ""
    if found.bad:
        kept = import_files.keep_only(old, set(found.problems.values_list("line", flat=True)))
    now = timezone.now()
    if not found.settle(
        state=ImportState.DONE,
        finished_at=now,
        expires_at=now + task_imports.KEEP_REFUSED,
        file_name=kept,
        repeats=[],
        lease_token=None,
        lease_until=None,
    ):
        import_files.remove(kept)
        return
    import_files.remove(old)
    text = ngettext("%(count)s task was imported.", "%(count)s tasks were imported.", found.imported)
    text %= {"count": formats.number_format(found.imported, force_grouping=True)}
    if found.bad:
        refused = ngettext("%(count)s line was refused.", "%(count)s lines were refused.", found.bad)
        text += " " + refused % {"count": formats.number_format(found.bad, force_grouping=True)}
    _tell(found, _("The import of %(name)s has ended") % {"name": found.name}, text)


def _fail(found: TaskImport, why: str) -> None:
    old = found.file_name
    ended = {"finished_at": timezone.now(), "lease_token": None, "lease_until": None, "file_name": ""}
    if found.settle(state=ImportState.FAILED, error=why[:300], **ended):
        import_files.remove(old)
        _tell(found, _("The import of %(name)s stopped") % {"name": found.name}, why)


def _tell(found: TaskImport, title: str, text: str) -> None:
    path = reverse("task_import", args=[found.uuid])
    notices.tell([found.user], NoticeKind.FILE_READY, title=title, text=text, path=path, key=f"import {found.uuid}")
