"""What is to be said about entries before they are saved: which are there already, which need a second look. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from blacklist.common_words import stops_nearly_all
from blacklist.coverage import Coverage
from blacklist.models import RuleKind
from blacklist.rules import BadEntry, Parsed, ParsedRule, RuleLine, shortened


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule that stands in a blacklist; `company`: in the Company Blacklist, seen from somebody's own."""

    kind: str
    value: str
    match: str
    ignore_quoted: bool
    company: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """An entry that is saved only when somebody has read `text` and said so."""

    rule: ParsedRule
    text: str
    quotable: bool = False  # leaving out signatures, disclaimers and quoted text would settle it


@dataclass(slots=True)
class Review:
    """What a text comes to. While there is something in `bad`, nothing may be saved."""

    rules: list[ParsedRule] = field(default_factory=list)  # those that are new
    bad: list[BadEntry] = field(default_factory=list)
    there: list[ParsedRule] = field(default_factory=list)  # those that stand there already
    twice: list[ParsedRule] = field(default_factory=list)  # those that the text itself repeats
    doubts: list[Doubt] = field(default_factory=list)

    @property
    def quotable(self) -> bool:
        return any(doubt.quotable for doubt in self.doubts)

    @property
    def digest(self) -> str:
        """What confirming the doubts confirms: these entries with these words, and no others."""
        lines = sorted(f"{doubt.rule.kind} {doubt.rule.match} {doubt.text}" for doubt in self.doubts)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""

    def leaving_out_quoted(self) -> list[ParsedRule]:
        """Return `rules` with the option on where it settles a doubt."""
        quotable = {doubt.rule.match for doubt in self.doubts if doubt.quotable}
        return [
            replace(rule, ignore_quoted=True) if rule.kind == RuleKind.KEYWORD and rule.match in quotable else rule
            for rule in self.rules
        ]


def review(parsed: Sequence[Parsed], standing: Iterable[Standing], *, replacing: bool = False) -> Review:
    """Compare what was entered with what stands there. `replacing`: the own list goes, so that all entries are new."""
    kept = [rule for rule in standing if rule.company or not replacing]
    own = {(rule.kind, rule.match) for rule in kept if not rule.company}
    found = Review()
    for part in parsed:
        found.bad.extend(part.bad)
        found.twice.extend(again.rule for again in part.repeated)
        for rule in part.rules:
            (found.there if (rule.kind, rule.match) in own else found.rules).append(rule)
    found.doubts.extend(_doubts(found.rules, kept))
    return found


def _doubts(rules: Sequence[ParsedRule], standing: Sequence[Standing]) -> Iterable[Doubt]:
    of_company = {(rule.kind, rule.match): rule for rule in standing if rule.company}
    coverage: Coverage[RuleLine] = Coverage([*standing, *rules])
    for rule in rules:
        quotable = rule.kind == RuleKind.KEYWORD and not stops_nearly_all(rule.match)
        if not (quotable and rule.ignore_quoted):
            yield from (Doubt(rule, warning, quotable) for warning in rule.warnings)
        same = of_company.get((rule.kind, rule.match))
        if same is not None and (rule.ignore_quoted or not same.ignore_quoted):
            yield Doubt(rule, _("The Company Blacklist has “%(value)s” already.") % {"value": shortened(rule.value)})
        elif cover := coverage.of(rule):
            yield Doubt(rule, _covered_text(rule, cover))


def _covered_text(rule: ParsedRule, cover: RuleLine) -> str:
    names = {"value": shortened(rule.value), "cover": shortened(getattr(cover, "value", cover.match))}
    if getattr(cover, "company", False):
        return _("“%(cover)s” in the Company Blacklist already stops all that “%(value)s” would.") % names
    return _("“%(cover)s” already stops all that “%(value)s” would.") % names


def now_needless(rules: Sequence[ParsedRule], standing: Iterable[Standing]) -> list[Standing]:
    """Return the own entries that `rules` make needless: they may stay, but needn't."""
    coverage = Coverage(rules)
    return [rule for rule in standing if not rule.company and coverage.of(rule)]
