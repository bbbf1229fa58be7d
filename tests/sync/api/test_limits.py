"""Limits per token: what is over them waits for the next minute, whichever process is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from sync.api import limits
from sync.api.problems import Problem
from sync.models import ApiUse, Task
from tests.people import People
from tests.sync.api.conftest import Dialer, call, dialer_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(datetime(2025, 3, 31, 14, 5, 20, tzinfo=UTC), tick=False) as moving:
        yield moving


def test_too_many_requests_are_told_when_to_come_again(dialer: Dialer, settings: Any, clock: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    for _each in range(3):
        dialer.get()
    answer = dialer.client.get("/api/v1/tasks")
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    assert answer["Retry-After"] == "41"
    assert answer.json()["code"] == "too_many_requests"
    dialer_of("Other").get()
    clock.shift(41)
    dialer.get()


def test_too_many_tasks_are_refused_as_a_whole(people: People, dialer: Dialer, settings: Any) -> None:
    settings.API_TASKS_PER_MINUTE = 10
    dialer.post([call(people.rep, str(number)) for number in range(8)])
    problem = dialer.post([call(people.rep, f"more{number}") for number in range(3)], 429)
    assert "10 tasks a minute" in problem["detail"]
    assert Task.objects.count() == 8
    dialer.post([call(people.rep, f"more{number}") for number in range(2)])
    dialer.post(call(people.rep), 429)
    assert dialer.get(), "reading goes on"


def test_a_list_that_is_longer_than_the_limit_never_passes(people: People, dialer: Dialer, settings: Any) -> None:
    settings.API_TASKS_PER_MINUTE = 2
    assert dialer.post([call(people.rep, str(number)) for number in range(3)], 413)["code"] == "too_many_tasks"


def spent(token_id: int, unit: limits.Unit, amount: int) -> bool:
    try:
        limits.spend(token_id, unit, amount)
    except Problem:
        return False
    return True


def test_several_processes_share_one_limit(dialer: Dialer, settings: Any) -> None:
    """Each with a memory of its own: together they give out all of it but what lies in the others' memories."""
    settings.API_REQUESTS_PER_MINUTE = 500
    memories: list[dict[Any, Any]] = [{} for _each in range(4)]
    given = 0
    for number in range(800):
        memory = memories[number % 4]
        limits._purses.clear()
        limits._purses.update(memory)
        given += spent(dialer.token.pk, "requests", 1)
        memory.update(limits._purses)
    assert 500 - 3 * 10 <= given <= 500
    assert ApiUse.objects.get().requests == 500


def test_requests_and_tasks_are_counted_apart(dialer: Dialer, settings: Any, clock: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE, settings.API_TASKS_PER_MINUTE = 1, 60
    assert spent(dialer.token.pk, "tasks", 60)
    assert not spent(dialer.token.pk, "tasks", 1)
    assert spent(dialer.token.pk, "requests", 1)
    clock.shift(60)
    assert spent(dialer.token.pk, "requests", 1)
    assert not spent(dialer.token.pk, "requests", 1)
    assert spent(dialer.token.pk, "tasks", 60)


def test_a_clock_that_is_behind_counts_for_the_minute_that_has_begun(dialer: Dialer, settings: Any, clock: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    assert spent(dialer.token.pk, "requests", 1)
    clock.shift(-60)
    assert spent(dialer.token.pk, "requests", 2)
    assert not spent(dialer.token.pk, "requests", 1)


def test_the_memory_of_many_tokens_is_bounded(dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST_PURSES", 2)
    for dialers in (dialer, dialer_of("2"), dialer_of("3"), dialer):
        dialers.get()
    assert len(limits._purses) <= 2
