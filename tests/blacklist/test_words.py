"""Which words a text has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blacklist import words as module
from blacklist.words import folded, is_unspaced, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Project Phoenix, phase 2!", ["project", "phoenix", "phase", "2"]),
        ("e-mail don't R&D", ["e", "mail", "don", "t", "r", "d"]),
        ("> quoted\n> lines\r\ngo\ton", ["quoted", "lines", "go", "on"]),
        ("snake_case", ["snake", "case"]),  # "_" is no letter, though \w thinks so
        ("STRASSE straße", ["strasse", "strasse"]),
        ("ΣΊΣΥΦΟΣ σίσυφος", ["σίσυφοσ", "σίσυφοσ"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("ﬁnance Ⅷ ①", ["finance", "viii", "1"]),
        ("\uff30\uff52ivate", ["private"]),
        ("pri\u00advate pri\u200bvate pri\u2060vate \u202eprivate", ["private"] * 4),
        ("NDA\u00a02024", ["nda", "2024"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # \w would split the first one
        ("秘密 NDA", ["秘", "密", "nda"]),
        ("2024年", ["2024", "年"]),
        ("サーバーabc", ["サ", "ー", "バ", "ー", "abc"]),
        ("비밀", ["비", "밀"]),
        ("น้ำตาล", ["น้ํ", "า", "ต", "า", "ล"]),  # marks stay on their character
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("ລາວ", ["ລ", "າ", "ວ"]),
        ("🔥 — …", []),
        ("nul\x00byte", ["nul", "byte"]),
        ("“Müller’s” – a·b • 5 €", ["müller", "s", "a", "b", "5"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text())
def test_words_of_words_are_the_same(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found


@given(st.text())
def test_the_fast_ways_say_what_the_expression_says(text: str) -> None:
    assert words(text) == module._WORD.findall(folded(text))


@given(st.text(), st.text())
def test_text_around_a_line_break_keeps_its_words(before: str, after: str) -> None:
    # (A lone combining mark at the start would join a space otherwise.)
    assert words(f"{before}\n> {after}") == words(before) + words(f" {after}")


def test_the_table_of_characters_stops_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = module._Spaced()
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 3)
    assert "éñø¡ü".translate(table) == "éñø ü"
    assert len(table) == 3


@pytest.mark.parametrize(("word", "expected"), [("nda", False), ("密", True), ("น้ํ", True), ("हिन्दी", False)])
def test_is_unspaced(word: str, expected: bool) -> None:
    assert is_unspaced(word) is expected


def test_of_marks_beyond_measure_the_first_count() -> None:
    assert words("x" + "\u0301\u0316" * 2_000_000 + " private") == [
        "x" + "\u0316" * 15 + "\u0301" * 15,
        "private",
    ]
