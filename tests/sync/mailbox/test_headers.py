"""Headers as they come."""

from datetime import UTC, datetime

import pytest

from sync.mailbox.headers import MAX_HEADER, Address
from sync.mailbox.message import Message, read_message


def _read(*lines: str | bytes) -> Message:
    return read_message(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n\n")


def _addresses(*lines: str | bytes) -> list[str]:
    return [one.address for one in _read(*lines).addresses]


def test_every_header_that_names_participants() -> None:
    message = _read(
        "From: Ann Lee <ann@example.com>",
        "Sender: office@example.com",
        "Reply-To: <reply@example.com>",
        'To: "Lee, Bob" <bob@example.com>, carl@example.com',
        "CC: Team: d@example.com, e@example.com;",
        "Bcc: undisclosed-recipients:;",
        "To: f@example.com",
        "X-Original-To: nobody@example.com",
    )
    assert message.addresses == (
        Address("from", "Ann Lee", "ann@example.com"),
        Address("sender", "", "office@example.com"),
        Address("reply-to", "", "reply@example.com"),
        Address("to", "Lee, Bob", "bob@example.com"),
        Address("to", "", "carl@example.com"),
        Address("to", "", "f@example.com"),
        Address("cc", "", "d@example.com"),
        Address("cc", "", "e@example.com"),
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("From: ann@example.com (Ann)", ["ann@example.com"]),
        ("From: =?utf-8?q?J=C3=B6rg=2C_Dr=2E?= <j@example.com>", ["j@example.com"]),
        ("From: ann@müller.example", ["ann@müller.example"]),
        ("From: Ann <ann@example.com>,", ["ann@example.com"]),
        ("From: <ann@example.com", ["ann@example.com"]),
        ("From: Ann ann@example.com", ["ann@example.com"]),
        ("From: [ann@example.com]", ["ann@example.com"]),
        ("From: ", []),
        ("From: nobody", []),
        ("From: " + "(" * 5000 + "ann@example.com", ["ann@example.com"]),
        ("From: " + "<" * 5000 + "ann@example.com", ["ann@example.com"]),
        ("From: ann@example.com\x00", ["ann@example.com"]),
    ],
)
def test_address_is_found(line: str, expected: list[str]) -> None:
    assert _addresses(line) == expected


def test_long_list_is_read_up_to_a_bound() -> None:
    many = ", ".join(f"person{number}@example.com" for number in range(3000))
    assert _addresses(f"To: {many}") == [f"person{number}@example.com" for number in range(3000)]
    assert len(_addresses("To: " + "a@example.com,b@example.org," * MAX_HEADER)) == 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Subject: The merger", "The merger"),
        ("Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?b?w7xiZXI=?= all", "Grüßeüber all"),
        ("Subject: folded\n and\n\tgoing on", "folded and going on"),
        ("Subject: Grüße", "Grüße"),
        (b"Subject: Gr\xfc\xdfe aus K\xf6ln", "Grüße aus Köln"),
        ("Subject: =?utf-8?b?w7xiZX?= =?no-such?q?=FC?=", None),
        ("Subject: =?utf-8?b?!!!!?=", None),
        ("Subject: =?utf-8?q?pri=00vate?=", "private"),
        ("Subject:", ""),
        ("X-Other: 1", ""),
    ],
)
def test_subject(line: str | bytes, expected: str | None) -> None:
    subject = _read(line).subject
    if expected is None:  # nonsense: whatever it is, it is text on one line
        assert subject.encode()
        assert "\n" not in subject
    else:
        assert subject == expected


def test_two_subjects_are_both_read() -> None:
    assert _read("Subject: harmless", "Subject: merger").subject == "harmless merger"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Message-ID: <a.B@example.com>", "a.B@example.com"),
        ("Message-ID:\n  < a@example.com >", "a@example.com"),
        ("Message-Id: a@example.com", "a@example.com"),
        ("Message-ID: <a@[1.2.3.4]>", "a@[1.2.3.4]"),
        ("Message-ID: <abc@[1.2", ""),
        ("Message-ID: <>", ""),
        ("Message-ID: nonsense", ""),
        ("X-Other: 1", ""),
    ],
)
def test_message_id(line: str, expected: str) -> None:
    assert _read(line).message_id == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Date: Mon, 23 Nov 2026 10:00:00 +0200", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("Date: 23 Nov 2026 10:00:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("Date: Mon, 23 Nov 2026 10:00:00 -0000", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("Date: Thu, 99 Foo 2026 10:00", None),
        ("Date: Mon, 23 Nov 2026 10:00:00 +9999", None),
        ("Date: 1 Jan 99999 10:00:00 +0000", None),
        ("Date: yesterday", None),
        ("X-Other: 1", None),
    ],
)
def test_date(line: str, expected: datetime | None) -> None:
    assert _read(line).date == expected


def test_the_first_date_that_can_be_read_counts() -> None:
    assert _read("Date: nonsense", "Date: 23 Nov 2026 10:00:00 +0000").date == datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", []), (".", []), ("a@", ["a@a"]), ("é", []), ("ann@example.com ", ["ann@example.com"])],
)
def test_one_thing_over_and_over_is_read_once(value: str, expected: list[str]) -> None:
    assert sorted(set(_addresses("To: " + value * (MAX_HEADER // len(value) - 1)))) == expected


def test_message_id_that_never_ends_is_none() -> None:
    assert _read("Message-ID: <" + "a@" * 200_000).message_id == ""


def test_encoded_words_that_never_end_stay_as_they_are() -> None:
    beginnings = "=?utf-8?q?a " * 40_000
    assert _read("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= " + beginnings).subject == f"Grüße {beginnings.strip()}"


def test_of_many_unknown_charsets_none_is_guessed() -> None:
    words = "=?x-1?q?=E4=F6?= =?x-2?q?=FC?= "
    assert _read("Subject: " + words * 10_000).subject == "äöü" * 10_000


def test_many_headers_of_one_name_lose_nobody() -> None:
    assert len(_addresses(*(f"To: person{number}@example.com" for number in range(1000)))) == 1000
