"""Which of many keywords stand in a text: a question whose cost hardly grows with the number of keywords."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress, pairwise
from operator import itemgetter

# Longer prefixes are found by their first letters: most words of a text begin with none of those. The more letters, the
# fewer words are left to look at one by one, so that long prefixes have a step of their own.
_STEPS = (4, 7)
_START = _STEPS[0]


class KeywordIndex:
    """Words, phrases and prefixes, each with a number of the caller's own. Made once, never changed.

    What every word of a text goes through is set operations, which run in C; Python sees only what they leave.
    """

    def __init__(self, keywords: Iterable[tuple[str, int]]) -> None:
        """`keywords`: `Rule.match` and its number. Of equal keywords the first counts."""
        self._words: dict[str, int] = {}
        # A phrase is found by its first two words, then by its length: one look-up a length that exists there.
        self._pairs: dict[tuple[str, str], int] = {}
        self._longer: defaultdict[tuple[str, str], dict[int, dict[tuple[str, ...], int]]] = defaultdict(dict)
        self._prefixes: dict[str, int] = {}
        for match, number in keywords:
            self._add(match, number)
        self._longer.default_factory = None
        self._single = frozenset(self._words)
        self._beginnings = frozenset((*self._pairs, *self._longer))
        self._short_prefixes = _by_length(prefix for prefix in self._prefixes if len(prefix) < _START)
        self._steps = [
            (start, itemgetter(slice(start)), lengths) for start in _STEPS if (lengths := self._lengths_of_step(start))
        ]

    def _add(self, match: str, number: int) -> None:
        first, *rest = match.split(" ")
        if match.endswith("*"):
            self._prefixes.setdefault(match[:-1], number)
        elif not rest:
            self._words.setdefault(first, number)
        elif len(rest) == 1:
            self._pairs.setdefault((first, rest[0]), number)
        else:
            of_length = self._longer[first, rest[0]].setdefault(len(rest) + 1, {})
            of_length.setdefault((first, *rest), number)

    def found_in(self, words: Sequence[str]) -> Iterator[int]:
        """Give the number of each keyword in `words` (see blacklist.words): single words, phrases, then prefixes.

        Numbers of one sort come in ascending order; a keyword that stands there twice may come twice.
        """
        distinct = frozenset(words)
        if self._words:
            yield from sorted(map(self._words.__getitem__, self._single & distinct))
        if self._beginnings:
            yield from sorted(self._phrases(words))
        if self._prefixes:
            yield from sorted(self._prefixes_of(distinct))

    def _phrases(self, words: Sequence[str]) -> Iterator[int]:
        begun = self._beginnings.intersection(pairwise(words))
        for pair in begun:
            if pair in self._pairs:
                yield self._pairs[pair]
        longer = self._longer.keys() & begun
        if longer:
            yield from self._longer_phrases(words, longer)

    def _longer_phrases(self, words: Sequence[str], begun: AbstractSet[tuple[str, str]]) -> Iterator[int]:
        for position, pair in enumerate(pairwise(words)):
            if pair in begun:
                for length, phrases in self._longer[pair].items():
                    number = phrases.get(tuple(words[position : position + length]))
                    if number is not None:
                        yield number

    def prefixes_of(self, word: str) -> list[int]:
        """Return the numbers of the prefixes that `word` begins with."""
        return sorted(self._prefixes_of({word}))

    def _prefixes_of(self, words: AbstractSet[str]) -> Iterator[int]:
        # (A word shorter than a length is cut to itself, and no prefix of that length.)
        for length, prefixes in self._short_prefixes.items():
            for prefix in prefixes.intersection(map(itemgetter(slice(length)), words)):
                yield self._prefixes[prefix]
        for start, start_of, lengths in self._steps:
            for word in compress(words, map(lengths.__contains__, map(start_of, words))):
                for length in lengths[word[:start]]:
                    number = self._prefixes.get(word[:length])
                    if number is not None and len(word) >= length:
                        yield number

    def _lengths_of_step(self, start: int) -> dict[str, tuple[int, ...]]:
        """Return the lengths of the prefixes that belong to a step, by their first letters."""
        longer = [step for step in _STEPS if step > start]
        end = min(longer, default=None)
        of_step = (p for p in self._prefixes if len(p) >= start and (end is None or len(p) < end))
        return _lengths_by_start(of_step, start)


def _by_length(prefixes: Iterable[str]) -> dict[int, frozenset[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for prefix in prefixes:
        found[len(prefix)].add(prefix)
    return {length: frozenset(of_length) for length, of_length in found.items()}


def _lengths_by_start(prefixes: Iterable[str], start: int) -> dict[str, tuple[int, ...]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for prefix in prefixes:
        found[prefix[:start]].add(len(prefix))
    return {start: tuple(sorted(lengths)) for start, lengths in found.items()}
