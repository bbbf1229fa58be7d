"""Addresses in one form."""

import pytest

from sync.emails import is_address, normalised


def test_address_is_compared_in_lower_case() -> None:
    assert normalised(" Ann.Lee@Example.COM ") == "ann.lee@example.com"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ann@example.com", True),
        ("ann+crm@sub.example.co.uk", True),
        ("ann@bücher.example", True),
        ("ann", False),
        ("ann@", False),
        ("ann lee@example.com", False),
        ("ann <ann@example.com>", False),
        ("ann@example.com, bob@example.com", False),
        ("ann@example.com\n", False),
        ("", False),
        ("a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 63 + ".example", False),
    ],
)
def test_one_address_and_nothing_else(address: str, expected: bool) -> None:
    assert is_address(address) is expected
