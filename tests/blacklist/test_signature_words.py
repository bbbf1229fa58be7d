"""Words that generic signatures contain."""

import pytest

from blacklist.rules import parse_keyword
from blacklist.signature_words import (
    SIGNATURE_PHRASES,
    SIGNATURE_WORDS,
    signature_words_of,
    word_in_generic_signatures,
)
from blacklist.words import words


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("private", "private"),
        ("PRIVATE", "private"),
        ("confidential", "confidential"),
        ("intended recipient", "intended recipient"),
        ("the intended recipient", "for the intended recipient"),
        ("priv*", "privacy"),
        ("e-mail", "e mail"),
        ("private equity", ""),  # not what signatures say
        ("merger", ""),
        ("merg*", ""),
        ("in err", ""),
    ],
)
def test_m20_word_of_signatures_is_known(entry: str, expected: str) -> None:
    assert word_in_generic_signatures(parse_keyword(entry).match) == expected


def test_lists_are_written_as_rules_are() -> None:
    for entry in SIGNATURE_WORDS | SIGNATURE_PHRASES:
        assert " ".join(words(entry)) == entry


def test_words_of_a_text() -> None:
    assert signature_words_of("This e-mail is PRIVATE and confidential.") == ["private", "confidential"]
