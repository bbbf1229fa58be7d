"""Blacklists as CSV files. Columns: kind (domain, address, keyword), value, ignore_quoted (yes, no; keywords only).

Read with the standard library rather than as an import-export resource: that checks and saves row by row, shows every
row in its preview, and keeps the file between preview and saving.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from blacklist.models import RuleKind
from blacklist.rules import BadEntry, Parsed, ParsedRule, RefusedError, Repeated, parse_keyword, parse_sender, shortened
from teams.spreadsheets import defused

COLUMNS = ("kind", "value", "ignore_quoted")
MAX_BYTES = 5_000_000
MAX_RULES = 50_000
KEPT_MESSAGES = 20

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


class UnreadableFileError(ValueError):
    """The file as a whole can't be read; the message says where and what to do."""


@dataclass(slots=True)
class CsvRules:
    """What a file holds. Of its bad lines the first KEPT_MESSAGES are in `parsed`; `bad_lines` counts them all."""

    parsed: Parsed = field(default_factory=Parsed)
    bad_lines: int = 0


def read(content: bytes, own_domains: Sequence[str] = ()) -> CsvRules:
    """Read a file: UTF-8 with or without byte order mark; commas, semicolons or tabs. Raises UnreadableFileError."""
    lines = _lines(_decoded(content))
    try:
        _number, header = next(lines)
    except StopIteration:
        raise UnreadableFileError(_("The file is empty.")) from None
    columns = _columns(header)
    found = CsvRules()
    first: dict[tuple[str, str], ParsedRule] = {}
    for number, cells in lines:
        if not any(map(str.strip, cells)):
            continue
        try:
            rule = replace(_rule(columns(cells), own_domains), line=number)
        except RefusedError as refused:
            found.bad_lines += 1
            if found.bad_lines <= KEPT_MESSAGES:
                found.parsed.bad.append(BadEntry(number, shortened(",".join(cells)), str(refused)))
            continue
        if first.setdefault((rule.kind, rule.match), rule) is not rule:
            found.parsed.repeated.append(Repeated(rule, first[rule.kind, rule.match]))
        elif len(first) > MAX_RULES:
            message = _("The file has more than %(most)s entries. Import it in parts.")
            raise UnreadableFileError(message % {"most": number_format(MAX_RULES, force_grouping=True)})
        else:
            found.parsed.rules.append(rule)
    return found


def _as_entered(cell: str) -> str:
    """Undo what defuses formulas: "=example.com" is a rule like any other."""
    return cell[1:] if cell.startswith("'") and defused(cell[1:]) == cell else cell


def cells_of(kind: str, value: str, ignore_quoted: bool) -> tuple[str, str, str]:
    """Return a rule as a line of a file, in the order of COLUMNS; teams/csv_text.py writes it."""
    return kind, value, "yes" if ignore_quoted else "no"


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = _(
            "Line %(line)s of the file is not in UTF-8, so its letters can't be read for certain. Save the file as "
            "UTF-8 (in Excel: “CSV UTF-8”) and choose it again."
        )
        raise UnreadableFileError(message % {"line": number_format(line, force_grouping=True)}) from None


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = _(
                "Line %(line)s of the file can't be read: a quotation mark is left open, or a value is too long."
            )
            raise UnreadableFileError(message % {"line": number_format(number, force_grouping=True)}) from None
        if cells:
            yield number, cells


def _columns(header: list[str]) -> Callable[[list[str]], list[str]]:
    """Return what picks a line's kind, value and ignore_quoted, wherever these columns stand."""
    names = [name.strip().lower() for name in header]
    missing = [name for name in COLUMNS[:2] if name not in names]
    if missing:
        message = _("The file has no column %(names)s. Its first line names the columns: kind,value,ignore_quoted.")
        raise UnreadableFileError(message % {"names": ", ".join(missing)})
    places = [names.index(name) if name in names else None for name in COLUMNS]

    def pick(cells: list[str]) -> list[str]:
        return ["" if place is None or place >= len(cells) else cells[place].strip() for place in places]

    return pick


def _rule(cells: list[str], own_domains: Sequence[str]) -> ParsedRule:
    kind, value, option = cells
    ignore_quoted = _YES.get(option.lower())
    if kind.lower() not in RuleKind.values:
        message = _("“%(kind)s” is no kind of entry. Enter domain, address or keyword.")
        raise RefusedError(message % {"kind": shortened(kind)})
    if ignore_quoted is None:
        message = _("“%(option)s” in the column ignore_quoted: enter yes or no.")
        raise RefusedError(message % {"option": shortened(option)})
    if kind.lower() == RuleKind.KEYWORD:
        return parse_keyword(_as_entered(value), ignore_quoted=ignore_quoted)
    if ignore_quoted:
        raise RefusedError(_("ignore_quoted is for keywords only: leave it empty here."))
    rule = parse_sender(_as_entered(value), own_domains)
    if rule.kind != kind.lower():
        message = _("“%(value)s” is not of the kind %(kind)s. Change the column kind.")
        raise RefusedError(message % {"value": shortened(value), "kind": kind.lower()})
    return rule
