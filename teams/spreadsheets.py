"""Text in a CSV file that a spreadsheet opens: it must stay text there, whoever wrote it.

Excel, LibreOffice and Google Sheets take a cell for a formula when it begins with one of a few characters, also in
quotes and after blanks; a formula can fetch, send and run things (OWASP: CSV injection).
"""

from collections.abc import Iterable

# Excel takes a file for UTF-8 by this, and for the machine's code page without it.
BOM = "\ufeff"

# The full-width ones are read as their narrow brothers where such keyboards are used.
_BEGINNINGS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001


def defused(text: str) -> str:
    """Return `text`, behind an apostrophe if a spreadsheet might take it for a formula.

    Also a telephone number (+49 …) and a negative number: that they are harmless can't be told from where they stand.
    Numbers of our own are written as numbers, and never pass here.
    """
    if not text:
        return text
    first = text[0]
    if first in _BEGINNINGS or (first.isspace() and text.lstrip()[:1] in _BEGINNINGS):
        return f"'{text}"
    return text


def as_entered(cell: str) -> str:
    """Undo what `defused` did, for a file that comes back: nobody's name is to grow an apostrophe that way."""
    return cell[1:] if cell.startswith("'") and defused(cell[1:]) == cell else cell


def defused_row(cells: Iterable[object]) -> list[object]:
    """Return the cells of a row, with each text defused."""
    return [defused(cell) if isinstance(cell, str) else cell for cell in cells]
