"""Files of mail."""

import io
from collections.abc import Callable
from itertools import islice

import pytest

from sync.mailbox import mbox
from sync.mailbox.mbox import NotMailError, mailbox_messages, raw_messages

ONE = b"From: ann@example.com\nSubject: One\n\nHello\n"
MBOX = (
    b"From ann@example.com Mon Nov 23 10:00:00 2026\n"
    + ONE
    + b"\nFrom - Mon Nov 23 10:00:00 2026\n"
    + b"Subject: Two\n\nFrom here on it is private.\n>From the start\n\nFrom me too, 10:00 in 2026\n"
    + b"\nFrom bob@example.com Mon Nov 23 10:00:01 2026\nSubject: Three\n\n"
)


def _subjects(data: bytes) -> list[str]:
    return [message.subject for message in mailbox_messages(io.BytesIO(data))]


@pytest.mark.parametrize(
    "change", [bytes, lambda data: data.replace(b"\n", b"\r\n"), lambda data: b"\xef\xbb\xbf" + data]
)
def test_eml_holds_one_message(change: Callable[[bytes], bytes]) -> None:
    assert _subjects(change(ONE)) == ["One"]


def test_mbox_holds_many() -> None:
    messages = list(mailbox_messages(io.BytesIO(MBOX)))
    assert [message.subject for message in messages] == ["One", "Two", "Three"]
    assert messages[1].texts[0].text.strip() == (
        "From here on it is private.\nFrom the start\n\nFrom me too, 10:00 in 2026"
    )


def test_mbox_with_windows_line_ends() -> None:
    assert _subjects(MBOX.replace(b"\n", b"\r\n")) == ["One", "Two", "Three"]


def test_eml_that_was_cut_from_an_mbox_is_one_message() -> None:
    assert _subjects(b"From ann@example.com\n" + ONE) == ["One"]


class _Endless(io.RawIOBase):
    """An mbox that never ends; counts what is read of it."""

    def __init__(self) -> None:
        self._rest = b""
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        while len(self._rest) < size:
            self._rest += MBOX
        data, self._rest = self._rest[:size], self._rest[size:]
        self.taken += len(data)
        return data

    def readline(self, size: int | None = -1) -> bytes:
        while b"\n" not in self._rest:
            self._rest += MBOX
        line, end, self._rest = self._rest.partition(b"\n")
        self.taken += len(line + end)
        return line + end


def test_mbox_is_read_as_it_is_asked_for() -> None:
    file = _Endless()
    assert len(list(islice(mailbox_messages(file), 1000))) == 1000  # type: ignore[arg-type]
    assert file.taken < 1000 * len(MBOX)


def test_message_that_is_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox, "MAX_MESSAGE", 100)
    monkeypatch.setattr(mbox, "MAX_LINE", 40)
    monkeypatch.setattr(mbox, "_LOOKED_AT", 60)
    (raw,) = raw_messages(io.BytesIO(ONE + b"x" * 10_000))
    assert raw.startswith(ONE)
    assert len(raw) <= 200


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "This file is empty. Choose an .eml or mbox file."),
        (b" \r\n\r\n", "This file is empty. Choose an .eml or mbox file."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1",
            "This is Outlook's own .msg format. Save the message as .eml and choose that.",
        ),
        (
            b"PK\x03\x04 and so on",
            "This is an archive. Unpack it, or export as mbox, and choose the .eml or mbox file.",
        ),
        (
            b"kind,value\ndomain,example.com\n",
            "This file holds no e-mail: it doesn't begin with headers. Choose an .eml or mbox file.",
        ),
        (
            b"name: value\nother: value\n\n",
            "This file holds no e-mail: it doesn't begin with headers. Choose an .eml or mbox file.",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(1000),
            "This file holds no e-mail: it doesn't begin with headers. Choose an .eml or mbox file.",
        ),
        (
            "From: ann@example.com\n\nx".encode("utf-16"),
            "This file holds no e-mail: it doesn't begin with headers. Choose an .eml or mbox file.",
        ),
    ],
)
def test_file_without_mail_is_refused_at_once(data: bytes, message: str) -> None:
    with pytest.raises(NotMailError) as refused:
        mailbox_messages(io.BytesIO(data))
    assert str(refused.value) == message


def test_line_of_nothing_but_days_of_the_week_is_no_separator() -> None:
    assert _subjects(MBOX + b"\n\nFrom " + b"Mon " * 240_000 + b"\n") == ["One", "Two", "Three"]
