"""Bytes as text, whatever they claim to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mailbox.charsets import decoded

GERMAN = "Grüße aus Köln: der Vertrag über die Übernahme ist vertraulich. " * 3


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        (GERMAN, "utf-8", "utf-8"),
        (GERMAN, "utf-8", ""),
        (GERMAN, "utf-8", "us-ascii"),
        (GERMAN, "utf-8", "x-unknown"),
        (GERMAN, "iso-8859-1", "ISO-8859-1"),
        (GERMAN, "windows-1252", '"Windows-1252"'),
        ("“quoted” – €", "windows-1252", "iso-8859-1"),  # what Latin-1 means in practice
        ("한국어 비밀", "cp949", "ks_c_5601-1987"),
        ("秘密契約 镕", "gb18030", "gb2312"),
        ("①秘密", "cp932", "shift_jis"),
        ("ไทยลับ", "cp874", "windows-874"),
        ("Привет, это секретный договор про слияние компаний. " * 5, "koi8-r", "koi8-r"),
        ("Привет, это секретный договор про слияние компаний. " * 5, "windows-1251", ""),
        ("שלום", "iso-8859-8", "iso-8859-8-i"),
    ],
)
def test_text_is_read_as_it_was_written(text: str, encoding: str, declared: str) -> None:
    assert decoded(text.encode(encoding), declared) == text


def test_utf8_with_a_broken_byte_stays_utf8() -> None:
    data = GERMAN.encode()
    assert decoded(data[:40] + b"\xff" + data[40:], "utf-8").replace("\ufffd", "") == GERMAN
    assert decoded(data + "ß".encode()[:1], "utf-8") == GERMAN + "\ufffd"


@pytest.mark.parametrize(
    "declared", ["idna", "punycode", "unicode_escape", "rot13", "zlib", "base64", "a" * 9999, "\0"]
)
def test_codecs_that_are_no_charset_are_not_used(declared: str) -> None:
    assert decoded(rb"caf\u00e9 xn--caf-dma", declared) == r"caf\u00e9 xn--caf-dma"


def test_no_nul_and_no_half_characters_remain() -> None:
    assert decoded(b"pri\0vate") == "private"
    assert decoded(b"+2AA-x", "utf-7") == "x"


@given(
    st.binary(max_size=300), st.sampled_from(["", "utf-8", "utf-16", "utf-7", "iso-2022-jp", "hz", "big5", "\udc80"])
)
def test_any_bytes_are_some_text(data: bytes, declared: str) -> None:
    text = decoded(data, declared)
    assert "\0" not in text
    text.encode()  # storable
