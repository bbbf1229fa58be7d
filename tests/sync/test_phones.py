"""Numbers in one format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.phones import digits, e164, same_ending


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        ("+1 415 555 0132", "US", "+14155550132"),
        ("(415) 555-0132", "US", "+14155550132"),
        ("415.555.0132 ext. 9", "US", "+14155550132"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("030 901820", "DE", "+4930901820"),
        ("0049 30 901820", "DE", "+4930901820"),
        ("+49 (0)30 901820", "US", "+4930901820"),
        ("٠٣٠ ٩٠١٨٢٠", "DE", "+4930901820"),
        ("030 901820", "US", ""),
        ("12", "US", ""),
        ("call me", "US", ""),
        ("", "US", ""),
        ("+1 415 555 0132 415 555 0132", "US", ""),
    ],
)
def test_number_is_read_in_the_region(number: str, region: str, expected: str) -> None:
    assert e164(number, region) == expected


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = e164(text, "US")
    assert number == "" or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())


@given(st.integers(min_value=2_000_000, max_value=9_999_999))
def test_a_normalised_number_stays_as_it_is(number: int) -> None:
    once = e164(f"(212) {number}", "US")
    assert once == f"+1212{number}"
    assert e164(once, "DE") == once


def test_digits_of_any_script() -> None:
    assert digits("+٤٩ (30) 9") == "49309"


@pytest.mark.parametrize(
    ("unread", "other", "alike"),
    [
        ("0049 30 901820", "+4930901820", True),
        ("030 901820", "+4930901820", True),
        ("030 901821", "+4930901820", False),
        ("901820", "+4930901820", False),
        ("", "+4930901820", False),
    ],
)
def test_numbers_that_end_alike(unread: str, other: str, alike: bool) -> None:
    assert same_ending(unread, other) is alike
