import pytest

from sandbox.ids import full_id, record_id, with_suffix

# Published examples of 15- and 18-character forms.
PAIRS = [
    ("00300000003T2PG", "00300000003T2PGAA0"),
    ("001000000000000", "001000000000000AAA"),
    ("0D5B000000SKZ7V", "0D5B000000SKZ7VKAX"),
]


@pytest.mark.parametrize(("short", "long"), PAIRS)
def test_suffix_of_known_ids(short: str, long: str) -> None:
    assert with_suffix(short) == long
    assert full_id(short) == long
    assert full_id(long) == long


def test_the_suffix_restores_letter_case() -> None:
    assert full_id("0d5b000000skz7vkax") == "0D5B000000SKZ7VKAX"


@pytest.mark.parametrize("text", ["", "003", "00300000003T2PGAA", "00300000003T2P-", "00300000003T2PG999", "é" * 15])
def test_what_is_no_id(text: str) -> None:
    assert full_id(text) is None


def test_record_ids_differ_and_sort_in_their_order() -> None:
    ids = [record_id("00T", number) for number in range(1, 500)]
    assert len(set(ids)) == 499
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {18}
