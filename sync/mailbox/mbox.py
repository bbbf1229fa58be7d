"""The messages of a file that somebody saved or exported: one .eml, or an mbox of any length in constant memory."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from django.utils.translation import gettext as _

from sync.errors import SyncError
from sync.mailbox.message import Message, read_message

MAX_MESSAGE = 50_000_000  # bytes; of a longer one the beginning is read (its texts come before its attachments)
MAX_LINE = 1_000_000  # bytes read at once
_LOOKED_AT = 65_536

# The first day of the week counts (atomic): a line of nothing else would be looked through once for each.
_SEPARATOR = re.compile(rb"From (?>.*?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b).*?\d\d:\d\d")
_QUOTED_SEPARATOR = re.compile(rb">+From ")
_HEADER = re.compile(rb"^[!-9;-~]+[ \t]*:", re.MULTILINE)
_OF_MAIL = re.compile(
    rb"^(?:From|To|Cc|Subject|Date|Message-ID|Received|Return-Path|MIME-Version|Delivered-To)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_BOM = b"\xef\xbb\xbf"


class NotMailError(SyncError):
    """A file that holds no mail; the message says what to save instead."""


def mailbox_messages(file: BinaryIO) -> Iterator[Message]:
    """Give each message of `file`, read as it comes. NotMailError: it is neither .eml nor mbox."""
    return map(read_message, raw_messages(file))


def raw_messages(file: BinaryIO) -> Iterator[bytes]:
    """Give the bytes of each message. NotMailError at once, before the first."""
    start = file.read(_LOOKED_AT)
    _check(start)
    lines = _lines(file, start.removeprefix(_BOM).lstrip(b"\r\n"))
    first = next(lines, b"")
    if _SEPARATOR.match(first) or first.startswith(b"From "):
        return _split(lines)
    return _whole(chain([first], lines))


def _check(start: bytes) -> None:
    if not start.strip():
        raise NotMailError(_("This file is empty. Choose an .eml or mbox file."))
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotMailError(_("This is Outlook's own .msg format. Save the message as .eml and choose that."))
    if start.startswith((b"!BDN", b"PK\x03\x04", b"\x1f\x8b")):
        raise NotMailError(_("This is an archive. Unpack it, or export as mbox, and choose the .eml or mbox file."))
    head = start.removeprefix(_BOM).lstrip(b"\r\n").replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    first, _end, rest = head.partition(b"\n")
    head = rest if first.startswith((b"From ", b">From ")) else head
    if not (_HEADER.match(head) and _OF_MAIL.search(head)):
        raise NotMailError(_("This file holds no e-mail: it doesn't begin with headers. Choose an .eml or mbox file."))


def _lines(file: BinaryIO, start: bytes) -> Iterator[bytes]:
    """Give the lines of `start` and of what follows it in `file`; a line that is too long in pieces."""
    begun = start.splitlines(keepends=True) if b"\n" in start else [start]
    yield from begun[:-1]
    last = begun[-1] if begun else b""
    yield last if last.endswith(b"\n") else last + file.readline(MAX_LINE)
    while line := file.readline(MAX_LINE):
        yield line


def _whole(lines: Iterator[bytes]) -> Iterator[bytes]:
    kept = _Kept()
    for line in lines:
        kept.add(line)
    yield kept.taken()


def _split(lines: Iterator[bytes]) -> Iterator[bytes]:
    kept = _Kept()
    after_empty = True
    for line in lines:
        if after_empty and _SEPARATOR.match(line):
            yield kept.taken()
            continue
        after_empty = line in (b"\n", b"\r\n")
        kept.add(line[1:] if _QUOTED_SEPARATOR.match(line) else line)
    yield kept.taken()


class _Kept:
    """The lines of one message, up to what is read of it."""

    def __init__(self) -> None:
        self._raw = bytearray()  # not a list of lines: short ones would take thirty times their length

    def add(self, line: bytes) -> None:
        if len(self._raw) < MAX_MESSAGE:
            self._raw += line

    def taken(self) -> bytes:
        raw = bytes(self._raw)
        self._raw.clear()
        return raw
