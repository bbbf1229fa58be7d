"""CSV files to and from spreadsheets: what is given out is no formula, what comes in is read or clearly refused."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from teams.spreadsheets import BOM, as_entered, defused


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(heading: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Give a CSV file piece by piece, in UTF-8 with the mark by which Excel knows it; every cell is defused."""
    writer = csv.writer(_Echo())
    yield BOM.encode()
    yield _line(writer, heading)
    for row in rows:
        yield _line(writer, row)


def csv_response(name: str, heading: Sequence[object], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Answer with a CSV file to be saved as `name` (ASCII), while its rows are still being read."""
    return StreamingHttpResponse(
        csv_lines(heading, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _line(writer: Any, row: Sequence[object]) -> bytes:
    text: str = writer.writerow(["" if cell is None else defused(str(cell)) for cell in row])
    return text.encode()


def read_csv(data: bytes, columns: Sequence[str], required: Sequence[str], most_rows: int) -> tablib.Dataset:
    """Return the rows of a CSV file under the names of `columns`, and the line on which each ended (ROW).

    ValidationError says what is wrong with the file as a whole. It must be UTF-8. Commas, semicolons or tabs
    separate, whichever the heading has. Rows that are empty are left out,
    cells are trimmed, lose the apostrophe by which an export keeps them from being formulas, and are otherwise kept as
    they are.
    """
    text = _decoded(data)
    heading, _newline, _rest = text.partition("\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=heading.count), strict=True)
    try:
        names = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
        _check_heading(names, columns, required)
        table = tablib.Dataset(headers=[*names, ROW])
        for row in reader:
            if any(cell.strip() for cell in row):
                if len(table) == most_rows:
                    raise ValidationError(_too_many(text, most_rows))
                table.append([*_fitted(row, names, reader.line_num), str(reader.line_num)])
    except csv.Error:
        raise ValidationError(
            _("Line %(line)d can't be read as CSV: a quotation mark may be missing. Correct it, and upload again.")
            % {"line": reader.line_num}
        ) from None
    return table


# The name of a column that no file has: on which line a row ended.
ROW = "#"


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValidationError(
            _("The file is not UTF-8 (line %(line)d). In Excel, save it as “CSV UTF-8 (comma delimited)”.")
            % {"line": line}
        ) from None
    if "\0" in text:
        raise ValidationError(_("The file holds NUL bytes: it is no CSV file. Export it again as CSV, in UTF-8."))
    return text


def _check_heading(names: Sequence[str], columns: Sequence[str], required: Sequence[str]) -> None:
    known = ", ".join(columns)
    if missing := [name for name in required if name not in names]:
        raise ValidationError(
            _("The first line must name the columns; %(missing)s is missing. Columns are: %(known)s.")
            % {"missing": ", ".join(missing), "known": known}
        )
    if unknown := [name for name in names if name not in columns]:
        raise ValidationError(
            _("Unknown columns: %(unknown)s. Columns are: %(known)s. Remove the others.")
            % {"unknown": ", ".join(name[:40] or _("(no name)") for name in unknown[:10]), "known": known}
        )
    if len(set(names)) < len(names):
        raise ValidationError(_("A column is named twice. Remove one of them."))


def _fitted(row: Sequence[str], names: Sequence[str], line: int) -> list[str]:
    if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
        raise ValidationError(
            _("Line %(line)d has more cells than the heading. Put a cell with commas into quotation marks.")
            % {"line": line}
        )
    cells = [as_entered(cell.strip()) for cell in row[: len(names)]]
    return cells + [""] * (len(names) - len(cells))


def _too_many(text: str, most: int) -> str:
    return _("The file has about %(lines)d lines; at most %(most)d rows are imported at once. Split it.") % {
        "lines": text.count("\n") + 1,
        "most": most,
    }
