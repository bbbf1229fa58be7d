"""Try a rule before it counts (B4): which of the messages that pass today it would stop. Nothing of them is kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import BinaryIO, NamedTuple

from blacklist.matcher import Match, Matcher, MessageFacts, RuleRow
from blacklist.rules import ParsedRule, RuleLine
from sync.mailbox.mbox import mailbox_messages
from sync.mailbox.message import Message
from sync.message_facts import facts_of

MAX_MESSAGES = 5_000
MAX_SECONDS = 20.0
LISTED = 200  # of the messages that would be stopped
LONGEST_TEXT = 200  # characters of a subject or a sender


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that a rule may be tried on. `mailbox`: whose it is; "" in a file, where that isn't known."""

    facts: MessageFacts
    date: datetime | None
    sender: str
    subject: str
    mailbox: str = ""


class Stopped(NamedTuple):
    """A message that would be stopped, and the entries that would stop it."""

    date: datetime | None
    sender: str
    subject: str
    mailbox: str
    entries: tuple[str, ...]


class EntryCount(NamedTuple):
    """How many messages an entry would stop; `quoted`: those for a signature, disclaimer or quoted text alone."""

    entry: str
    stopped: int
    quoted: int


@dataclass(slots=True)
class Trial:
    """What came out. `looked_at` counts all messages, `passed` those that today's rules let pass."""

    looked_at: int = 0
    passed: int = 0
    stopped: int = 0
    first: list[Stopped] = field(default_factory=list)  # at most LISTED
    entries: list[EntryCount] = field(default_factory=list)  # the most eager first; those that stop nothing, too
    cut_short: bool = False  # there were more messages than one trial looks at


def candidates_in(file: BinaryIO, own_addresses: Sequence[str]) -> Iterator[Candidate]:
    """Give the messages of an .eml or mbox file, read as they come. NotMailError: it is neither."""
    return (_candidate(message, own_addresses) for message in mailbox_messages(file))


def try_rules(
    candidates: Iterable[Candidate],
    in_force: Sequence[RuleLine],
    tried: Sequence[ParsedRule],
    *,
    max_messages: int = MAX_MESSAGES,
    max_seconds: float = MAX_SECONDS,
    clock: Callable[[], float] = monotonic,
) -> Trial:
    """Try rules on messages, until these or the time run out. `in_force`: the rules that count today."""
    matching = _Matching(in_force, tried)
    trial = Trial()
    stopping: Counter[int] = Counter()
    quoted: Counter[int] = Counter()
    until = clock() + max_seconds
    for candidate in candidates:
        if trial.looked_at >= max_messages or clock() > until:
            trial.cut_short = True
            break
        trial.looked_at += 1
        if matching.stops_today(candidate.facts):
            continue
        trial.passed += 1
        everywhere, quoted_alone = matching.tried_on(candidate.facts)
        stopping.update(everywhere)
        quoted.update(quoted_alone)
        if everywhere:
            trial.stopped += 1
            if len(trial.first) < LISTED:
                trial.first.append(_stopped(candidate, [tried[number].value for number in everywhere]))
    counts = [EntryCount(rule.value, stopping[number], quoted[number]) for number, rule in enumerate(tried)]
    trial.entries = sorted(counts, key=lambda count: (-count.stopped, count.entry))
    return trial


class _Matching:
    """The rules in force and those that are tried, compiled once for all messages."""

    def __init__(self, in_force: Sequence[RuleLine], tried: Sequence[ParsedRule]) -> None:
        self._in_force = _compiled(in_force)
        self._tried = _compiled(tried)
        self._leaving_out = _compiled([replace(rule, ignore_quoted=True) for rule in tried])

    def stops_today(self, facts: MessageFacts) -> bool:
        return self._in_force.match(facts) is not None

    def tried_on(self, facts: MessageFacts) -> tuple[list[int], list[int]]:
        """Return the tried rules that stop a message, and of these the ones that only quoted text makes do so."""
        everywhere = _numbers(self._tried.matches(facts))
        if not everywhere:
            return [], []
        outside = _numbers(self._leaving_out.matches(facts))
        return sorted(everywhere), sorted(everywhere - outside)


def _compiled(rules: Sequence[RuleLine]) -> Matcher:
    return Matcher(RuleRow(number, rule.kind, rule.match, rule.ignore_quoted) for number, rule in enumerate(rules))


def _numbers(matches: Iterable[Match]) -> set[int]:
    return {match.number for match in matches}


def _candidate(message: Message, own_addresses: Sequence[str]) -> Candidate:
    senders = (address.address for address in message.addresses if address.header == "from")
    return Candidate(facts_of(message, own_addresses), message.date, next(senders, ""), message.subject)


def _stopped(candidate: Candidate, entries: list[str]) -> Stopped:
    return Stopped(
        candidate.date, _short(candidate.sender), _short(candidate.subject), candidate.mailbox, tuple(entries)
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
