"""What a killed process does to a real cluster, and that `manage.py workers` ends it."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from sync.cluster_group import processes_of
from tests.sync.real_cluster import Installation, alive, wait_for

pytestmark = pytest.mark.slow

MINUTE = 60.0
# What takes seconds here may take longer where much else runs.
WITHIN = 3 * MINUTE
IMPATIENT = "--patience=12"


def hang_by_killing_idle_workers(site: Installation) -> None:
    """Kill the idle worker, which holds the queue's lock while it waits, until no job runs any more."""
    for _ in range(10):
        (worker,) = site.wait_for_cluster().workers
        os.kill(worker, signal.SIGKILL)
        wait_for("a new worker", partial(replaced, site, worker))
        try:
            run_job(site, 5)
        except AssertionError:
            return
    pytest.fail("The cluster did not hang.")


def replaced(site: Installation, worker: int) -> bool:
    return worker not in site.wait_for_cluster().workers


def run_job(site: Installation, seconds: float = 30) -> None:
    """Put a job into the queue and wait until it has run."""
    ran = len(site.finished())
    site.enqueue("math.sqrt", 4)
    wait_for("the job", lambda: len(site.finished()) > ran, seconds)


def only_cluster(site: Installation) -> str:
    """The one cluster all of whose parts have shown a sign of life."""
    return wait_for("a cluster that lives", lambda: site.clusters() if len(site.clusters()) == 1 else set()).pop()


def wait_for_another(site: Installation, old: str, seconds: float = WITHIN) -> str:
    """Wait for the cluster that replaces `old`, and that it works."""
    new = wait_for("a new cluster", lambda: site.clusters() - {old}, seconds).pop()
    assert processes_of(old) == []
    run_job(site)
    return new


def test_an_unwatched_cluster_hangs_for_ever_after_an_idle_worker_was_killed(site: Installation) -> None:
    cluster = site.start("qcluster")
    site.wait_for_cluster()
    run_job(site)

    hang_by_killing_idle_workers(site)

    assert site.wait_for_cluster().status in {"Working", "Idle"}
    cluster.terminate()
    with pytest.raises(AssertionError, match="the end"):
        wait_for("the end", lambda: cluster.poll() is not None, 5)


def test_workers_end_a_hang_within_a_minute(site: Installation) -> None:
    site.start("workers", IMPATIENT)
    old = only_cluster(site)
    hang_by_killing_idle_workers(site)
    new = wait_for_another(site, old)
    assert new != old
    assert len(site.lines("hangs: no sign of life from its worker")) == 1


def test_workers_end_a_hang_within_a_minute_with_the_default_figures(site: Installation) -> None:
    site.start("workers")
    old = only_cluster(site)
    killed_at = time.monotonic()
    hang_by_killing_idle_workers(site)
    wait_for("the report", lambda: site.lines("hangs: no sign of life from its worker"), WITHIN)
    # Found and ended by its own figures; how fast a new one starts is the machine's.
    assert time.monotonic() - killed_at < MINUTE
    wait_for("a new cluster", lambda: site.clusters() - {old}, WITHIN)


def test_a_killed_idle_monitor_ends_the_cluster(site: Installation) -> None:
    site.start("workers", IMPATIENT)
    old = only_cluster(site)
    os.kill(site.wait_for_cluster().monitor, signal.SIGKILL)
    wait_for_another(site, old)
    assert len(site.lines("no sign of life from its monitor for")) == 1


@pytest.mark.parametrize("part", ["pid", "sentinel"])
def test_a_killed_main_process_leaves_no_orphans_and_a_new_cluster(site: Installation, part: str) -> None:
    site.start("workers", IMPATIENT)
    old = only_cluster(site)
    os.kill(getattr(site.wait_for_cluster(), part), signal.SIGKILL)
    wait_for_another(site, old, 20)
    assert len(site.lines("ended with status")) == 1


def test_a_killed_pusher_is_replaced(site: Installation) -> None:
    """By django-q2 itself, or with the whole cluster when it held a lock."""
    site.start("workers", IMPATIENT)
    only_cluster(site)
    killed = site.wait_for_cluster().pusher
    os.kill(killed, signal.SIGKILL)
    wait_for("another pusher", lambda: site.wait_for_cluster().pusher != killed, WITHIN)
    run_job(site, WITHIN)


def test_a_job_that_lasts_longer_than_a_hang_is_left_alone(site: Installation) -> None:
    """SQLite has one worker: while it is busy nobody answers beats, and the monitor has nothing to settle."""
    site.start("workers", IMPATIENT)
    cluster = only_cluster(site)
    site.enqueue("time.sleep", 20)
    wait_for("the job", lambda: site.finished() == ["time.sleep"], 40)
    run_job(site)
    assert site.lines("hangs") == []
    assert site.clusters() == {cluster}


def test_one_of_two_clusters_on_a_queue_hangs_and_only_that_one_is_replaced(site: Installation) -> None:
    site.start("workers", IMPATIENT)
    hanging = only_cluster(site)
    stat = site.wait_for_cluster()
    site.start("workers", IMPATIENT)
    sound = wait_for("the second cluster", lambda: site.clusters() - {hanging}).pop()
    # The idle worker holds the queue's lock; the one that replaces it waits for that for ever.
    os.kill(stat.workers[0], signal.SIGKILL)
    new = wait_for("a third cluster", lambda: site.clusters() - {hanging, sound}, WITHIN).pop()
    assert site.clusters() == {sound, new}
    assert len(site.lines(f"Cluster {hanging} hangs")) == 1
    assert processes_of(hanging) == []
    assert len(processes_of(sound)) == len(processes_of(new)) > 0


def test_sigterm_lets_the_running_job_end_and_leaves_no_process(site: Installation) -> None:
    supervisor = site.start("workers", IMPATIENT)
    only_cluster(site)
    site.enqueue("time.sleep", 3)
    wait_for("the job taken", lambda: [lock for (lock,) in site.query("SELECT lock FROM django_q_ormq") if lock])
    wait_for("the job begun", lambda: site.wait_for_cluster().task_q_size == 0)
    supervisor.terminate()
    assert supervisor.wait(20) == 0
    assert site.finished() == ["time.sleep"]
    assert site.processes() == []
    assert site.beats() == {}


def test_sigterm_kills_a_job_that_outlasts_the_grace(site: Installation) -> None:
    supervisor = site.start("workers", IMPATIENT, "--grace=1")
    only_cluster(site)
    site.enqueue("time.sleep", 120)
    wait_for(
        "the job taken", lambda: site.query("SELECT 1 FROM django_q_ormq WHERE lock > datetime('now', '+1 minute')")
    )
    supervisor.terminate()
    assert supervisor.wait(10) == 0
    assert site.finished() == []
    assert site.processes() == []


def test_a_killed_supervisor_takes_its_cluster_along(site: Installation) -> None:
    supervisor = site.start("workers", IMPATIENT)
    only_cluster(site)
    supervisor.kill()
    supervisor.wait(10)
    wait_for("the end of all processes", lambda: site.processes() == [], 20)


def test_a_supervisor_ends_what_a_killed_one_and_its_lifeline_left(site: Installation) -> None:
    supervisor = site.start("workers", IMPATIENT)
    old = only_cluster(site)
    main = site.wait_for_cluster().pid
    lifeline = int(Path(f"/proc/{main}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(supervisor.pid, signal.SIGSTOP)  # so that it can't answer the lifeline's death
    os.kill(lifeline, signal.SIGKILL)
    supervisor.kill()
    supervisor.wait(10)
    assert alive(main)

    site.start("workers", IMPATIENT)

    wait_for("the end of the orphans", lambda: processes_of(old) == [], 20)
    wait_for_another(site, old)
    assert len(site.lines(f"Cluster {old} had lost its supervisor")) == 1
