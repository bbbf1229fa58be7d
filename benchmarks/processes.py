"""The processes of the clusters under test, by what they do, as /proc shows them."""

import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django_q.status import Stat

from sync.models.job import CLUSTER_VARIABLE


class Role(StrEnum):
    """What a process of a supervised cluster does, from the outside in."""

    SUPERVISOR = "supervisor"
    LEADER = "group leader"
    MAIN = "main process"
    SENTINEL = "sentinel"
    WORKER = "worker"
    MONITOR = "monitor"
    PUSHER = "pusher"


@dataclass(frozen=True, slots=True)
class Running:
    """One living process. `cluster` is the name of its cluster, empty for a supervisor."""

    pid: int
    role: Role
    cluster: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What /proc shows of a process."""

    pid: int
    parent: int
    command: tuple[str, ...]
    cluster: str


def running(database_url: str) -> list[Running]:
    """Return the processes that work on this database. Those too young to be known by their role are left out."""
    seen = {one.pid: one for one in _look(f"DATABASE_URL={database_url}".encode())}
    roles = _roles_by_stat()
    found = []
    for one in seen.values():
        role = role_of(one, seen, roles)
        if role is not None:
            found.append(Running(one.pid, role, one.cluster))
    return found


def kill(process: Running) -> bool:
    """SIGKILL; False when it has just ended by itself."""
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def switches(pid: int) -> int:
    """Return how often the process has waited for something since it began: one that is idle waits only once."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def _look(mark: bytes) -> list[Seen]:
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environment = (directory / "environ").read_bytes().split(b"\0")
            if mark not in environment:
                continue
            state, parent = (directory / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            words = (directory / "cmdline").read_bytes().decode().split("\0")
        except OSError:  # gone meanwhile, or another user's
            continue
        if state not in "ZX":
            name = f"{CLUSTER_VARIABLE}=".encode()
            cluster = next((v.removeprefix(name).decode() for v in environment if v.startswith(name)), "")
            found.append(Seen(int(directory.name), int(parent), tuple(words), cluster))
    return found


def role_of(one: Seen, seen: dict[int, Seen], by_stat: dict[int, Role]) -> Role | None:
    """A cluster's processes are forks of one another and look alike: their place in the tree tells them apart."""
    if any(word.endswith("lifeline.py") for word in one.command):
        return Role.LEADER if one.cluster else None
    if not one.cluster:
        return Role.SUPERVISOR if "workers" in one.command else None
    if "qcluster" not in one.command:
        return None
    ancestors = 0
    above = seen.get(one.parent)
    while above is not None and "qcluster" in above.command and "lifeline.py" not in str(above.command):
        ancestors += 1
        above = seen.get(above.parent)
    if ancestors == 0:
        return by_stat.get(one.pid, Role.MAIN)
    return Role.SENTINEL if ancestors == 1 else by_stat.get(one.pid)


def _roles_by_stat() -> dict[int, Role]:
    """What django-q2's sentinels say of their children."""
    roles: dict[int, Role] = {}
    for stat in Stat.get_all():
        roles |= dict.fromkeys(stat.workers, Role.WORKER)
        roles |= {stat.monitor: Role.MONITOR, stat.pusher: Role.PUSHER, stat.sentinel: Role.SENTINEL}
    return roles
