"""What the sender wrote now."""

import pytest

from sync.mailbox.message import TextPart
from sync.mailbox.segments import MAX_TEXT, own_text, without_disclaimers

DISCLAIMER = (
    "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received "
    "this message in error, please notify the sender and delete it. Any unauthorised copying is prohibited."
)


def _own(text: str) -> list[str]:
    return [line for line in own_text(TextPart(text)).split("\n") if line]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello Bob,\nall fine.", ["Hello Bob,", "all fine."]),
        ("Yes\n> private\n>> more\nNo", ["Yes", "No"]),
        ("Yes.\n\nOn Mon, 23 Nov 2026, Bob wrote:\n> private\n", ["Yes."]),
        ("Ja.\n\nAm 23.11.2026 um 10:00 schrieb Bob <b@c.de>:\nvertraulich\n", ["Ja."]),
        ("See below.\n\n-----Original Message-----\nFrom: Bob\nSent: Monday\nSubject: x\n\nprivate", ["See below."]),
        ("See below.\n\nFrom: Bob\nSent: Monday\nTo: Ann\nSubject: x\n\nprivate", ["See below."]),
        ("All fine.\n-- \nAnn Lee\nConfidential Inc.", ["All fine."]),
        ("All fine.\n\nBest regards\nAnn Lee\nPrivate Banking", ["All fine."]),
        (f"All fine.\n\n{DISCLAIMER}", ["All fine."]),
        (f"It stays private.\n\n{DISCLAIMER}", ["It stays private."]),
        # No signatures, though they begin like one: what counts as private must be seen.
        (
            "Hello,\nThanks, but the merger is private and stays so.",
            ["Hello,", "Thanks, but the merger is private and stays so."],
        ),
        ("Agenda\n- private plans\n- merger", ["Agenda", "- private plans", "- merger"]),
        ("Our recipient is private.", ["Our recipient is private."]),
        ("", []),
    ],
)
def test_own_text(text: str, expected: list[str]) -> None:
    assert _own(text) == expected


def test_long_text_behind_a_closing_is_kept() -> None:
    text = "Hello,\nThanks,\n" + "the merger is private\n" * 20
    assert "private" in own_text(TextPart(text))


def test_html_is_taken_apart_by_what_programs_mark() -> None:
    html = '<p>Yes</p><div class="gmail_quote">private</div>'
    assert own_text(TextPart("Yes private", html)).split() == ["Yes"]


def test_only_sentences_of_the_disclaimer_go() -> None:
    assert without_disclaimers(f"The merger is on. {DISCLAIMER} Call me.") == "The merger is on. Call me."


def test_what_is_too_long_is_not_taken_apart() -> None:
    with pytest.raises(ValueError, match="too long"):
        own_text(TextPart("word " * MAX_TEXT))


@pytest.mark.parametrize(
    "unit",
    [
        "On ",
        "From: ",
        "> ",
        ">",
        "\n",
        "-",
        "_",
        "Disclaimer: ",
        "mail ",
        "Thanks,\n",
        "in error ",
        ". ",
        "Den x skrev ",
    ],
)
def test_text_made_to_break_it_ends(unit: str) -> None:
    # Each of these would take hours if the time grew with the square of the text's length.
    own_text(TextPart((unit * MAX_TEXT)[: MAX_TEXT - 1000] + "wrote:"))
