"""Where the engine's time goes: one worker's work in this process, its queries by the function that asks them."""

import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isfunction
from random import Random
from typing import Any

from django.db import connection as database

from benchmarks.installation import ROOT, Installation
from benchmarks.strategies import OurWay
from benchmarks.work import Reps
from sync import delivery, outbox, settling
from sync.crm.base import Crm
from sync.models import Connection

_SYNC = str(ROOT / "sync")
# All their functions are timed, queries and Python together.
_MODULES = (delivery, outbox, settling)


@dataclass
class _Watch:
    queries: Counter[str] = field(default_factory=Counter)
    query_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    runs: Counter[str] = field(default_factory=Counter)
    stage_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    stage_cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def query(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            name = f"{_asker()}: {_kind(sql)}"
            self.queries[name] += 1
            self.query_seconds[name] += time.perf_counter() - began

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            began, cpu = time.perf_counter(), time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.runs[name] += 1
                self.stage_cpu[name] += time.thread_time() - cpu
                self.stage_seconds[name] += time.perf_counter() - began

        return run


@contextmanager
def _log_elsewhere(made: Installation) -> Iterator[None]:
    """The engine's log lines cost time, too, but are nothing to look at."""
    shown = os.dup(sys.stderr.fileno())
    try:
        with made.log.open("a") as log:
            os.dup2(log.fileno(), sys.stderr.fileno())
        yield
    finally:
        os.dup2(shown, sys.stderr.fileno())
        os.close(shown)


def profile(made: Installation, tasks: int) -> list[str]:
    """Complete so many tasks and deliver them here; return a table. All milliseconds are of the whole."""
    with _log_elsewhere(made):
        return _profile(made, tasks)


def _profile(made: Installation, tasks: int) -> list[str]:
    way = OurWay()
    way.prepare(made)
    reps = Reps.hire(made.sandbox, Random(1), with_records=True)
    pk = Connection.objects.get().pk
    way.complete(reps.work(20), together=True)
    delivery.deliver(pk)
    completing = _Watch()
    began = time.perf_counter()
    with database.execute_wrapper(completing.query):
        way.complete(reps.work(tasks), together=True)
    completed = time.perf_counter() - began
    watch = _Watch()
    with _stages(watch), database.execute_wrapper(watch.query):
        began, cpu = time.perf_counter(), time.thread_time()
        done = delivery.deliver(pk)
        seconds, cpu = time.perf_counter() - began, time.thread_time() - cpu
    return [
        f"{tasks} tasks completed together in {completed * 1000:.0f} ms",
        *_table(completing.queries, completing.query_seconds),
        "",
        f"{done} tasks delivered by one worker in {seconds * 1000:.0f} ms, {cpu * 1000:.0f} ms of them its own CPU",
        *_table(watch.runs, watch.stage_seconds, watch.stage_cpu),
        "",
        f"{watch.queries.total()} queries in {sum(watch.query_seconds.values()) * 1000:.0f} ms",
        *_table(watch.queries, watch.query_seconds),
    ]


@contextmanager
def _stages(watch: _Watch) -> Iterator[None]:
    """Time the stages, and the calls to the CRM."""
    places: list[tuple[Any, str]] = [
        (module, name)
        for module in _MODULES
        for name, function in vars(module).items()
        if isfunction(function) and function.__module__ == module.__name__
    ]
    places += [(_gateway_class(), name) for name in ("write_tasks", "find_tasks", "fetch_records")]
    before = [(place, name, getattr(place, name)) for place, name in places]
    for place, name, function in before:
        setattr(place, name, watch.timed(f"{getattr(place, '__name__', '')}.{name}", function))
    try:
        yield
    finally:
        for place, name, function in before:
            setattr(place, name, function)


def _gateway_class() -> type[Crm]:
    from sync import connecting  # noqa: PLC0415 - beside its only use

    return type(connecting.gateway(Connection.objects.get()))


def _asker() -> str:
    """The innermost function of sync/ above a query."""
    frame = sys._getframe(2)  # noqa: SLF001 - what inspect.stack does a thousand times slower
    while frame is not None:
        if frame.f_code.co_filename.startswith(_SYNC):
            return f"{frame.f_code.co_filename.removeprefix(_SYNC + '/')} {frame.f_code.co_name}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return "elsewhere"


def _kind(sql: str) -> str:
    """The statement's verb and table."""
    words = sql.replace('"', "").split()
    verb = words[0].upper()
    after = {"SELECT": "FROM", "INSERT": "INTO", "DELETE": "FROM"}.get(verb)
    if verb == "UPDATE":
        return f"UPDATE {words[1]}"
    upper = [word.upper() for word in words]
    return f"{verb} {words[upper.index(after) + 1]}" if after and after in upper else verb


def _table(counts: Counter[str], seconds: Mapping[str, float], cpu: Mapping[str, float] | None = None) -> list[str]:
    """Milliseconds (and, where it is known, how many of them this process's CPU worked), how often, what."""
    lines = []
    for name in sorted(seconds, key=lambda name: -seconds[name]):
        own = f" ({cpu[name] * 1000:7.1f} CPU)" if cpu else ""
        lines.append(f"  {seconds[name] * 1000:8.1f} ms{own}  {counts[name]:5d} x  {name}")
    return lines
