"""A raw message (RFC 5322) as people read it: who, what about, when, and each text of its body.

Real mail breaks every rule. Nothing here raises because of what a message holds: whatever can't be read is left out
or read in a cruder way, so that rules are compared with as much of it as there is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import Message as ParsedMessage

from sync.mailbox import headers
from sync.mailbox.charsets import clean, decoded
from sync.mailbox.headers import Address
from sync.mailbox.html_text import text_of

MAX_TEXT = 5_000_000  # characters of all texts together; what is beyond it is not read
PER_TAG = 20  # characters that a tag of HTML counts for, by the time it takes
MAX_PARTS = 500
MAX_GUESSED = 20  # parts whose charset is guessed when it isn't told
MAX_LINES = 1_000_000  # the parser makes an object of each; a message of 50 MB has 700,000
MAX_HEAD = 2_000_000  # bytes of all headers
# The parser passes each line through as many calls as there are parts around it. Real mail has five.
MAX_BOUNDARIES = 100
MAX_DEPTH = 50

_BOUNDARY = re.compile(rb"boundary[\s*0-9]*=|content-type:\s*message/", re.IGNORECASE)
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_FIRST_BOUNDARY = re.compile(r"^--(\S[^\r\n]{0,69})\r?$", re.MULTILINE)
_LOOKS_LIKE_HTML = re.compile(r"<(?:html|body|table|div|p|br|font)\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextPart:
    """One text of a body. `html`: what it was made of, when it was HTML."""

    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What can be said of a message. `message_id` is without brackets, "" when missing or malformed; `date` in UTC.

    `texts`: plain text and HTML when both are there; no attachments, and not what an attached message holds.
    """

    message_id: str
    date: datetime | None
    subject: str
    addresses: tuple[Address, ...]
    texts: tuple[TextPart, ...]


def read_message(raw: bytes) -> Message:
    """Return the message in `raw`, which may be anything."""
    parsed = _parsed(raw)
    return Message(
        message_id=headers.message_id(parsed),
        date=headers.date(parsed),
        subject=headers.subject(parsed),
        addresses=headers.addresses(parsed),
        texts=tuple(_texts(parsed)),
    )


def _parsed(raw: bytes) -> ParsedMessage:
    if _is_excessive(raw):
        return _as_one_text(raw)
    try:
        return message_from_bytes(raw, policy=policy.compat32)
    except Exception:  # noqa: BLE001 - the parser's own defects; RecursionError among others
        return _as_one_text(raw)


def _is_excessive(raw: bytes) -> bool:
    if sum(1 for _each in _BOUNDARY.finditer(raw)) > MAX_BOUNDARIES or raw.count(b"\n") > MAX_LINES:
        return True
    end = _EMPTY_LINE.search(raw, 0, MAX_HEAD)
    return end is None and len(raw) > MAX_HEAD


def _as_one_text(raw: bytes) -> ParsedMessage:
    head, _empty, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    flat = message_from_bytes(head[:MAX_HEAD] + b"\n\n", policy=policy.compat32)
    for name in ("content-type", "content-transfer-encoding", "content-disposition"):
        del flat[name]
    flat.set_payload(body.decode("ascii", "surrogateescape"))
    return flat


def _texts(parsed: ParsedMessage) -> Iterator[TextPart]:
    left = MAX_TEXT
    for number, part in enumerate(_leaves(parsed)):
        for found in _read(part, guess=number < MAX_GUESSED) if left > 0 else ():
            text = found.text[: max(left, 0)]
            left -= max(len(text), len(found.html), PER_TAG * found.html.count("<"))
            if text.strip():
                yield TextPart(text, found.html)


def _leaves(parsed: ParsedMessage) -> Iterator[ParsedMessage]:
    """Give the parts that are no containers, in their order."""
    waiting = [(parsed, 0)]
    seen = 0
    while waiting and seen < MAX_PARTS:
        part, depth = waiting.pop()
        seen += 1
        inner = part.get_payload()
        if not isinstance(inner, list):
            yield part
        elif depth < MAX_DEPTH and _type(part).startswith("multipart/"):
            waiting.extend((one, depth + 1) for one in reversed(inner) if isinstance(one, ParsedMessage))


def _read(part: ParsedMessage, *, guess: bool = True) -> list[TextPart]:
    kind = _type(part)
    if _is_attachment(part) or not kind.startswith(("text/", "multipart/")):
        return []
    text = decoded(_bytes(part), _charset(part), guess=guess)
    if kind.startswith("multipart/"):  # its boundary is missing
        return _reread(text)
    return [_of_html(text)] if kind == "text/html" else [TextPart(text)]


def _reread(text: str) -> list[TextPart]:
    """Read a container whose boundary isn't named: by what looks like one, else as one text."""
    boundary = _FIRST_BOUNDARY.search(text)
    if boundary:
        name = boundary[1].rstrip().replace("\\", "\\\\").replace('"', '\\"')
        head = f'Content-Type: multipart/mixed; boundary="{name}"\n\n'
        again = _parsed((head + text).encode("utf-8", "replace"))
        if again.is_multipart():
            kinds = [part for part in _leaves(again) if not _type(part).startswith("multipart/")]
            return [found for part in kinds for found in _read(part, guess=False)]
    return [_of_html(text)] if _LOOKS_LIKE_HTML.search(text) else [TextPart(text)]


def _of_html(html: str) -> TextPart:
    return TextPart(clean(text_of(html)), html)


def _type(part: ParsedMessage) -> str:
    try:
        return part.get_content_type()
    except Exception:  # noqa: BLE001 - foreign text
        return "text/plain"


def _is_attachment(part: ParsedMessage) -> bool:
    try:
        return part.get_content_disposition() == "attachment"
    except Exception:  # noqa: BLE001 - foreign text
        return False


def _charset(part: ParsedMessage) -> str:
    try:
        return str(part.get_content_charset() or "")
    except Exception:  # noqa: BLE001 - foreign text
        return ""


def _bytes(part: ParsedMessage) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - foreign text
        data = None
    if isinstance(data, bytes):
        return data
    return str(part.get_payload()).encode("utf-8", "surrogateescape")
