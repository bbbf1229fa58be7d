"""What is said about keywords that would stop too much."""

import pytest

from blacklist.keyword_warnings import keyword_warnings
from blacklist.rules import parse_keyword

_COMMON = "“{word}” stands in almost every message: nearly all mail would be stopped."
_SHORT = "Some word begins with “{word}” in almost every message: nearly all mail would be stopped."
_SIGNATURES = (
    "“{word}” stands in many signatures and disclaimers: messages are stopped for that alone, unless the rule leaves "
    "out signatures, disclaimers and quoted text."
)


@pytest.mark.parametrize(
    ("entry", "text", "word"),
    [
        ("the", _COMMON, "the"),
        ("Meeting*", _COMMON, "meeting"),
        ("regards", _COMMON, "regards"),  # in signatures, too: the graver one is said
        ("of*", _COMMON, "of"),
        ("nd*", _SHORT, "nd"),
        ("Confidential", _SIGNATURES, "confidential"),
        ("kind regards", _SIGNATURES, "kind regards"),
        ("priv*", _SIGNATURES, "privacy"),
    ],
)
def test_warning(entry: str, text: str, word: str) -> None:
    assert keyword_warnings(parse_keyword(entry).match) == (text.format(word=word),)


@pytest.mark.parametrize("entry", ["merger", "nda*", "team meeting", "private equity", "合同*"])
def test_no_warning(entry: str) -> None:
    assert keyword_warnings(parse_keyword(entry).match) == ()
