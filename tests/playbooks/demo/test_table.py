"""The demo's table fits the terminal and stays aligned."""

from playbooks.demo.table import render, width, wrap


def test_columns_are_aligned_and_the_last_one_is_wrapped_to_what_is_left() -> None:
    rows = [["a", "7", "one two three four five six seven eight"], ["bb", "120", ""]]
    assert render(["T", "ms", "Reason"], rows, 40, right=(1,)).splitlines() == [
        "T    ms  Reason",
        "──  ───  ───────────────────────────────",
        "a     7  one two three four five six",
        "         seven eight",
        "bb  120",
    ]


def test_a_narrow_terminal_shows_some_columns_below_each_line() -> None:
    rows = [["call", "Sofia", "7", "one two three four five six"], ["e-mail", "", "12", ""]]
    assert render(["T", "Record", "ms", "Reason"], rows, 24, right=(2,), below=(1,)).splitlines() == [
        "T       ms",
        "──────  ──",
        "call     7",
        "    Sofia",
        "    one two three four",
        "    five six",
        "e-mail  12",
    ]


def test_wide_and_combining_characters_count_as_the_terminal_shows_them() -> None:
    assert [width("abc"), width("日本"), width("e\u0301"), width("🌊")] == [3, 4, 1, 2]
    assert render(["T", "R"], [["日本", "x"], ["abcd", "y"]], 40).splitlines()[2:] == ["日本  x", "abcd  y"]


def test_a_word_that_is_too_long_stands_alone() -> None:
    assert wrap("a FIELD_CUSTOM_VALIDATION_EXCEPTION: b c", 10) == ["a", "FIELD_CUSTOM_VALIDATION_EXCEPTION:", "b c"]
    assert wrap("", 10) == []
