"""Which rule stops a message, and in which part of it (M18, M19). Pure: rules and a message in, an answer out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from blacklist.keywords import KeywordIndex
from blacklist.models import RuleKind
from blacklist.senders import compared_address, with_parents
from blacklist.words import words


class Part(TextChoices):
    """The parts of a message that rules are compared with."""

    FROM = "from", _("From")
    SENDER = "sender", _("Sender")
    REPLY_TO = "reply_to", _("Reply-To")
    TO = "to", _("To")
    CC = "cc", _("Cc")
    BCC = "bcc", _("Bcc")
    SUBJECT = "subject", _("Subject")
    BODY = "body", _("Body")


class Participant(NamedTuple):
    """An address as it stands in a header."""

    part: Part
    address: str


@dataclass(frozen=True, slots=True)
class BodyPart:
    """One text of a message: its plain text, or what a reader sees of its HTML.

    `own_text` gives the text without signature, disclaimers and quotes. It is asked for only after a rule that leaves
    those out has matched `text`; whatever it raises, `text` counts as a whole. None: nothing can be left out.
    """

    text: str
    own_text: Callable[[], str] | None = None


@dataclass(frozen=True)
class MessageFacts:
    """What of a message is compared. Its words are found once, however many blacklists ask.

    `own_addresses` are those of the mailbox it lies in: they never count.
    """

    participants: tuple[Participant, ...] = ()
    subject: str = ""
    body: tuple[BodyPart, ...] = ()
    own_addresses: frozenset[str] = frozenset()

    @cached_property
    def strangers(self) -> list[Participant]:
        """The participants without the mailbox's own addresses, each as rules are written."""
        own = {compared_address(address) for address in self.own_addresses}
        compared = (Participant(part, compared_address(address)) for part, address in self.participants)
        return [one for one in compared if one.address not in own]

    @cached_property
    def subject_words(self) -> list[str]:
        return words(self.subject)

    @cached_property
    def body_words(self) -> list[tuple[BodyPart, list[str]]]:
        """Each part with its words; parts that say the same (plain text and HTML) are there once."""
        if len(self.body) == 1:
            (only,) = self.body
            return [(only, words(only.text))]
        found: list[tuple[BodyPart, list[str]]] = []
        seen: set[tuple[str, ...]] = set()
        for part in self.body:
            said = words(part.text)
            same = tuple(said)
            if same not in seen:
                seen.add(same)
                found.append((part, said))
        return found


class RuleRow(NamedTuple):
    """One rule to compile; `number` is the caller's own (its primary key), `match` as Rule.match."""

    number: int
    kind: str
    match: str
    ignore_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Which rule stopped a message, and where it matched."""

    number: int
    part: Part


class Matcher:
    """The rules of one blacklist, compiled. Never changed after it was made, so threads may share it."""

    def __init__(self, rules: Iterable[RuleRow]) -> None:
        # Rules that count everywhere come first: of equal keywords the first one counts.
        rows = sorted(rules, key=lambda row: (row.ignore_quoted, row.number))
        self._addresses = {row.match: row.number for row in reversed(rows) if row.kind == RuleKind.ADDRESS}
        # Both "example.com" and "=example.com" are keys as they stand.
        self._domains = {row.match: row.number for row in reversed(rows) if row.kind == RuleKind.DOMAIN}
        keywords = [row for row in rows if row.kind == RuleKind.KEYWORD]
        self._keywords = KeywordIndex((row.match, row.number) for row in keywords)
        self._ignoring = frozenset(row.number for row in keywords if row.ignore_quoted)
        self._count = len(rows)

    def __len__(self) -> int:
        """How many rules it was made of."""
        return self._count

    def match(self, message: MessageFacts) -> Match | None:
        """Return the first rule that stops `message`, or None: addresses, then the subject, then the body."""
        return next(self.matches(message), None)

    def matches(self, message: MessageFacts) -> Iterator[Match]:
        """Give every rule that stops `message`, with each part where it does."""
        if self._addresses or self._domains:
            for part, address in message.strangers:
                for number in self._stopping_address(address):
                    yield Match(number, part)
        for number in self._keywords.found_in(message.subject_words):
            yield Match(number, Part.SUBJECT)
        for number in self._in_body(message):
            yield Match(number, Part.BODY)

    def _stopping_address(self, address: str) -> Iterator[int]:
        number = self._addresses.get(address)
        if number is not None:
            yield number
        domain = address.rpartition("@")[2]
        for key in (f"={domain}", *with_parents(domain)):
            number = self._domains.get(key)
            if number is not None:
                yield number

    def _in_body(self, message: MessageFacts) -> Iterator[int]:
        doubtful: list[tuple[BodyPart, set[int]]] = []
        for part, said in message.body_words:
            found = set()
            for number in self._keywords.found_in(said):
                if number in self._ignoring:
                    found.add(number)
                else:
                    yield number
            if found:
                doubtful.append((part, found))
        # Taking a text apart is slow: only now, when nothing else has stopped the message.
        for part, found in doubtful:
            yield from self._outside_quotes(part, found)

    def _outside_quotes(self, part: BodyPart, found: set[int]) -> list[int]:
        """Return which of the rules in `found` match what the sender wrote now; all of them when that isn't known."""
        if part.own_text is None:
            return sorted(found)
        try:
            own = part.own_text()
        except Exception:  # noqa: BLE001 - whatever goes wrong in a foreign text: stopped is the safe side
            return sorted(found)
        return sorted(found.intersection(self._keywords.found_in(words(own))))
