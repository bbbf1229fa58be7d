"""How long a call took, and when a task was completed, as people type it."""

import pytest
from django.core.exceptions import ValidationError

from sync.form_fields import DurationField, MomentField, clock


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("", None),
        (" ", None),
        ("3:05", 185),
        ("0:09", 9),
        ("3:5", 185),
        ("90:00", 5400),
        ("1:02:30", 3750),
        ("3", 180),
        (" 3 : 05 ", 185),
        ("\u0663:\u0660\u0665", 185),
    ],
)
def test_durations(typed: str, seconds: int | None) -> None:
    assert DurationField(required=False).clean(typed) == seconds


@pytest.mark.parametrize("typed", ["x", "3:60", "3:05:99", "-3:05", "3.5", "3m", ":05", "9" * 40, "3:"])
def test_no_durations(typed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DurationField(required=False).clean(typed)
    assert caught.value.messages == ["Enter minutes and seconds, like 3:05, or hours too, like 1:02:30."]


@pytest.mark.parametrize("seconds", [0, 59, 60, 3599, 3600, 86_399])
def test_a_duration_is_shown_as_it_is_typed(seconds: int) -> None:
    assert DurationField().clean(clock(seconds)) == seconds


@pytest.mark.parametrize("typed", ["yesterday", "2025-02-30T10:00", "25:00", "0000-00-00T00:00"])
def test_no_moments(typed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MomentField().clean(typed)
    assert caught.value.messages == ["Enter a day and a time, like 2025-03-31 14:05, or leave it empty."]
