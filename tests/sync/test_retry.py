"""When to try again (M24)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.enums import FailureMode
from sync.retry import RETRY_FOR, deadline, delay, pause

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def longest(_least: float, most: float) -> float:
    return most


def shortest(least: float, _most: float) -> float:
    return least


def test_m24_the_thirty_days_count_from_the_first_attempt() -> None:
    assert deadline(NOON, timedelta(), timedelta()) == NOON + timedelta(days=30)


def test_m24_the_clock_stands_while_the_connection_is_down() -> None:
    down_before, down_since = timedelta(hours=5), timedelta(days=3)
    assert deadline(NOON, down_before, down_before + down_since) == NOON + timedelta(days=33)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (5, 32), (11, 2048), (12, 3600), (200, 3600)])
def test_transient_errors_back_off_to_an_hour(attempts: int, seconds: float) -> None:
    assert delay(FailureMode.TRANSIENT, attempts, longest) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("attempts", "hours"), [(1, 1), (2, 2), (5, 16), (6, 24), (100, 24)])
@pytest.mark.parametrize("mode", [FailureMode.DATA, FailureMode.RELINK])
def test_what_the_rep_must_mend_is_tried_slowly(mode: FailureMode, attempts: int, hours: float) -> None:
    assert delay(mode, attempts, longest) == timedelta(hours=hours)


def test_what_was_rolled_back_with_its_neighbours_goes_again_at_once() -> None:
    assert delay(FailureMode.FREE, 0, longest) == timedelta(seconds=3)


@given(st.sampled_from(FailureMode), st.integers(0, 10_000), st.sampled_from([longest, shortest]))
def test_every_delay_is_positive_and_fits_into_thirty_days(mode: FailureMode, attempts: int, uniform) -> None:  # type: ignore[no-untyped-def]
    assert timedelta(0) < delay(mode, attempts, uniform) <= timedelta(days=1) < RETRY_FOR


@pytest.mark.parametrize(
    ("message", "count", "expected"),
    [
        ("TotalRequests Limit exceeded.", 0, timedelta(minutes=5)),
        ("TotalRequests Limit exceeded.", 1, timedelta(minutes=10)),
        ("TotalRequests Limit exceeded.", 9, timedelta(minutes=60)),
        ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", 0, timedelta(seconds=1)),
        ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", 3, timedelta(seconds=8)),
    ],
)
def test_limits_rest_by_what_was_used_up(message: str, count: int, expected: timedelta) -> None:
    assert pause(FailureMode.LIMIT, message, count, longest) == expected


@pytest.mark.parametrize(("count", "seconds"), [(0, 1), (4, 16), (9, 300), (50, 300)])
def test_outages_rest_longer_each_time(count: int, seconds: float) -> None:
    assert pause(FailureMode.TRANSIENT, "", count, longest) == timedelta(seconds=seconds)


def test_what_is_free_but_never_ends_is_tried_less_and_less() -> None:
    waits = [delay(FailureMode.FREE, 0, lambda low, _high: low, timedelta(minutes=age)) for age in (0, 10, 60, 60 * 24)]
    assert waits == [timedelta(seconds=0.5), timedelta(minutes=1), timedelta(minutes=6), timedelta(hours=1)]
