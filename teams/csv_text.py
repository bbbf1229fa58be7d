"""CSV as spreadsheets open it safely: no cell is a formula, and the file says that it is UTF-8."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

# What spreadsheets take for the beginning of a formula, also behind blanks.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - full width, which Excel reads, too


def defused(value: object) -> str:
    """Return a cell's text; an apostrophe stands before what a spreadsheet would carry out."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(heading: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Give a CSV file piece by piece, in UTF-8 with the mark by which Excel knows it; every cell is defused."""
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf"
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
    text: str = writer.writerow([defused(cell) for cell in row])
    return text.encode()
