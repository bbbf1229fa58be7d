"""Placeholders in a step's texts."""

import pytest
from django.core.exceptions import ValidationError

from sync.play_texts import PLACEHOLDERS, Facts, check, fill, subject, used

HANA = Facts(name="Hana Novak", first_name="Hana", account="Birchwood", rep="Mara Lindqvist", play="Renewal")


def refused(text: str) -> str | None:
    try:
        check(text)
    except ValidationError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Call {first_name} at {account}", "Call Hana at Birchwood"),
        ("{name} / {rep} / {rep_first_name} / {play}", "Hana Novak / Mara Lindqvist / Mara / Renewal"),
        ("{ First_Name }, hello", "Hana, hello"),
        ("Line one of {name}\nLine two", "Line one of Hana Novak\nLine two"),
        ("{{name}} stays, {{{name}}}", "{name} stays, {Hana Novak}"),
        ("no placeholder", "no placeholder"),
        ("", ""),
        # From before placeholders: as it was typed.
        ("First call to {them}", "First call to {them}"),
        ("a { and a }", "a { and a }"),
        ("{}", "{}"),
    ],
)
def test_filled(text: str, filled: str) -> None:
    assert fill(text, HANA.values()) == filled


def test_what_is_filled_in_is_not_filled_again() -> None:
    facts = Facts(name="{rep} {{x}}", rep="Mara", play="P")
    assert fill("{name}", facts.values()) == "{rep} {{x}}"


def test_a_missing_value_leaves_no_hole() -> None:
    values = Facts(name="Novak", rep="mara@x.example", play="P").values()
    assert fill("Call {first_name} at {account}, {rep_first_name}", values) == (
        "Call Novak at the account, mara@x.example"
    )
    assert set(values) == set(PLACEHOLDERS)
    assert all(values.values())


def test_a_value_is_one_line() -> None:
    assert Facts(name="Hana\n Novak\t", rep="M", play="P").values()["name"] == "Hana Novak"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Call {first_name}", None),
        ("Call { NAME }", None),
        ("{{not one}} and {{{name}}}", None),
        ("Call {them}", "unknown_placeholder"),
        ("Call {}", "unknown_placeholder"),
        ("Call {name", "lonely_brace"),
        ("Call name}", "lonely_brace"),
        ("{na\nme}", "lonely_brace"),
        ("", None),
    ],
)
def test_checked(text: str, code: str | None) -> None:
    assert refused(text) == code


def test_a_refusal_names_what_is_wrong_and_what_is_known() -> None:
    with pytest.raises(ValidationError) as raised:
        check("Dear {them}, {name}: {them}, {us}")
    assert raised.value.messages == [
        (
            "{them}, {us} is no placeholder. Known are {name}, {first_name}, {account}, {rep}, {rep_first_name}, "
            "{play}. Write {{ and }} for braces that stay."
        )
    ]


def test_a_subject_falls_back_to_the_steps_name_and_stays_short() -> None:
    assert subject("", "Call {name}", HANA.values()) == "Call {name}"
    assert subject(" ", "Visit", HANA.values()) == "Visit"
    long = Facts(name="n" * 255, rep="M", play="P").values()
    assert len(subject("{name}" * 40, "Visit", long)) == 1000


def test_used() -> None:
    assert used(["{account} {{play}} {them}", "{ REP }"]) == {"account", "rep"}
