"""Which of many keywords stand in a text: a question whose cost hardly grows with the number of keywords."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, compress, pairwise
from operator import itemgetter


class KeywordIndex:
    """Words, phrases and prefixes, each with a number of the caller's own. Made once, never changed."""

    def __init__(self, keywords: Iterable[tuple[str, int]]) -> None:
        """`keywords`: `Rule.match` and its number. Of equal keywords the first counts."""
        self._words: dict[str, int] = {}
        # A phrase is found by its first two words, then by its length: one look-up a length that exists there.
        self._pairs: dict[tuple[str, str], int] = {}
        self._longer: defaultdict[tuple[str, str], dict[int, dict[tuple[str, ...], int]]] = defaultdict(dict)
        self._prefixes: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for match, number in keywords:
            self._add(match, number)
        self._longer.default_factory = self._prefixes.default_factory = None
        self._single = frozenset(self._words)
        self._begins = frozenset((*self._pairs, *self._longer))
        self._phrase_starts = frozenset(first for first, _second in self._begins)
        # The prefixes' beginnings of the shortest prefix's length: most words of a text begin with none of them.
        self._start_of = itemgetter(slice(min(self._prefixes, default=0)))
        prefixes = chain.from_iterable(self._prefixes.values())
        self._prefix_starts = frozenset(map(self._start_of, prefixes))

    def _add(self, match: str, number: int) -> None:
        if match.endswith("*"):
            self._prefixes[len(match) - 1].setdefault(match[:-1], number)
            return
        first, *rest = match.split(" ")
        if not rest:
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
        if not words:
            return
        distinct = set(words)
        if self._words:
            yield from sorted(map(self._words.__getitem__, self._single & distinct))
        if not self._phrase_starts.isdisjoint(distinct):
            yield from sorted(self._phrases(words))
        if self._prefixes:
            yield from sorted(self._prefixes_of(distinct))

    def _phrases(self, words: Sequence[str]) -> Iterator[int]:
        # Most of it happens in C: which neighbours are the beginning of a phrase, among those whose first word is one.
        neighbours = compress(pairwise(words), map(self._phrase_starts.__contains__, words))
        begun = self._begins.intersection(neighbours)
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
        candidates = list(compress(words, map(self._prefix_starts.__contains__, map(self._start_of, words))))
        for length, prefixes in self._prefixes.items() if candidates else ():
            for word in candidates:
                # A word that is shorter than the prefix is cut to itself, and no prefix of this length.
                number = prefixes.get(word[:length])
                if number is not None:
                    yield number
