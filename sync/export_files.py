"""The files of Task Sync Results: nobody guesses their names, and nobody but the application reads them.

They lie in VAR_DIR/exports, which all machines of an installation share.
"""

import csv
import io
import logging
import os
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from django.conf import settings

from sync.tasklog import COLUMNS, CRM_USER_COLUMN
from teams.spreadsheets import BOM

logger = logging.getLogger(__name__)

# Files that no row names: left by a worker that was killed between the two.
_STRAY_AFTER = 24 * 3600.0


def directory() -> Path:
    """Return where the files lie; it is made at the first need."""
    path: Path = settings.VAR_DIR / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def new_name() -> str:
    return f"{secrets.token_hex(16)}.csv"


def path_of(name: str) -> Path:
    return directory() / name


class ExportFile:
    """A file that grows by rows. Raises OSError when there is no room, or when it is not there to go on."""

    def __init__(self, name: str, size: int) -> None:
        """Open a new file (`size` 0), or go on with one behind its first `size` bytes; what follows is cut off."""
        path = path_of(name)
        if size:
            self._file: BinaryIO = path.open("r+b")
            if self._file.seek(0, os.SEEK_END) < size:
                self._file.close()
                raise FileNotFoundError(f"{name} is shorter than it was.")  # the machine was lost, not only a worker
            self._file.seek(size)
            self._file.truncate()
        else:
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            self._file.write(BOM.encode())
            self.write([COLUMNS])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, rows: Iterable[Iterable[object]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        self._file.write(text.getvalue().encode())

    def save(self, *, finished: bool) -> int:
        """Hand everything to the system, and once finished onto the disk; return how many bytes that is."""
        self._file.flush()
        if finished:
            os.fsync(self._file.fileno())
        return self._file.tell()


def opened(name: str) -> BinaryIO:
    """Open a file for a download. Raises FileNotFoundError."""
    return path_of(name).open("rb")


def of_one_user(file: BinaryIO, crm_user_id: str) -> Iterator[bytes]:
    """Give the header and the rows of one CRM user, a block at a time; closes the file."""
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text)
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n")
        out.write(BOM)
        writer.writerow(next(rows))
        for row in rows:
            if row[CRM_USER_COLUMN] == crm_user_id:
                writer.writerow(row)
                if out.tell() > 1 << 16:
                    yield out.getvalue().encode()
                    out.seek(0)
                    out.truncate()
        yield out.getvalue().encode()


def remove(name: str) -> None:
    """Delete a file; one that is gone is fine."""
    if name:
        with suppress(OSError):
            path_of(name).unlink(missing_ok=True)


def remove_strays(known: Collection[str]) -> None:
    """Delete old files that no row names."""
    for path in directory().glob("*.csv"):
        with suppress(OSError):
            if path.name not in known and time.time() - path.stat().st_mtime > _STRAY_AFTER:
                path.unlink()
