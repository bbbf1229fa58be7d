"""Words that stand in almost every message."""

import pytest

from blacklist.common_words import COMMON_WORDS, common_word, is_short_prefix
from blacklist.rules import parse_keyword
from blacklist.words import words


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("the", "the"),
        ("The", "the"),
        ("and", "and"),
        ("meeting", "meeting"),
        ("hello", "hello"),
        ("Regards", "regards"),
        ("thanks", "thanks"),
        ("(please)", "please"),
        ("the*", "the"),
        ("Team*", "team"),
        ("team meeting", ""),  # a phrase is what was meant
        ("thank you", ""),
        ("confidential", ""),
        ("merger", ""),
        ("mee*", ""),
        ("nda*", ""),
    ],
)
def test_common_word(entry: str, expected: str) -> None:
    assert common_word(parse_keyword(entry).match) == expected


@pytest.mark.parametrize(
    ("entry", "short"),
    [("nd*", True), ("Öl*", True), ("42*", True), ("nda*", False), ("nd", False), ("合同*", False)],
)
def test_short_prefix(entry: str, short: bool) -> None:
    assert is_short_prefix(parse_keyword(entry).match) == short


def test_words_are_written_as_rules_are() -> None:
    assert [entry for entry in sorted(COMMON_WORDS) if words(entry) != [entry]] == []
