"""Short lengths of time in words."""

from datetime import timedelta

import pytest

from playbooks.durations import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (-3, "0 s"),
        (0, "0 s"),
        (0.44, "0.4 s"),
        (1, "1 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3540, "59 min"),
        (3599, "1 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 d"),
        (30 * 86_400, "30 d"),
    ],
)
def test_a_duration_in_words(seconds: float | None, words: str) -> None:
    assert in_words(None if seconds is None else timedelta(seconds=seconds)) == words
