"""Real workers for tests: processes of their own, on a database of their own, judged by what they leave behind."""

import base64
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone
from django_q.signing import SignedPackage
from django_q.status import Stat

T = TypeVar("T")

MANAGE = str(Path(__file__).resolve().parents[2] / "manage.py")


def wait_for(what: str, condition: Callable[[], T], seconds: float = 30) -> T:
    """Return the first true answer of `condition`; fail with `what` after that many seconds."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} seconds")
        time.sleep(0.05)
    return answer


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@dataclass
class Installation:
    """A database file, a var directory and the environment for processes that work on them."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.directory / "playbooks.sqlite3"

    @property
    def log(self) -> Path:
        return self.directory / "log.txt"

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "playbooks.settings",
            "ENV_FILE": "",
            "ENVIRONMENT": "development",
            "SECRET_KEY": settings.SECRET_KEY,
            "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "VAR_DIR": str(self.directory / "var"),
            "EMAIL_URL": "memorymail://",
            "LOG_FORMAT": "json",
            **self.variables,
        }

    def manage(self, *arguments: str) -> None:
        subprocess.run([sys.executable, MANAGE, *arguments], env=self.environment(), check=True, timeout=60)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, MANAGE, *arguments],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20, isolation_level=None)) as connection:
            return connection.execute(sql, values).fetchall()

    def enqueue(self, func: str, *args: Any) -> None:
        """Put a job into the queue, as async_task does it."""
        name = f"job-{time.monotonic_ns()}"
        job = {"id": name, "name": name, "func": func, "args": args, "kwargs": {}, "started": timezone.now()}
        self.query(
            "INSERT INTO django_q_ormq (key, payload, lock) VALUES ('playbooks', ?, ?)",
            SignedPackage.dumps({**job, "ack_failure": True}),
            timezone.now().replace(tzinfo=None).isoformat(" "),
        )

    def finished(self) -> list[str]:
        """The functions of the jobs that ran to their end."""
        return [func for (func,) in self.query("SELECT func FROM django_q_task WHERE success")]

    def beats(self) -> dict[str, str]:
        """When each part of each cluster showed a sign of life."""
        return dict(self.query("SELECT name, beat_at FROM sync_heartbeat"))

    def clusters(self) -> set[str]:
        """The names of the supervised clusters whose every part has shown a sign of life."""
        parts: dict[str, set[str]] = {}
        for name in self.beats():
            part, _, cluster = name.partition(" ")
            parts.setdefault(cluster, set()).add(part)
        return {cluster for cluster, seen in parts.items() if seen >= {"sentinel", "worker", "monitor"}}

    def stats(self) -> list[Stat]:
        """What the clusters say of themselves: the numbers of their processes."""
        rows = self.query("SELECT value FROM django_cache WHERE cache_key LIKE '%:cluster:%'")
        packages = [pickle.loads(base64.b64decode(value)) for (value,) in rows]
        stats = [SignedPackage.loads(package) for package in packages if isinstance(package, str)]
        return [stat for stat in stats if alive(stat.sentinel)]

    def wait_for_cluster(self, seconds: float = 30) -> Stat:
        """Wait until one cluster has all its processes, and return their numbers."""

        def complete() -> Stat | None:
            whole = [
                s for s in self.stats() if s.monitor and s.pusher and all(map(alive, [*s.workers, s.monitor, s.pusher]))
            ]
            return whole[0] if len(whole) == 1 and whole[0].workers else None

        return wait_for("a cluster with all its processes", complete, seconds)

    def processes(self) -> list[int]:
        """The living processes whose environment names this var directory: all that runs here."""
        mark = f"VAR_DIR={self.directory / 'var'}".encode()
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (directory / "environ").read_bytes().split(b"\0") and alive(int(directory.name)):
                    found.append(int(directory.name))
            except OSError:
                continue
        return found

    def lines(self, text: str) -> list[str]:
        """The log's lines that hold a text."""
        return [line for line in self.log.read_text().splitlines() if text in line]


@contextmanager
def installation(directory: Path, empty_database: Path, **variables: str) -> Iterator[Installation]:
    """An installation of its own, on a copy of an empty database; whatever it started has ended afterwards."""
    directory.mkdir(parents=True, exist_ok=True)
    made = Installation(directory, variables)
    made.database.write_bytes(empty_database.read_bytes())
    with ended(made):
        yield made


@contextmanager
def ended(made: Installation) -> Iterator[None]:
    """Leave no process of an installation behind."""
    try:
        yield
    finally:
        for process in made.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        # A cluster under a supervisor that was just killed ends by its lifeline, too, but later.
        for pid in made.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
