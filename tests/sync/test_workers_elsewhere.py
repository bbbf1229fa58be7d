"""`manage.py workers` with Redis as the broker, and on a PostgreSQL that goes away."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection

from tests.sync.real_cluster import Installation, ended, installation, wait_for

SILENCE = 12  # seconds after which a cluster is said to hang


@pytest.mark.redis
def test_workers_end_a_hang_with_the_redis_broker(tmp_path: Path, empty_database: Path) -> None:
    # A numbered database of its own: the queue's name is the same everywhere.
    redis_url = urlunsplit(urlsplit(os.environ["TEST_REDIS_URL"])._replace(path="/9"))
    with installation(tmp_path, empty_database, QUEUE_REDIS_URL=redis_url) as site:
        supervisor = site.start("workers", f"--patience={SILENCE}")
        (old,) = wait_for("a cluster", site.clusters)
        # Redis keeps the figures; the idle worker is the one that waits for the queue's lock.
        for pid in idle_children(site):
            os.kill(pid, signal.SIGKILL)
        (new,) = wait_for("a new cluster", lambda: site.clusters() - {old}, 60)
        assert new != old
        assert len(site.lines("hangs: no sign of life from its ")) == 1
        supervisor.terminate()
        assert supervisor.wait(20) == 0
        assert site.processes() == []


def idle_children(site: Installation) -> list[int]:
    """The processes that the sentinel forked: worker, monitor and pusher."""
    parents = {pid: parent_of(pid) for pid in site.processes()}
    with_children = set(parents.values())
    return [pid for pid in parents if pid not in with_children]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


@pytest.fixture
def postgres_url(db: None) -> Iterator[str]:
    """A database of its own on the test server, which can be closed to everyone."""
    given = connection.settings_dict
    name = f"{given['NAME']}_away"
    credentials = f"{given['USER']}:{given['PASSWORD']}" if given["PASSWORD"] else given["USER"]
    server = f"postgres://{credentials}@{given['HOST'] or '127.0.0.1'}:{given['PORT'] or 5432}"
    with closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{name}"')
        yield f"{server}/{name}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def set_open(url: str, open_to_all: bool) -> None:
    server, _, name = url.rpartition("/")
    with closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {open_to_all}')
        if not open_to_all:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def beats(url: str) -> set[tuple[str, object]]:
    with closing(psycopg.connect(url)) as database:
        return set(database.execute("SELECT name, beat_at FROM sync_heartbeat WHERE name LIKE 'worker %'").fetchall())


@pytest.mark.postgres
def test_workers_outlive_a_database_that_goes_away_for_longer_than_a_hang(tmp_path: Path, postgres_url: str) -> None:
    site = Installation(tmp_path, variables={"DATABASE_URL": postgres_url})
    site.manage("migrate", "--verbosity=0")
    site.manage("createcachetable")
    with ended(site):
        supervisor = site.start("workers", f"--patience={SILENCE}")
        wait_for("a first beat", lambda: beats(postgres_url))
        set_open(postgres_url, open_to_all=False)
        closed_at = time.monotonic()
        wait_for("the report", lambda: site.lines("The database doesn't answer (OperationalError)."))
        wait_for("a long outage", lambda: time.monotonic() - closed_at > SILENCE + 3)
        assert supervisor.poll() is None
        set_open(postgres_url, open_to_all=True)
        wait_for("the good news", lambda: site.lines("The database answers again."))
        seen = beats(postgres_url)
        wait_for("a new beat", lambda: beats(postgres_url) - seen, 60)
        assert site.lines("hangs") == []
        started = site.lines("was started in process group")
        assert [line for line in started if "Cluster" in line] == started[:1]
        supervisor.terminate()
        assert supervisor.wait(20) == 0
        assert site.processes() == []
