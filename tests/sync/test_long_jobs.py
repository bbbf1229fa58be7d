"""Signs of life while a real django-q2 worker runs one job."""

import time
from multiprocessing import Value

import pytest
from django.utils import timezone
from django_q.conf import Conf
from django_q.queues import Queue
from django_q.worker import worker

from sync import long_jobs
from sync.models import Heartbeat
from sync.models.job import CLUSTER_VARIABLE
from tests.sync.real_cluster import wait_for


def wait_for_beats() -> list[str]:
    return wait_for("a beat", lambda: list(Heartbeat.objects.values_list("name", flat=True)), 10)


def outlast_the_timeout() -> int:
    """Return how many beats come once the last one was due."""
    time.sleep(0.3)
    before = Heartbeat.objects.get().beat_at
    time.sleep(0.3)
    return int(Heartbeat.objects.get().beat_at != before)


def run(func: str) -> object:
    jobs, results = Queue(), Queue()
    jobs.put({"id": func, "name": func, "func": func, "args": (), "kwargs": {}, "started": timezone.now()})
    jobs.put("STOP")
    worker(jobs, results, Value("f", -1), timeout=30)
    result = results.get(timeout=10)["result"]
    for queue in (jobs, results):
        queue.close()
        queue.join_thread()
    return result


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    monkeypatch.setattr(long_jobs, "BEAT_EVERY", 0.05)
    monkeypatch.setenv(CLUSTER_VARIABLE, "abc")


def test_a_long_job_shows_that_its_worker_lives() -> None:
    assert run("tests.sync.test_long_jobs.wait_for_beats") == ["worker abc"]


def test_without_a_supervisor_nobody_needs_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLUSTER_VARIABLE)
    run("time.time")
    assert not Heartbeat.objects.exists()


def test_no_sign_of_life_beyond_the_jobs_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "TIMEOUT", 0.2)
    assert run("tests.sync.test_long_jobs.outlast_the_timeout") == 0
