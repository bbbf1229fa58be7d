"""What a spreadsheet would take for a formula."""

import pytest

from teams.spreadsheets import as_entered, defused, defused_row


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("", ""),
        ("Call about the offer", "Call about the offer"),
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("==1", "'==1"),
        ("+1 212 555 0141", "'+1 212 555 0141"),
        ("-5", "'-5"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\rx", "'\rx"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001
        ("＋1", "'＋1"),  # noqa: RUF001
        ("－1", "'－1"),  # noqa: RUF001
        ("＠SUM", "'＠SUM"),  # noqa: RUF001
        ("  indented", "  indented"),
        ("a=1", "a=1"),
        ("'quoted", "'quoted"),
        ("שלום", "שלום"),
    ],
)
def test_text_stays_text(text: str, safe: str) -> None:
    assert defused(text) == safe
    assert as_entered(safe) == text


def test_numbers_of_our_own_stay_numbers() -> None:
    assert defused_row([-1, 2.5, None, "-1", "x"]) == [-1, 2.5, None, "'-1", "x"]
