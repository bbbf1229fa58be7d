"""A process that is kept running beside the cluster, with stand-ins for it."""

import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import OperationalError

from sync import companion
from sync.cluster_group import end_stale, processes_of
from sync.companion import Companion
from tests.sync.real_cluster import wait_for

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SLEEPS = "import time; time.sleep(600)"


class Beats:
    """What the database says of its heartbeat."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.lives = True

    def __call__(self, name: str) -> datetime | None:
        self.asked.append(name)
        if self.away:
            raise OperationalError
        return NOON.replace(microsecond=len(self.asked)) if self.lives else None


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> Beats:
    monkeypatch.setattr(companion, "LOOK_EVERY", 0.0)
    return Beats()


@pytest.fixture
def made(tmp_path: Path, beats: Beats) -> Iterator[list[Companion]]:
    all_of_them: list[Companion] = []
    yield all_of_them
    for each in all_of_them:
        each.end(hurry=lambda: True)
    end_stale(tmp_path)


def make(made: list[Companion], tmp_path: Path, beats: Beats, code: str = SLEEPS, patience: float = 60) -> Companion:
    command = [sys.executable, "-c", code]
    made.append(Companion("Thing", command, tmp_path, grace=5, patience=patience, last_beat=beats))
    return made[-1]


def test_it_is_started_and_ends_with_its_keeper(
    made: list[Companion], tmp_path: Path, beats: Beats, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept = make(made, tmp_path, beats)
    kept.tick()
    kept.tick()
    (name,) = set(beats.asked)
    assert len(processes_of(name)) >= 1
    kept.ask_to_end()
    kept.end()
    assert processes_of(name) == []
    assert caplog.text.count("was started in process group") == 1


def test_it_is_started_again_when_it_ends(
    made: list[Companion], tmp_path: Path, beats: Beats, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept = make(made, tmp_path, beats, "raise SystemExit(3)")

    def started_twice() -> bool:
        kept.tick()
        return caplog.text.count("was started in process group") == 2

    wait_for("another start", started_twice)
    assert "ended with status 3. It is ended and started anew." in caplog.text


def test_it_is_started_again_when_it_shows_no_sign_of_life(
    made: list[Companion], tmp_path: Path, beats: Beats, caplog: pytest.LogCaptureFixture
) -> None:
    beats.lives = False
    kept = make(made, tmp_path, beats, patience=0.2)

    def ended() -> bool:
        kept.tick()
        return "shows no sign of life for 0.2 seconds" in caplog.text

    wait_for("an end", ended)
    assert processes_of(beats.asked[0]) == []


def test_while_the_database_is_away_it_is_not_taken_for_dead(
    made: list[Companion], tmp_path: Path, beats: Beats, caplog: pytest.LogCaptureFixture
) -> None:
    kept = make(made, tmp_path, beats, patience=0.0)
    kept.tick()
    beats.away = True
    for _ in range(3):
        with pytest.raises(OperationalError):
            kept.tick()
    beats.away = False
    kept.tick()
    assert "no sign of life" not in caplog.text
