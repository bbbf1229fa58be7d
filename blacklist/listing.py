"""A blacklist as a list that stays usable with ten thousand entries: searched, in pages, with what has been ticked."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import QueryDict
from django.utils.formats import number_format

from blacklist.models import Rule, RuleKind, RuleQuerySet
from blacklist.review import Standing
from blacklist.words import folded
from teams.models import User

PER_PAGE = 100
PER_PAGE_BESIDE = 20  # of a list that only stands beside another
LONGEST_SEARCH = 320
SHORT = 10  # entries that are seen at a glance


def rules_of(owner: User | None) -> RuleQuerySet:
    """Return the rules of one blacklist; without an owner, of the Company Blacklist."""
    return Rule.objects.of_company() if owner is None else Rule.objects.of_user(owner)


def standing_of(owner: User | None, removed: frozenset[UUID] = frozenset()) -> list[Standing]:
    """Return what new entries are compared with: the blacklist's own, and above somebody's own the company's.

    Those in `removed` are about to go.
    """
    rules = Rule.objects.of_company() if owner is None else Rule.objects.visible_to(owner)
    rows = rules.values_list("uuid", "kind", "value", "match", "ignore_quoted", "user_id")
    return [
        Standing(kind, value, match, ignore_quoted, company=owner is not None and user_id is None)
        for uuid, kind, value, match, ignore_quoted, user_id in rows
        if uuid not in removed
    ]


@dataclass(frozen=True, slots=True)
class Ticks:
    """What is ticked in a list, also on its other pages."""

    removed: frozenset[UUID] = frozenset()
    quoted: frozenset[UUID] = frozenset()  # keywords with the option on
    was_quoted: frozenset[UUID] = frozenset()  # of those shown, the ones that had it on

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Read them from a form, each entry by its uuid, several in one field with commas. ValueError: it is forged."""

        def uuids(name: str) -> frozenset[UUID]:
            return frozenset(UUID(each) for value in data.getlist(name) for each in value.split(",") if each)

        return cls(uuids("remove"), uuids("quoted"), uuids("was_quoted"))

    @property
    def options(self) -> dict[UUID, bool]:
        """Which keywords' option was changed, and to what."""
        return {uuid: uuid in self.quoted for uuid in self.quoted ^ self.was_quoted}

    def only_in(self, rules: RuleQuerySet) -> Self:
        """Return those whose entry stands there still, reduced to what somebody changed."""
        options = self.options
        there = set(rules.filter(uuid__in=self.removed | options.keys()).values_list("uuid", flat=True))
        return type(self)(
            self.removed & there,
            frozenset(uuid for uuid, on in options.items() if on) & there,
            frozenset(uuid for uuid, on in options.items() if not on) & there,
        )


@dataclass(frozen=True, slots=True)
class Row:
    rule: Rule
    removed: bool
    quoted: bool

    @property
    def is_keyword(self) -> bool:
        return self.rule.kind == RuleKind.KEYWORD


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list. `prefix` tells the names of two lists' fields on one page apart."""

    page: Page[Rule]
    rows: list[Row]
    query: str
    prefix: str
    elsewhere: Ticks  # what is ticked on other pages

    @property
    def total(self) -> str:
        return str(number_format(self.page.paginator.count, force_grouping=True))

    @property
    def is_long(self) -> bool:
        """Whether it is worth searching."""
        return bool(self.query) or self.page.paginator.count > len(self.rows) or len(self.rows) > SHORT

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The hidden fields that carry what is ticked on other pages."""
        pairs = (
            ("remove", self.elsewhere.removed),
            ("quoted", self.elsewhere.quoted),
            ("was_quoted", self.elsewhere.was_quoted),
        )
        return [(name, ",".join(sorted(map(str, uuids)))) for name, uuids in pairs if uuids]


def listing(
    rules: RuleQuerySet, data: QueryDict, ticks: Ticks | None = None, *, prefix: str = "", per_page: int = PER_PAGE
) -> Listing:
    """Return the page of `rules` that `data` asks for with `<prefix>q` and `<prefix>page`."""
    query = data.get(f"{prefix}q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    if query:
        rules = rules.filter(Q(value__icontains=query) | Q(match__contains=folded(query)))
    ordered = rules.select_related("created_by").order_by("kind", "match")
    page = Paginator(ordered, per_page).get_page(data.get(f"{prefix}page"))
    ticks = ticks or Ticks()
    options = ticks.options
    rows = [
        Row(rule, rule.uuid in ticks.removed, options.get(rule.uuid, rule.ignore_quoted)) for rule in page.object_list
    ]
    shown = {row.rule.uuid for row in rows}
    changed = frozenset(options) - shown
    elsewhere = Ticks(ticks.removed - shown, ticks.quoted & changed, ticks.was_quoted & changed)
    return Listing(page, rows, query, prefix, elsewhere)
