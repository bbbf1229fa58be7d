"""One django-q2 cluster with all its processes, in a session of its own, so that it can be ended as a whole."""

import fcntl
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from sync import lifeline
from sync.models.job import CLUSTER_VARIABLE

# After SIGKILL a process is gone in milliseconds; one that waits for a disk may take longer.
_KILLED_WITHIN = 10.0
_LOOK_EVERY = 0.05


class ClusterGroup:
    """A running command and everything that it forks.

    A locked file in `records` says that its supervisor lives; the kernel unlocks it when that is killed, and the next
    supervisor ends what was left (`end_stale`).
    """

    def __init__(self, command: Sequence[str], records: Path, grace: float) -> None:
        self.name = uuid.uuid4().hex[:12]
        self._record_path, self._record = _lock_record(records, self.name)
        near, self._lifeline = os.pipe()
        try:
            self._leader = subprocess.Popen(
                [sys.executable, "-I", lifeline.__file__, str(near), str(grace), *command],
                pass_fds=(near,),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, CLUSTER_VARIABLE: self.name},
            )
        finally:
            os.close(near)

    @property
    def pid(self) -> int:
        """The process group's number."""
        return self._leader.pid

    @property
    def exit_status(self) -> int | None:
        """None while the cluster's main process runs."""
        return self._leader.poll()

    def ask_to_end(self) -> None:
        if self.exit_status is None:
            self._leader.terminate()

    def end(self, grace: float, *, hurry: Callable[[], bool] = lambda: False) -> bool:
        """Ask the cluster to stop, and kill its whole group after `grace` seconds or when `hurry` says so.

        Returns whether it stopped by itself. SIGTERM alone isn't enough: a hanging cluster doesn't obey it.
        """
        self.ask_to_end()
        deadline = time.monotonic() + grace
        while self.exit_status is None and time.monotonic() < deadline and not hurry():
            time.sleep(_LOOK_EVERY)
        by_itself = self.exit_status is not None
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        _kill_processes(self.name)
        self._leader.wait(_KILLED_WITHIN)
        os.close(self._lifeline)
        self._record_path.unlink(missing_ok=True)
        self._record.close()
        return by_itself


def end_stale(records: Path) -> list[str]:
    """End the clusters whose supervisors were killed, and return their names. Those of living ones are left alone."""
    ended = []
    for path in sorted(records.glob("*.cluster")):
        try:
            record = path.open()
        except FileNotFoundError:
            continue
        with record:
            try:
                fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if _kill_processes(path.stem):
                ended.append(path.stem)
            path.unlink(missing_ok=True)
    return ended


def processes_of(name: str) -> list[int]:
    """Return the living processes of a cluster, by the name in their environment.

    Numbers are given out again, so a number alone would not prove that a process is ours. Empty where there is no
    /proc: there the lifeline alone ends a cluster that lost its supervisor.
    """
    mark = f"{CLUSTER_VARIABLE}={name}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environment = (directory / "environ").read_bytes()
        except OSError:  # gone meanwhile, or another user's
            continue
        if mark in environment.split(b"\0"):
            found.append(int(directory.name))
    return found


def _kill_processes(name: str) -> bool:
    """Kill all processes of a cluster, and return whether there were any. Raises TimeoutError when one won't go."""
    deadline = time.monotonic() + _KILLED_WITHIN
    there_were = False
    while pids := processes_of(name):
        there_were = True
        if time.monotonic() > deadline:
            raise TimeoutError(f"Processes {pids} can't be killed.")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_LOOK_EVERY)
    return there_were


def _lock_record(records: Path, name: str) -> tuple[Path, TextIO]:
    """Make the file under another name first: nobody may see it unlocked."""
    records.mkdir(parents=True, exist_ok=True)
    unseen = records / f"{name}.new"
    record = unseen.open("x")
    fcntl.flock(record, fcntl.LOCK_EX)
    return unseen.rename(records / f"{name}.cluster"), record
