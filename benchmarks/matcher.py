"""How many messages a second the blacklists decide, and in how much memory: `python -m benchmarks.matcher`.

On real mail (benchmarks/real_mail.py), in pieces of 5 kB of ready text, at 100, 10,000 and 100,000 rules that stop
none of them: the whole text is compared with all rules. Beside it, on the same messages and rules: one expression of
all keywords with `|` between them, and a loop that looks for each keyword in the text. Each runs in a process of its
own, and what counts is its time on its core, whatever else runs here. The slow ones get as many messages as they
manage in a few seconds; nothing is extrapolated.
"""

import argparse
import gc
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django

from benchmarks import real_mail
from benchmarks.figures import Figure, as_table
from benchmarks.installation import ROOT
from sync.mailbox.message import read_message

if TYPE_CHECKING:
    from blacklist.matcher import MessageFacts, RuleRow

    Decide = Callable[[MessageFacts], bool]

Piece = tuple[list[str], str, str]  # addresses, subject, text

COUNTS = (100, 10_000, 100_000)
WAYS = ("ours", "expression", "loop")
CHARACTERS = 5_000
AT_LEAST = 4_000  # messages a second with 100,000 rules
SECONDS = 3.0  # of a run, and at least one message
REPEATS = 5  # the fastest counts: what else runs here takes the caches, too
# What a large organisation's lists are made of, of 100.
MIXTURE = {"domain": 20, "address": 20, "word": 40, "two words": 10, "three words": 5, "prefix": 5}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way did. `memory` in MB, of the compiled rules; `compiled` in seconds."""

    messages: int
    seconds: float
    stopped: int
    memory: float
    compiled: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def set_up_django() -> None:
    """Set it up, unless it is: nothing here asks a database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()


def figures(say: Callable[[str], None] = print) -> list[Figure]:
    """Return the figures; none, said loudly, without real mail."""
    if not real_mail.is_there():
        say(f"\n*** {real_mail.MISSING} ***\n")
        return []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pieces.json"
        began, pieces = time.perf_counter(), list(_pieces())
        say(f"matcher: {len(pieces):,} pieces of {CHARACTERS:,} characters, in {time.perf_counter() - began:.0f} s")
        file.write_text(json.dumps(pieces))
        outcomes = {}
        for count in COUNTS:
            for way in WAYS:
                outcomes[way, count] = outcome = _in_a_process(way, count, file)
                say(f"matcher: {way}, {count:,} rules: {outcome.rate:,.0f} messages/s ({outcome.messages:,} messages)")
    return [figure for count in COUNTS for figure in _figures_of(count, *(outcomes[way, count] for way in WAYS))]


def _figures_of(count: int, ours: Outcome, expression: Outcome, loop: Outcome) -> list[Figure]:
    wanted = AT_LEAST if count == max(COUNTS) else None
    of_rules = f"at {count:,} rules"
    rate, compiled = round(ours.rate, 1), round(ours.compiled, 3)
    return [
        Figure(
            f"blacklists: messages a second {of_rules} (naive: one expression)",
            rate,
            round(expression.rate, 1),
            "messages/s",
            at_least=wanted,
        ),
        Figure(
            f"blacklists: the same {of_rules} (naive: a loop over the keywords)",
            rate,
            round(loop.rate, 1),
            "messages/s",
        ),
        Figure(f"blacklists: memory {of_rules} (naive: one expression)", ours.memory, expression.memory, "MB"),
        Figure(
            f"blacklists: compiling {of_rules} (naive: one expression)", compiled, round(expression.compiled, 3), "s"
        ),
    ]


def _in_a_process(way: str, count: int, file: Path) -> Outcome:
    command = [sys.executable, "-m", "benchmarks.matcher", "--way", way, "--rules", str(count), "--pieces", str(file)]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}  # not those of another measurement
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return Outcome(**json.loads(done.stdout))


def _pieces() -> Iterator[Piece]:
    """Give clean messages' texts, joined until they have CHARACTERS."""
    text = ""
    for _name, raw in real_mail.raw_messages(clean_only=True):
        message = read_message(raw)
        text = "\n".join([text, *(part.text for part in message.texts)])
        while len(text) >= CHARACTERS:
            yield [one.address for one in message.addresses], message.subject, text[:CHARACTERS]
            text = text[CHARACTERS:]


def rules(count: int, words: Sequence[str], chance: random.Random) -> "list[RuleRow]":
    """Return rules made of the messages' own words, so that nothing can be told from a first look, in MIXTURE.

    A word of theirs with three letters behind it is a word that none of them has.
    """
    from blacklist.matcher import RuleRow  # noqa: PLC0415 - needs Django
    from blacklist.models import RuleKind  # noqa: PLC0415 - needs Django

    def word() -> str:
        return chance.choice(words)

    def other() -> str:
        return word() + "".join(chance.choices("bcdfghjkqvwxz", k=3))

    make: dict[str, Callable[[], tuple[RuleKind, str]]] = {
        "domain": lambda: (RuleKind.DOMAIN, f"{other()}.example"),
        "address": lambda: (RuleKind.ADDRESS, f"{other()}@{other()}.example"),
        "word": lambda: (RuleKind.KEYWORD, other()),
        "two words": lambda: (RuleKind.KEYWORD, f"{word()} {word()}"),
        "three words": lambda: (RuleKind.KEYWORD, f"{word()} {word()} {other()}"),
        "prefix": lambda: (RuleKind.KEYWORD, f"{other()}*"),
    }
    kinds = chance.choices(list(MIXTURE), weights=list(MIXTURE.values()), k=count)
    return [RuleRow(number, *make[kind]()) for number, kind in enumerate(kinds)]


def measure(way: str, count: int, pieces: Sequence[Piece]) -> Outcome:
    """Decide about each piece, as often as the time allows."""
    from blacklist.words import words as words_of  # noqa: PLC0415 - beside the others

    known = sorted({word for _addresses, _subject, text in pieces for word in words_of(text) if word.isascii()})
    make = {"ours": _ours, "expression": _expression, "loop": _loop}[way]
    rows = rules(count, known, random.Random(1))
    began = time.process_time()
    decide = make(rows)
    compiled = time.process_time() - began
    runs = [_decided(decide, pieces) for _each in range(REPEATS)]
    messages, seconds, stopped = min(runs, key=lambda run: run[1] / run[0])
    del decide, rows
    return Outcome(messages, seconds, stopped, _memory(make, count, known), compiled)


def _memory(make: "Callable[[list[RuleRow]], Decide]", count: int, known: Sequence[str]) -> float:
    """Return what is held once the rules are compiled, in MB, their own texts included."""
    tracemalloc.start()
    decide = make(rules(count, known, random.Random(1)))
    gc.collect()
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del decide
    return round(held / 1e6, 1)


def _decided(decide: "Decide", pieces: Sequence[Piece]) -> tuple[int, float, int]:
    """Return (messages, seconds of this process on its core, how many messages were stopped)."""
    from blacklist.matcher import BodyPart, MessageFacts, Part, Participant  # noqa: PLC0415 - needs Django

    # Made anew for each run: they remember their words.
    messages = [
        MessageFacts(tuple(Participant(Part.TO, one) for one in addresses), subject, (BodyPart(text),))
        for addresses, subject, text in pieces
    ]
    began, stopped, done = time.process_time(), 0, 0
    for message in messages:
        stopped += decide(message)
        done += 1
        if time.process_time() - began > SECONDS:
            break
    return done, time.process_time() - began, stopped


def _ours(rows: "list[RuleRow]") -> "Decide":
    from blacklist.matcher import Matcher  # noqa: PLC0415 - needs Django

    matcher = Matcher(rows)
    return lambda message: matcher.match(message) is not None


def _keywords(rows: "list[RuleRow]") -> list[str]:
    return [row.match for row in rows if row.kind == "keyword"]


def _senders(rows: "list[RuleRow]") -> set[str]:
    return {row.match for row in rows if row.kind != "keyword"}


def _text(message: "MessageFacts") -> str:
    return f"{message.subject}\n{message.body[0].text}".lower()


def _is_blocked(message: "MessageFacts", senders: set[str]) -> bool:
    addresses = (address.lower() for _part, address in message.participants)
    return any(address in senders or address.partition("@")[2] in senders for address in addresses)


def _expression(rows: "list[RuleRow]") -> "Decide":
    senders = _senders(rows)
    written = (re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for word in _keywords(rows))
    expression = re.compile(rf"\b(?:{'|'.join(written)})\b")
    return lambda message: _is_blocked(message, senders) or expression.search(_text(message)) is not None


def _loop(rows: "list[RuleRow]") -> "Decide":
    senders = _senders(rows)
    keywords = [word.removesuffix("*") for word in _keywords(rows)]

    def decide(message: "MessageFacts") -> bool:
        text = _text(message)
        return _is_blocked(message, senders) or any(word in text for word in keywords)

    return decide


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matcher", description=__doc__)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--rules", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--pieces", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    set_up_django()
    if arguments.way:
        print(json.dumps(asdict(measure(arguments.way, arguments.rules, json.loads(arguments.pieces.read_text())))))
        return 0
    print("\n".join(as_table(figures())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
