"""The matchers in force for a user, compiled once per version of a blacklist and kept in this process."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from django.db.models import Q

from blacklist.matcher import Match, Matcher, MessageFacts, RuleRow
from blacklist.models import Rule, RuleSet
from teams.models import User

# All kept matchers together: 300,000 rules take about 60 MB. The one that was just asked for stays, however big.
MAX_RULES = 300_000
MAX_MATCHERS = 5_000

_COMPANY = None
_Owner = int | None
# The time beside the number: a database put back to an earlier day counts the same versions a second time.
_Version = tuple[int, datetime | None]
_NEVER_SAVED: _Version = (0, None)


@dataclass(frozen=True, slots=True)
class Stop:
    """What stops a message. A rule of the company's stops it for everyone, a user's own only that user's copy."""

    match: Match
    by_company: bool


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The company's rules and a user's own, which only narrow them (M19)."""

    company: Matcher
    own: Matcher

    def stop(self, message: MessageFacts) -> Stop | None:
        """Return why `message` is not synced for this user, or None. The company's word comes first."""
        for matcher, by_company in ((self.company, True), (self.own, False)):
            match = matcher.match(message)
            if match is not None:
                return Stop(match, by_company)
        return None


def rules_for(user: User) -> RulesInForce:
    """Return the rules that bind `user` now. One query; two more when both blacklists have changed since."""
    versions = _versions([user.pk])
    return RulesInForce(
        company=_matcher(_COMPANY, versions.get(_COMPANY, _NEVER_SAVED)),
        own=_matcher(user.pk, versions.get(user.pk, _NEVER_SAVED)),
    )


def rules_for_all(users: Collection[int]) -> dict[int, RulesInForce]:
    """Return the rules that bind each of many users (primary keys) now: three queries at most, however many."""
    if not users:
        return {}
    versions = _versions(users)
    company = _matcher(_COMPANY, versions.get(_COMPANY, _NEVER_SAVED))
    current = {user: versions.get(user, _NEVER_SAVED) for user in users}
    with _lock:
        kept = {user: _kept[user][1] for user in users if user in _kept and _kept[user][0] == current[user]}
    missing = [user for user in users if user not in kept]
    own = kept | _compiled_together(missing)
    with _lock:
        for user in missing:
            _kept[user] = (current[user], own[user])
            _kept.move_to_end(user)
        _drop_the_oldest()
    return {user: RulesInForce(company, own[user]) for user in users}


def _versions(users: Collection[int]) -> dict[_Owner, _Version]:
    # Read before the rules: whoever saves in between makes the next call compile again.
    rows = RuleSet.objects.filter(Q(user=None) | Q(user__in=users)).values_list("user", "version", "changed_at")
    return {owner: (version, changed_at) for owner, version, changed_at in rows}


def _compiled_together(users: Collection[int]) -> dict[int, Matcher]:
    """Return the users' own matchers. One query."""
    rules: dict[int, list[RuleRow]] = {user: [] for user in users}
    if users:
        rows = Rule.objects.filter(user__in=users).values_list("user", "pk", "kind", "match", "ignore_quoted")
        for user, number, kind, match, ignore_quoted in rows.iterator(chunk_size=2000):
            rules[user].append(RuleRow(number, kind, match, ignore_quoted))
    return {user: Matcher(rows) for user, rows in rules.items()}


_kept: OrderedDict[_Owner, tuple[_Version, Matcher]] = OrderedDict()
_lock = Lock()


def _matcher(owner: _Owner, version: _Version) -> Matcher:
    with _lock:
        kept = _kept.get(owner)
        if kept is not None and kept[0] == version:
            _kept.move_to_end(owner)
            return kept[1]
    # Outside the lock: two threads may compile the same once each, and nobody waits.
    matcher = compiled(owner)
    with _lock:
        _kept[owner] = (version, matcher)
        _kept.move_to_end(owner)
        _drop_the_oldest()
    return matcher


def compiled(owner: int | None) -> Matcher:
    """Return the matcher of one blacklist as it stands: a user's, or the company's (None). One query, nothing kept."""
    rules = Rule.objects.filter(user=owner).values_list("pk", "kind", "match", "ignore_quoted")
    return Matcher(RuleRow(*row) for row in rules.iterator(chunk_size=2000))


def _drop_the_oldest() -> None:
    rules = sum(len(matcher) for _version, matcher in _kept.values())
    while len(_kept) > 1 and (rules > MAX_RULES or len(_kept) > MAX_MATCHERS):
        _owner, (_version, dropped) = _kept.popitem(last=False)
        rules -= len(dropped)
