"""The supervisor's judgement, and its loop with stand-ins for the cluster."""

import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ

from sync import supervisor
from sync.cluster_group import ClusterGroup, end_stale, processes_of
from sync.companion import Companion
from sync.enums import ConnectionState, OutboxState
from sync.models import Connection, Heartbeat, OutboxRow
from sync.models.job import CLUSTER_VARIABLE
from sync.supervisor import Patience, Pulse, Supervisor, read_beats, rest_before_start, ring_for_due_rows
from tests.sync.real_cluster import wait_for
from tests.sync.rows import complete, make_connection

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALL = ("sentinel", "worker", "answer", "monitor")


def beat_at(seconds: float, *names: str) -> dict[str, datetime]:
    return dict.fromkeys(names or ALL, NOON + timedelta(seconds=seconds))


def test_pulse_without_any_beat_is_silent_once_the_patience_is_over() -> None:
    pulse = Pulse(100)
    assert pulse.silent(145, 45) == []
    assert pulse.silent(145.1, 45) == ["sentinel", "worker"]


@pytest.mark.parametrize("part", ["sentinel", "worker"])
def test_pulse_names_the_part_that_fell_silent(part: str) -> None:
    pulse = Pulse(100)
    pulse.hear(beat_at(0), 110)
    pulse.hear(beat_at(5) | beat_at(0, part), 150)
    assert pulse.silent(155, 45) == []
    assert pulse.silent(155.1, 45) == [part]


def test_pulse_misses_the_monitor_from_the_first_answer_that_it_left_alone() -> None:
    pulse = Pulse(100)
    pulse.hear(beat_at(0), 110)
    pulse.hear(beat_at(5) | beat_at(0, "monitor"), 150)
    pulse.hear(beat_at(10) | beat_at(0, "monitor"), 155)
    assert pulse.silent(195, 45) == []
    assert pulse.silent(195.1, 45) == ["monitor"]
    pulse.hear(beat_at(50), 196)
    assert pulse.silent(196, 45) == []


def test_pulse_does_not_miss_the_monitor_while_the_workers_are_busy() -> None:
    """Signs of life of a long job, but no answered beat that a monitor could settle."""
    pulse = Pulse(100)
    pulse.hear(beat_at(0), 110)
    pulse.hear(beat_at(290) | beat_at(0, "answer", "monitor"), 400)
    assert pulse.silent(410, 45) == []


def test_pulse_hears_a_beat_whatever_the_clock_says() -> None:
    """A clock that was set back an hour is no hang."""
    pulse = Pulse(100)
    pulse.hear(beat_at(0), 110)
    pulse.hear(beat_at(-3600), 140)
    assert pulse.silent(150, 20) == []


def test_pulse_begins_anew_when_the_database_was_away() -> None:
    pulse = Pulse(100)
    pulse.deafen(1000)
    assert pulse.silent(1040, 45) == []


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (500, 60)])
def test_rest_before_start_grows_to_a_minute(failures: int, seconds: float) -> None:
    assert rest_before_start(failures) == seconds


@pytest.mark.django_db
def test_read_beats_of_one_cluster_only(monkeypatch: pytest.MonkeyPatch) -> None:
    Heartbeat.beat("worker")
    monkeypatch.setenv(CLUSTER_VARIABLE, "other")
    Heartbeat.beat("worker")
    monkeypatch.setenv(CLUSTER_VARIABLE, "ours")
    Heartbeat.beat("worker")
    Heartbeat.beat("monitor")
    Heartbeat.beat("monitor")
    assert sorted(read_beats("ours")) == ["monitor", "worker"]
    assert sorted(Heartbeat.objects.values_list("name", flat=True)) == [
        "monitor ours",
        "worker",
        "worker other",
        "worker ours",
    ]


@pytest.fixture
def due(db: None) -> OutboxRow:
    """A row that has been due for two seconds."""
    complete(make_connection())
    OutboxRow.objects.update(not_before=timezone.now() - timedelta(seconds=2))
    return OutboxRow.objects.get()


def rung() -> int:
    ring_for_due_rows(timezone.now())
    waiting: int = OrmQ.objects.count()
    return waiting


def test_ring_for_a_row_that_became_due(due: OutboxRow) -> None:
    assert rung() == 1


def test_ring_once_until_somebody_answers_or_ten_seconds_are_over(due: OutboxRow) -> None:
    assert [rung(), rung()] == [1, 1]
    Connection.objects.update(rung_at=timezone.now() - timedelta(seconds=11))
    assert rung() == 2


def test_no_ring_for_a_row_that_is_just_due(due: OutboxRow) -> None:
    OutboxRow.objects.update(not_before=timezone.now())
    assert rung() == 0


def test_no_ring_for_a_row_that_waits(due: OutboxRow) -> None:
    OutboxRow.objects.update(not_before=timezone.now() + timedelta(seconds=30))
    assert rung() == 0


def test_no_ring_while_somebody_works_on_the_connection(due: OutboxRow) -> None:
    complete(due.connection)
    OutboxRow.objects.exclude(pk=due.pk).update(
        state=OutboxState.SENDING, not_before=timezone.now() + timedelta(minutes=1)
    )
    assert rung() == 0


def test_no_ring_while_the_connection_is_down(due: OutboxRow) -> None:
    Connection.objects.update(state=ConnectionState.DISCONNECTED)
    assert rung() == 0


def stand_in(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "clusters"
    end_stale(tmp_path / "clusters")


def stop_when(condition: str, caplog: pytest.LogCaptureFixture) -> threading.Thread:
    """Send SIGTERM to this process, as an operator would, once the log holds a text."""

    def run() -> None:
        wait_for(condition, lambda: condition in caplog.text, 20)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_dies_at_its_start_is_started_again_after_a_rest(
    records: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stopper = stop_when("The next start is in 2 seconds.", caplog)
    Supervisor(stand_in("raise SystemExit(3)"), records, Patience(hang=60, stop=5)).run()
    stopper.join()
    assert caplog.text.count("ended with status 3. It is killed and started anew.") == 2
    assert caplog.text.count("The next start is in 1 seconds.") == 1
    assert list(records.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_cluster_that_ignores_sigterm_is_killed(records: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    stopper = stop_when("is killed and started anew", caplog)
    Supervisor(stand_in(deaf), records, Patience(hang=0.5, stop=0.5, kill=0.5)).run()
    stopper.join()
    assert "hangs: no sign of life from its sentinel, worker for 0.5 seconds" in caplog.text
    names = re.findall(r"Cluster (\w+) was started", caplog.text)
    assert [processes_of(name) for name in names] == [[] for _ in names] != []


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_does_not_end_the_watch(
    records: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    answers: list[Exception | None] = [OperationalError("gone"), OperationalError("gone"), None]

    def read(_cluster: str) -> dict[str, datetime]:
        error = answers.pop(0) if len(answers) > 1 else answers[0]
        if error:
            raise error
        return {}

    monkeypatch.setattr(supervisor, "read_beats", read)
    stopper = stop_when("The database answers again.", caplog)
    Supervisor(stand_in("import time; time.sleep(600)"), records, Patience(hang=1.5, stop=2)).run()
    stopper.join()
    assert caplog.text.count("The database doesn't answer (OperationalError). The watch goes on.") == 1
    assert "hangs" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_companion_in_trouble_does_not_make_the_cluster_look_dead(
    records: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Companion):
        def tick(self) -> None:
            raise TimeoutError("Processes can't be killed.")

    caplog.set_level(logging.INFO)
    heard: list[str] = []

    def read(cluster: str) -> dict[str, datetime]:
        heard.append(cluster)
        if len(heard) > 3:
            logging.getLogger("sync").info("heard often enough")
        return beat_at(len(heard))

    monkeypatch.setattr(supervisor, "read_beats", read)
    stopper = stop_when("heard often enough", caplog)
    broken = Broken("Broken", [], records, grace=1, patience=1, last_beat=lambda _name: None)
    Supervisor(stand_in("import time; time.sleep(600)"), records, Patience(hang=2.5, stop=2), broken).run()
    stopper.join()
    assert "hangs" not in caplog.text


def test_a_record_of_a_living_supervisor_is_left_alone(records: Path) -> None:
    group = ClusterGroup(stand_in("import time; time.sleep(600)"), records, 1)
    try:
        assert end_stale(records) == []
        assert group.exit_status is None
    finally:
        assert group.end(5) is True
    assert processes_of(group.name) == []


def test_a_group_takes_along_what_its_processes_started(records: Path) -> None:
    """Also what left the process group."""
    family = (
        "import subprocess, sys, time;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True);"
        "time.sleep(600)"
    )
    group = ClusterGroup(stand_in(family), records, 1)
    wait_for("lifeline, main process and child", lambda: len(processes_of(group.name)) == 3)
    group.end(5)
    assert processes_of(group.name) == []


def test_a_second_signal_cuts_the_wait_short(records: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    group = ClusterGroup(stand_in(deaf), records, 60)
    wait_for("the main process", lambda: len(processes_of(group.name)) == 2)
    began = time.monotonic()
    group.end(60, hurry=lambda: time.monotonic() > began + 0.2)
    assert time.monotonic() - began < 60  # the seconds that it would have been given


@pytest.mark.django_db(transaction=True)
def test_no_cluster_is_started_while_the_database_is_not_prepared(
    records: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("sync.health.database_problem", lambda: "The database is not prepared.")
    stopper = stop_when("The next start is in 2 seconds.", caplog)
    Supervisor(stand_in("raise SystemExit(3)"), records, Patience(hang=60, stop=5)).run()
    stopper.join()
    assert caplog.text.count("The workers wait. The database is not prepared.") == 2
    assert "was started" not in caplog.text
