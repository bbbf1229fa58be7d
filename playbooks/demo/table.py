"""A table for the terminal: wide ones get every column, narrow ones some of them below each line."""

import unicodedata
from collections.abc import Iterator, Sequence

GAP = "  "
_INDENT = "    "
_LEAST_WRAPPED = 30


def width(text: str) -> int:
    """Return how many columns a terminal uses for `text`."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def render(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: int,
    right: Sequence[int] = (),
    below: Sequence[int] = (),
) -> str:
    """Return the table for a terminal of `columns` columns; the last column is wrapped to what is left.

    `right` holds the numbers of columns that are aligned to the right. Where the last column had hardly any room,
    it and the columns of `below` stand below each line instead.
    """
    last = len(headings) - 1
    widths = [max(width(row[i]) for row in (headings, *rows)) for i in range(len(headings))]
    left = columns - sum(widths[:last]) - len(GAP) * last
    if left < min(_LEAST_WRAPPED, widths[last]):
        return "\n".join(_narrow(headings, rows, widths, columns, right, (*below, last)))
    widths[last] = min(widths[last], left)
    return "\n".join(_wide(headings, rows, widths, right))


def _wide(
    headings: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[int]
) -> Iterator[str]:
    last = len(widths) - 1
    places = range(len(widths))
    yield from _head(headings, widths, places, right)
    for row in rows:
        first, *more = wrap(row[last], widths[last]) or [""]
        yield _line([*row[:last], first], widths, places, right)
        yield from (_line([*[""] * last, part], widths, places, right) for part in more)


def _narrow(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    columns: int,
    right: Sequence[int],
    below: Sequence[int],
) -> Iterator[str]:
    places = [i for i in range(len(widths)) if i not in below]
    yield from _head(headings, widths, places, right)
    for row in rows:
        yield _line(row, widths, places, right)
        for i in below:
            yield from (_INDENT + part for part in wrap(row[i], columns - len(_INDENT)))


def wrap(text: str, columns: int) -> list[str]:
    """Break `text` at blanks; a word that is too long stands alone on its line."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(lines[-1]) + 1 + width(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _head(headings: Sequence[str], widths: Sequence[int], places: Sequence[int], right: Sequence[int]) -> Iterator[str]:
    yield _line(headings, widths, places, right)
    yield GAP.join("─" * widths[i] for i in places)


def _line(cells: Sequence[str], widths: Sequence[int], places: Sequence[int], right: Sequence[int]) -> str:
    padding = [" " * (widths[i] - width(cells[i])) for i in places]
    padded = [blank + cells[i] if i in right else cells[i] + blank for i, blank in zip(places, padding, strict=True)]
    return GAP.join(padded).rstrip()
