"""The headers of a real message: whatever they hold, something sensible comes out. Nothing here raises.

Python's own modern header parser (`email.policy.default`) raises on real mail, so it is not asked.
"""

import re
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import NamedTuple

from sync.mailbox.charsets import clean, decoded

ADDRESS_HEADERS = ("from", "sender", "reply-to", "to", "cc", "bcc")

MAX_HEADER = 500_000  # characters of one header; ten thousand recipients fit
MAX_NESTED = 50  # brackets; the parser calls itself for each
MAX_VALUES = 100  # headers of one name; what is beyond them is read as one
MAX_ENCODED_WORDS = 100  # of one header, of which each is worth a guess at its charset
# Each beginning is tried once and nothing twice: whoever writes to us decides how long a header is.
_PIECE = r'[^\s<>"(),:;@\[\]\\]'
_ANYTHING_LIKE_AN_ADDRESS = re.compile(rf"(?<!{_PIECE}){_PIECE}++@{_PIECE}++")
_ID = r"([^<>\s][^<>\s@]*+@[^<>\s]++)"
_MESSAGE_ID = re.compile(rf"<\s*+{_ID}\s*+>|^\s*+{_ID}\s*+$")


class Address(NamedTuple):
    """One address as it stands in a header; `header` in lower case."""

    header: str
    name: str
    address: str


def texts(message: Message, name: str) -> list[str]:
    """Return what each header `name` holds, unfolded but not decoded; bytes beyond ASCII as text."""
    # raw_items doesn't interpret anything; the other ways do.
    found = [str(value) for key, value in message.raw_items() if key.lower() == name]
    if len(found) > MAX_VALUES:
        found[MAX_VALUES - 1 :] = [", ".join(found[MAX_VALUES - 1 :])]
    return [_unescaped(_cut(value)).replace("\r", "").replace("\n", "") for value in found]


def _cut(value: str) -> str:
    """What is too long ends behind a whole address."""
    return value if len(value) <= MAX_HEADER else value[:MAX_HEADER].rpartition(",")[0] or value[:MAX_HEADER]


def _unescaped(value: str) -> str:
    """The parser keeps bytes beyond ASCII as surrogates: read them as the charset that they look like."""
    if value.isascii():
        return value
    return decoded(value.encode("ascii", "surrogateescape") if _is_escaped(value) else value.encode("utf-8", "ignore"))


def _is_escaped(value: str) -> bool:
    return all(character.isascii() or "\udc80" <= character <= "\udcff" for character in value)


def plain(value: str, *, guess: bool = True) -> str:
    """Return an unstructured header (a subject, a name) as people read it: encoded words decoded, on one line."""
    readable = _without_encoded_words(value, guess=guess) if "=?" in value else value
    return " ".join(clean(readable).split()) or " ".join(clean(value).split())


def _without_encoded_words(value: str, *, guess: bool) -> str:
    # Behind the last end no encoded word can begin; the library would look for one there again and again.
    words, end, rest = " ".join(value.splitlines()).rpartition("?=")
    try:
        pieces = decode_header(words + end)
    except Exception:  # noqa: BLE001 - binascii.Error, HeaderParseError and what else a foreign text brings
        return value
    guess = guess and len(pieces) <= MAX_ENCODED_WORDS
    read = (each if isinstance(each, str) else decoded(each, charset or "", guess=guess) for each, charset in pieces)
    return "".join(read) + rest


def subject(message: Message) -> str:
    return " ".join(plain(value) for value in texts(message, "subject"))


def addresses(message: Message) -> tuple[Address, ...]:
    """Return every address of the headers that name participants, in the headers' order, each header's each once."""
    found: dict[Address, None] = {}
    for header in ADDRESS_HEADERS:
        for value in texts(message, header):
            for name, address in _parsed(value):
                found.setdefault(Address(header, plain(name, guess=False), address))
    return tuple(found)


def _parsed(value: str) -> list[tuple[str, str]]:
    """Return (name, address) pairs. Where nothing can be parsed, all that looks like an address counts."""
    pairs: list[tuple[str, str]] = []
    if value.count("(") + value.count("<") + value.count("[") <= value.count("@") + MAX_NESTED:
        try:
            pairs = getaddresses([value])
        except Exception:  # noqa: BLE001 - foreign text; RecursionError among others
            pairs = []
    cleaned = [(name, clean(address).strip()) for name, address in pairs]
    good = [(name, address) for name, address in cleaned if _ANYTHING_LIKE_AN_ADDRESS.fullmatch(address)]
    if good:
        return good
    return [("", match) for match in _ANYTHING_LIKE_AN_ADDRESS.findall(clean(value))]


def message_id(message: Message) -> str:
    """Return the Message-ID without brackets, or "" when it is missing or malformed."""
    for value in texts(message, "message-id"):
        match = _MESSAGE_ID.search(value)
        if match:
            return clean(match[1] or match[2])
    return ""


def date(message: Message) -> datetime | None:
    """Return when it was written, in UTC; without a zone it is taken for UTC. None: nobody can tell."""
    moments = (_moment(value) for value in texts(message, "date"))
    return next((moment for moment in moments if moment is not None), None)


def _moment(value: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except Exception:  # noqa: BLE001 - foreign text: years beyond 9999, zones of 99 hours, words
        return None
