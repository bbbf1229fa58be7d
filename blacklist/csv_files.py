"""Blacklists as CSV files. Columns: kind (domain, address, keyword), value, ignore_quoted (yes, no; keywords only).

No import-export resource: that saves row by row, shows every row in its preview, and keeps the file in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from blacklist.models import RuleKind
from blacklist.rules import BadEntry, Parsed, ParsedRule, RefusedError, Repeated, parse_keyword, parse_sender, shortened
from teams.csv_text import ROW, read_csv

COLUMNS = ("kind", "value", "ignore_quoted")
REQUIRED = ("kind", "value")
MAX_BYTES = 5_000_000
MAX_LINES = 200_000
MAX_RULES = 50_000
KEPT_MESSAGES = 20

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


@dataclass(slots=True)
class CsvRules:
    """What a file holds. Of its bad lines the first KEPT_MESSAGES are in `parsed`; `bad_lines` counts them all."""

    parsed: Parsed = field(default_factory=Parsed)
    bad_lines: int = 0


def read(content: bytes, own_domains: Sequence[str] = ()) -> CsvRules:
    """Read a file (teams/csv_text.py says how it may be written). ValidationError: it can't be read as a whole."""
    found = CsvRules()
    first: dict[tuple[str, str], ParsedRule] = {}
    for cells in read_csv(content, COLUMNS, REQUIRED, MAX_LINES).dict:
        line = int(cells[ROW])
        try:
            rule = replace(_rule(cells, own_domains), line=line)
        except RefusedError as refused:
            found.bad_lines += 1
            if found.bad_lines <= KEPT_MESSAGES:
                found.parsed.bad.append(BadEntry(line, shortened(cells["value"]), str(refused)))
            continue
        if first.setdefault((rule.kind, rule.match), rule) is not rule:
            found.parsed.repeated.append(Repeated(rule, first[rule.kind, rule.match]))
        elif len(first) > MAX_RULES:
            message = _("The file has more than %(most)s entries. Import it in parts.")
            raise ValidationError(message % {"most": number_format(MAX_RULES, force_grouping=True)})
        else:
            found.parsed.rules.append(rule)
    return found


def cells_of(kind: str, value: str, ignore_quoted: bool) -> tuple[str, str, str]:
    """Return a rule as a line of a file, in the order of COLUMNS; teams/csv_text.py writes it."""
    return kind, value, "yes" if ignore_quoted else "no"


def _rule(cells: Mapping[str, str], own_domains: Sequence[str]) -> ParsedRule:
    kind, value, option = cells["kind"], cells["value"], cells.get("ignore_quoted", "")
    ignore_quoted = _YES.get(option.lower())
    if kind.lower() not in RuleKind.values:
        message = _("“%(kind)s” is no kind of entry. Enter domain, address or keyword.")
        raise RefusedError(message % {"kind": shortened(kind)})
    if ignore_quoted is None:
        message = _("“%(option)s” in the column ignore_quoted: enter yes or no.")
        raise RefusedError(message % {"option": shortened(option)})
    if kind.lower() == RuleKind.KEYWORD:
        return parse_keyword(value, ignore_quoted=ignore_quoted)
    if ignore_quoted:
        raise RefusedError(_("ignore_quoted is for keywords only: leave it empty here."))
    rule = parse_sender(value, own_domains)
    if rule.kind != kind.lower():
        message = _("“%(value)s” is not of the kind %(kind)s. Change the column kind.")
        raise RefusedError(message % {"value": shortened(value), "kind": kind.lower()})
    return rule
