"""Which entries another one makes needless: it stops all that they would stop. Pure."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from blacklist.models import RuleKind
from blacklist.rules import RuleLine
from blacklist.senders import with_parents

# Longer phrases are not looked for inside others: nobody has them, and each more word costs.
_LONGEST_PHRASE = 8

R = TypeVar("R", bound=RuleLine)


class Coverage(Generic[R]):
    """Rules, looked up by what they cover. Where several cover an entry, any one of them is named."""

    def __init__(self, rules: Iterable[R]) -> None:
        self._senders: dict[str, R] = {}
        self._keywords: dict[tuple[str, bool], R] = {}
        self._phrase_lengths: set[int] = set()
        self._prefix_lengths: set[int] = set()
        for rule in rules:
            if rule.kind != RuleKind.KEYWORD:
                self._senders[rule.match] = rule
                continue
            self._keywords[rule.match, rule.ignore_quoted] = rule
            if rule.match.endswith("*"):
                self._prefix_lengths.add(len(rule.match) - 1)
            else:
                self._phrase_lengths.add(rule.match.count(" ") + 1)

    def of(self, rule: RuleLine) -> R | None:
        """Return a rule, other than one that says the same, that stops all that `rule` would stop."""
        if rule.kind == RuleKind.KEYWORD:
            return self._of_keyword(rule)
        for match in _wider_senders(rule):
            if match != rule.match and match in self._senders:
                return self._senders[match]
        return None

    def _of_keyword(self, rule: RuleLine) -> R | None:
        """A rule that leaves out quoted text stops less: it covers only those that leave it out, too."""
        options = (False, True) if rule.ignore_quoted else (False,)
        for match in self._wider_keywords(rule.match):
            for option in options:
                found = self._keywords.get((match, option))
                if found is not None and match != rule.match:
                    return found
        return None

    def _wider_keywords(self, match: str) -> Iterator[str]:
        is_prefix = match.endswith("*")
        words = match.removesuffix("*").split(" ")
        for word in words:
            yield from (f"{word[:length]}*" for length in self._prefix_lengths if length <= len(word))
        if is_prefix:
            return
        for length in self._phrase_lengths:
            if length <= min(len(words), _LONGEST_PHRASE):
                yield from (" ".join(words[at : at + length]) for at in range(len(words) - length + 1))


def _wider_senders(rule: RuleLine) -> Iterator[str]:
    if rule.kind == RuleKind.ADDRESS:
        domain = rule.match.rpartition("@")[2]
        yield f"={domain}"
    else:
        domain = rule.match.removeprefix("=")
    yield from with_parents(domain)
