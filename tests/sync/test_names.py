"""sync/names.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.names import LONGEST, MOST_WORDS, from_each_word, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana  Ruiz-Ortega", ["ana", "ruiz", "ortega"]),
        ("O’Brien & Sons (EMEA)", ["obrien", "sons", "emea"]),
        ("MÜLLER Straße", ["muller", "strasse"]),
        ("株式会社 トヨタ", ["株式会社", "トヨタ"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("!? — …", []),
        ("\0\ud800", []),
        ("", []),
    ],
)
def test_words_are_compared_without_case_accents_and_punctuation(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_name_is_found_from_each_of_its_words_on() -> None:
    assert from_each_word("Acme Corp. North") == ["acme corp north", "corp north", "north"]


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_the_text_there_is_little_of_it(text: str) -> None:
    starts = from_each_word(text)
    assert len(starts) <= MOST_WORDS
    assert all(0 < len(start) <= LONGEST and start.isprintable() for start in starts)
    for start in starts:
        start.encode()
