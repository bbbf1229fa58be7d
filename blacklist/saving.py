"""Saving a blacklist: all of a change or nothing, and only by whoever saw what stands there now."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from auditlog.models import LogEntry
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from blacklist.listing import rules_of
from blacklist.models import Rule, RuleKind, RuleSet
from blacklist.rules import ParsedRule
from teams import audit
from teams.models import User

NAMED_IN_AUDIT = 100
TOLD_WHEN_STALE = 5
_BATCH = 500  # rows of one statement: SQLite bounds its variables


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants of a blacklist. With `replace`, what is not among `added` goes."""

    added: Sequence[ParsedRule] = ()
    removed: frozenset[UUID] = frozenset()
    options: Mapping[UUID, bool] = field(default_factory=dict)  # a keyword's ignore_quoted as it shall be
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """How many entries a save has added, removed, and given another option."""

    added: int = 0
    removed: int = 0
    changed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class EarlierSave:
    """A save that came first: by whom, when, and its audit entry's pairs of what was done and to what."""

    by: str
    at: datetime
    changes: tuple[tuple[str, str], ...]


class StaleBlacklistError(Exception):
    """Somebody saved the blacklist after the form was opened; `earlier` is newest first, at most TOLD_WHEN_STALE."""

    def __init__(self, version: int, earlier: tuple[EarlierSave, ...]) -> None:
        super().__init__(f"The blacklist has version {version} now")
        self.version = version
        self.earlier = earlier


class ForeignEntryError(Exception):
    """The change names an entry that is not in this blacklist: the form is forged."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A rule that stands in the blacklist."""

    pk: int
    uuid: UUID
    entry: ParsedRule


@dataclass(slots=True)
class _Plan:
    """What a change comes to, given what stands there."""

    create: list[ParsedRule] = field(default_factory=list)
    delete: list[_Standing] = field(default_factory=list)
    switch: list[_Standing] = field(default_factory=list)  # to the other value of ignore_quoted


def version_of(owner: User | None) -> int:
    """Return the blacklist's version; 0 before anybody saved it."""
    return RuleSet.objects.filter(user=owner).values_list("version", flat=True).first() or 0


def save(owner: User | None, seen: int, change: Change, *, actor: User) -> Saved:
    """Save `change` to `owner`'s blacklist (None: the company's), which the actor saw at version `seen`.

    A handful of statements, however many entries. What stands there already is not doubled, and a change that comes to
    nothing leaves the version alone. Raises StaleBlacklistError or ForeignEntryError, having saved nothing.
    """
    with transaction.atomic():
        rule_set, _made = RuleSet.objects.get_or_create(user=owner)
        rule_set = RuleSet.objects.select_for_update().get(pk=rule_set.pk)
        if rule_set.version != seen:
            raise StaleBlacklistError(rule_set.version, earlier_saves(rule_set, rule_set.version - seen))
        standing = list(_standing(owner))
        if not {rule.uuid for rule in standing} >= change.removed | change.options.keys():
            raise ForeignEntryError
        plan = _planned(standing, change)
        saved = Saved(len(plan.create), len(plan.delete), len(plan.switch))
        if saved:
            _count_up(rule_set, actor)
            _write(owner, plan, actor)
            audit.note(actor, rule_set, _private_note(saved) if owner else _company_note(plan))
        return saved


def earlier_saves(rule_set: RuleSet, number: int) -> tuple[EarlierSave, ...]:
    """Return the newest `number` saves, of which each left one audit entry."""
    entries = LogEntry.objects.get_for_object(rule_set).select_related("actor").order_by("-timestamp", "-pk")
    return tuple(
        EarlierSave(
            by=str(entry.actor or entry.actor_email or _("somebody")),
            at=entry.timestamp,
            changes=tuple((what, " ".join(filter(None, pair))) for what, pair in (entry.changes or {}).items()),
        )
        for entry in entries[: max(0, min(number, TOLD_WHEN_STALE))]
    )


def _standing(owner: User | None) -> Iterator[_Standing]:
    rows = rules_of(owner).values_list("pk", "uuid", "kind", "value", "match", "ignore_quoted")
    for pk, uuid, kind, value, match, ignore_quoted in rows:
        yield _Standing(pk, uuid, ParsedRule(RuleKind(kind), value, match, ignore_quoted))


def _planned(standing: Sequence[_Standing], change: Change) -> _Plan:
    wanted: dict[tuple[str, str], ParsedRule] = {}
    for entry in change.added:
        wanted.setdefault((entry.kind, entry.match), entry)
    plan = _Plan()
    for rule in standing:
        key = (rule.entry.kind, rule.entry.match)
        again = wanted.get(key)
        if rule.uuid in change.removed or (change.replace and again is None):
            plan.delete.append(rule)
            continue
        wanted.pop(key, None)
        option = again.ignore_quoted if change.replace and again else change.options.get(rule.uuid)
        if option is not None and option != rule.entry.ignore_quoted and rule.entry.kind == RuleKind.KEYWORD:
            plan.switch.append(rule)
    plan.create.extend(wanted.values())
    return plan


def _count_up(rule_set: RuleSet, actor: User) -> None:
    now = timezone.now()
    counted = RuleSet.objects.filter(pk=rule_set.pk, version=rule_set.version).update(
        version=F("version") + 1, changed_at=now, changed_by=actor
    )
    if counted != 1:
        raise StaleBlacklistError(version_of(rule_set.user), ())


def _write(owner: User | None, plan: _Plan, actor: User) -> None:
    for batch in _batches([rule.pk for rule in plan.delete]):
        Rule.objects.filter(pk__in=batch).delete()
    for value in (True, False):
        pks = [rule.pk for rule in plan.switch if rule.entry.ignore_quoted != value]
        for batch in _batches(pks):
            Rule.objects.filter(pk__in=batch).update(ignore_quoted=value)
    Rule.objects.bulk_create(
        (
            Rule(
                user=owner,
                kind=entry.kind,
                value=entry.value,
                match=entry.match,
                ignore_quoted=entry.ignore_quoted,
                created_by=actor,
            )
            for entry in plan.create
        ),
        batch_size=_BATCH,
    )


def _batches(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(pks), _BATCH):
        yield pks[start : start + _BATCH]


def _company_note(plan: _Plan) -> dict[str, tuple[str, str]]:
    """Name what was added and removed: the Company Blacklist binds everyone, and everyone may see it."""
    note = {}
    if plan.create:
        note[_("added")] = ("", _named(plan.create))
    if plan.delete:
        note[_("removed")] = ("", _named([rule.entry for rule in plan.delete]))
    for value, label in ((True, _("quoted text left out")), (False, _("quoted text counts"))):
        switched = [rule.entry for rule in plan.switch if rule.entry.ignore_quoted != value]
        if switched:
            note[label] = ("", _named(switched))
    return note


def _private_note(saved: Saved) -> dict[str, tuple[str, str]]:
    """Count, and name nothing: admins read the audit, but never a private rule."""
    counts = ((_("added"), saved.added), (_("removed"), saved.removed), (_("options changed"), saved.changed))
    return {label: ("", number_format(count, force_grouping=True)) for label, count in counts if count}


def _named(entries: Sequence[ParsedRule]) -> str:
    """Say first how many they are, so that the number stays wherever the text is cut; then name the first."""
    kinds = Counter(entry.kind for entry in entries)
    first = entries[:NAMED_IN_AUDIT]
    names = ", ".join(entry.value if len(kinds) == 1 else f"{entry.kind.label} {entry.value}" for entry in first)
    words = {"counts": ", ".join(_counted(kind, kinds[kind]) for kind in RuleKind if kind in kinds), "names": names}
    if len(first) == len(entries):
        return _("%(counts)s: %(names)s") % words
    return _("%(counts)s: %(names)s, … (the first %(first)s named)") % {**words, "first": len(first)}


def _counted(kind: RuleKind, number: int) -> str:
    texts = {
        RuleKind.DOMAIN: ngettext("%s domain", "%s domains", number),
        RuleKind.ADDRESS: ngettext("%s address", "%s addresses", number),
        RuleKind.KEYWORD: ngettext("%s keyword", "%s keywords", number),
    }
    return texts[kind] % number_format(number, force_grouping=True)
