"""Whole messages: ordinary, broken, and made to break."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.mailbox.message import MAX_HEAD, MAX_LINES, MAX_TEXT, Message, read_message

ALTERNATIVE = (
    b"""\
From: ann@example.com
To: bob@example.com
Subject: Both
Message-ID: <1@example.com>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="x"

preamble
--x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
--x
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: base64

"""
    + base64.encodebytes("<p>Grüße <b>dir</b></p>".encode("iso-8859-1"))
    + b"--x--\nepilogue\n"
)


def _texts(raw: bytes) -> list[str]:
    return [part.text.strip() for part in read_message(raw).texts]


def test_plain_text_and_html_are_both_read() -> None:
    message = read_message(ALTERNATIVE)
    assert (message.message_id, message.subject) == ("1@example.com", "Both")
    assert [(part.text.strip(), part.html) for part in message.texts] == [
        ("Grüße", ""),
        ("Grüße dir", "<p>Grüße <b>dir</b></p>"),
    ]


def test_line_ends_don_t_matter() -> None:
    assert read_message(ALTERNATIVE.replace(b"\n", b"\r\n")).texts == read_message(ALTERNATIVE).texts


def test_attachments_and_attached_messages_are_no_body() -> None:
    raw = b"""\
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain

seen
--x
Content-Type: text/plain; name=a.txt
Content-Disposition: attachment; filename=a.txt

attached
--x
Content-Type: message/rfc822

Subject: inner

forwarded
--x
Content-Type: image/png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--x--
"""
    assert _texts(raw) == ["seen"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Subject: x\n\nplain", ["plain"]),
        (b"Content-Type: text/html\n\n<p>pri<b>vate</b></p>", ["private"]),
        (b"Content-Type: nonsense\n\nplain", ["plain"]),
        (b"Content-Type: text/plain; charset=no-such\n\nGr\xc3\xbc\xc3\x9fe", ["Grüße"]),
        (b"Content-Type: text/plain; charset*=x'y'%ff\n\nplain", ["plain"]),
        (b"Content-Transfer-Encoding: base64\n\n!!not base64!!", None),
        (b"Content-Transfer-Encoding: base64\n\ncHJpdmF0ZQ", ["private"]),  # its padding is missing
        (b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\nnonsense\nend\n", None),
        (b"Content-Transfer-Encoding: 8bit; x\n\nplain", ["plain"]),
        (b"Content-Type: text/plain\n\npri\0vate", ["private"]),
        (b"Content-Type: multipart/mixed\n\nno boundary", ["no boundary"]),
        (b"Content-Type: multipart/mixed\n\n<html><body>pri<i>vate</i>", ["private"]),
        (
            (
                b"Content-Type: multipart/mixed\n\n--b\nContent-Type: text/plain\n"
                b"Content-Transfer-Encoding: quoted-printable\n\npriv=\nate\n--b\n\nmore\n--b--\n"
            ),
            ["private", "more"],
        ),
        (b"Content-Type: multipart/mixed; boundary=z\n\n--b\n\ninner\n--b--\n", ["inner"]),
        (b"Content-Type: multipart/mixed; boundary=z\n\n--z\n\nnever closed", ["never closed"]),
        (b"\n\nno header", ["no header"]),
        (b"", []),
        (b"no header at all", ["no header at all"]),
        (b"Subject: only headers", []),
        (b"\xff\xfe\x00\x01", None),
    ],
)
def test_broken_message_is_read_as_far_as_it_goes(raw: bytes, expected: list[str] | None) -> None:
    texts = _texts(raw)
    assert expected is None or texts == expected


def _nested(depth: int) -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=outer\n\n"
    opened = b"".join(
        b"--%s\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (b"outer" if n == 0 else b"b%d" % (n - 1), n)
        for n in range(depth)
    )
    return b"Subject: deep\n" + head + opened + b"--b%d\n\nprivate\n" % (depth - 1)


@pytest.mark.parametrize("depth", [1, 10, 45, 5000])
def test_deep_nesting_hides_nothing(depth: int) -> None:
    message = read_message(_nested(depth))
    assert message.subject == "deep"
    assert any("private" in part.text for part in message.texts)


def test_chain_of_attached_messages_ends() -> None:
    assert read_message(b"Content-Type: message/rfc822\n\n" * 5000 + b"Subject: x\n\nprivate").addresses == ()


def test_texts_are_read_up_to_a_bound() -> None:
    parts = b"".join(b"--x\n\n" + b"word " * (MAX_TEXT // 8) + b"\n" for _each in range(3))
    message = read_message(b"Content-Type: multipart/mixed; boundary=x\n\n" + parts + b"--x--\n")
    assert sum(len(part.text) for part in message.texts) == MAX_TEXT


@given(st.binary(max_size=2000))
def test_any_bytes_are_some_message(raw: bytes) -> None:
    assert isinstance(read_message(raw), Message)


_LINES = st.sampled_from([*ALTERNATIVE.split(b"\n"), b"Content-Type: multipart/mixed; boundary=x", b"--x", b""])


@settings(max_examples=200)
@given(st.lists(_LINES | st.binary(max_size=20), max_size=40))
def test_any_mixture_of_a_message_s_lines_is_some_message(lines: list[bytes]) -> None:
    for part in read_message(b"\n".join(lines)).texts:
        assert "\0" not in part.text
        part.text.encode()


def _containers(depth: int, boundary: str) -> bytes:
    """Containers in each other, then many lines."""
    headers = [f"Content-Type: multipart/mixed; {boundary.format(number)}\n\n" for number in range(depth)]
    parts = [f"--x{number}\n{header}" for number, header in enumerate(headers[1:])]
    return (headers[0] + "".join(parts) + "private\n" * 900_000).encode()


@pytest.mark.parametrize("boundary", ["boundary=x{}", "boundary*=us-ascii''x{}", "boundary*0=x{}", "BOUNDARY*0*=''x{}"])
@pytest.mark.parametrize("is_hidden", [False, True])
def test_containers_within_measure_however_they_are_written(boundary: str, is_hidden: bool) -> None:
    raw = _containers(2_000, boundary)
    if is_hidden:  # in base64, in a container without a boundary
        header = b"Content-Type: multipart/mixed\nContent-Transfer-Encoding: base64\n\n"
        raw = header + base64.encodebytes(b"--q\n" + raw)
    message = read_message(b"From: ann@example.com\n" + raw)
    assert [part.text.count("private\n") > 100_000 for part in message.texts] == [True]


def test_endless_short_lines_and_headers_are_read_in_a_cruder_way() -> None:
    message = read_message(b"Subject: Many\n" + b"a:\n" * (2 * MAX_HEAD) + b"\n" + b"b\n" * (2 * MAX_LINES))
    assert (message.subject, len(message.texts[0].text)) == ("Many", 4 * MAX_LINES)


def test_html_beyond_measure_leaves_the_rest_unread() -> None:
    hidden = b"--x\nContent-Type: text/html\n\n<p>seen</p><div style='display:none'>" + b"<a>" * 49_000 + b"</div>\n"
    message = read_message(b"Content-Type: multipart/mixed; boundary=x\n\n" + hidden * 12)
    assert [part.text.strip() for part in message.texts] == ["seen"] * 6
