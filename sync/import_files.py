"""The files of an import: read once as they come, and kept as one JSON list a line until the import has ended.

So kept, a line is a line whatever its cells hold, and a worker goes on at any byte where one begins. They lie in
VAR_DIR/imports, which all machines of an installation share; nobody guesses their names.
"""

import csv
import io
import json
import os
import secrets
import time
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from teams.spreadsheets import as_entered

MOST_BYTES = 50_000_000
MOST_LINES = 100_000
MOST_COLUMNS = 200
_SNIFFED = 64_000
# Files that no row names: left by a worker that was killed between the two.
_STRAY_AFTER = 24 * 3600.0

Row: TypeAlias = tuple[int, list[str]]  # the line on which it ends in the file, and its cells


@dataclass(frozen=True, slots=True)
class Stored:
    name: str
    headings: list[str]
    total: int


def directory() -> Path:
    """Return where the files lie; it is made at the first need."""
    path: Path = settings.VAR_DIR / "imports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def store(upload: IO[bytes]) -> Stored:
    """Keep a CSV file line by line. ValidationError says what is wrong with it as a whole; nothing is kept then.

    UTF-8, or UTF-16 with its mark. Commas, semicolons or tabs separate, whichever the heading has. Empty lines are left
    out; cells are trimmed, and lose the apostrophe by which an export keeps them from being formulas.
    """
    text = io.TextIOWrapper(upload, encoding=_encoding(upload), newline="")
    name = f"{secrets.token_hex(16)}.jsonl"
    path = directory() / name
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as kept:
            headings, total = _copy(text, kept)
    except BaseException:
        remove(name)
        raise
    finally:
        text.detach()
    return Stored(name, headings, total)


def read(name: str, offset: int, most: int) -> tuple[list[Row], int]:
    """Return up to `most` rows from a byte on where a line begins, and where the next begins. Raises OSError."""
    rows: list[Row] = []
    with (directory() / name).open("rb") as kept:
        kept.seek(offset)
        while len(rows) < most and (line := kept.readline()):
            number, *cells = json.loads(line)
            rows.append((number, cells))
        return rows, kept.tell()


def every(name: str) -> Iterator[Row]:
    """Give all rows. Raises OSError."""
    with (directory() / name).open("rb") as kept:
        for line in kept:
            number, *cells = json.loads(line)
            yield number, cells


def exists(name: str) -> bool:
    return (directory() / name).exists()


def repeats(name: str, mark: Callable[[list[str]], object]) -> list[int]:
    """Return the lines whose mark an earlier line has, too."""
    seen: set[object] = set()
    found = []
    for number, cells in every(name):
        marked = mark(cells)
        if marked in seen:
            found.append(number)
        seen.add(marked)
    return found


def keep_only(name: str, lines: Container[int]) -> str:
    """Make a file of these lines alone, and return its name; the old one goes. Raises OSError."""
    new = f"{secrets.token_hex(16)}.jsonl"
    with os.fdopen(os.open(directory() / new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as kept:
        for number, cells in every(name):
            if number in lines:
                kept.write(json.dumps([number, *cells]) + "\n")
    return new


def remove(name: str) -> None:
    """Delete a file; one that is gone is fine."""
    if name:
        with suppress(OSError):
            (directory() / name).unlink(missing_ok=True)


def remove_strays(known: Collection[str]) -> None:
    """Delete old files that no row names."""
    for path in directory().glob("*.jsonl"):
        with suppress(OSError):
            if path.name not in known and time.time() - path.stat().st_mtime > _STRAY_AFTER:
                path.unlink()


def _encoding(upload: IO[bytes]) -> str:
    upload.seek(0)
    start = upload.read(2)
    upload.seek(0)
    return "utf-16" if start in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"


def _copy(text: io.TextIOWrapper, kept: IO[str]) -> tuple[list[str], int]:
    """Write the rows of `text`; return its heading and how many rows there are."""
    reader, total = None, 0
    try:
        heading = text.readline(_SNIFFED)
        text.seek(0)
        reader = csv.reader(text, delimiter=max(",;\t", key=heading.count), strict=True)
        headings = [cell.strip()[:100] for cell in next(reader, [])]
        _check_headings(headings)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            total += 1
            if total > MOST_LINES:
                raise _refusal(_("The file has more than %(most)s lines. Split it."), most=_number(MOST_LINES))
            kept.write(json.dumps([reader.line_num, *_fitted(row, headings, reader.line_num)]) + "\n")
    except UnicodeError:
        line = reader.line_num + 1 if reader else 1
        message = _("The file is not UTF-8 (about line %(line)s). In Excel, save it as “CSV UTF-8 (comma delimited)”.")
        raise _refusal(message, line=_number(line)) from None
    except csv.Error:
        message = _("Line %(line)s can't be read as CSV: a quotation mark may be missing. Correct it.")
        raise _refusal(message, line=_number(reader.line_num if reader else 1)) from None
    if not total:
        raise _refusal(_("The file has no lines below its heading."))
    return headings, total


def _check_headings(headings: Sequence[str]) -> None:
    if not any(headings):
        raise _refusal(_("The first line must name the columns."))
    if len(headings) > MOST_COLUMNS:
        raise _refusal(_("The file has more than %(most)s columns. Is it a CSV file?"), most=MOST_COLUMNS)
    if any("\0" in heading for heading in headings):
        raise _refusal(_("The file holds NUL bytes: it is no CSV file. Export it again as CSV, in UTF-8."))


def _fitted(row: Sequence[str], headings: Sequence[str], line: int) -> list[str]:
    if any(cell.strip() for cell in row[len(headings) :]):
        message = _("Line %(line)s has more cells than the heading. Put a cell with commas into quotation marks.")
        raise _refusal(message, line=_number(line))
    cells = [as_entered(cell.strip()) for cell in row[: len(headings)]]
    return cells + [""] * (len(headings) - len(cells))


def _number(number: int) -> str:
    return number_format(number, force_grouping=True)


def _refusal(message: str, **values: object) -> ValidationError:
    return ValidationError(message % values, "file")
