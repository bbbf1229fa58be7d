"""Measure beside the naive way: `python -m benchmarks.run` for the way of a task (writes var/bench.json); with a name
for what else there is (OTHERS), each on databases of its own (var/bench-NAME.json); `all` for everything.

The naive way is one django-q2 job and one create per completed task, with two workers, as this project has on
PostgreSQL. The exit status says whether it could be measured, never how fast it was.
"""

import argparse
import os
import random
import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import matcher
from benchmarks.databases import KINDS
from benchmarks.figures import Figure, as_json, as_table, percentile
from benchmarks.installation import ROOT, Installation, SetupError, installation

if TYPE_CHECKING:
    from benchmarks.measuring import Course, Passage

LATENCY_MS = 150
# The sandbox commits at half of its latency.
UNTIL_COMMIT_MS = LATENCY_MS / 2
TOGETHER = 1000
TRICKLE = (50.0, 20.0)  # per second, seconds
IDLE = 40
NAIVE_TOGETHER = 100
NAIVE_IDLE = 20
WORKERS = 2

# Measured by a process of their own, as Django is set up once in each.
OTHERS = {"lists": "benchmarks.lists", "csv": "benchmarks.csv_export", "workspace": "benchmarks.workspace"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("tasks", *OTHERS, "all"), default="tasks")
    parser.add_argument("--database", choices=KINDS, default="postgres")
    parser.add_argument("--repeats", type=int, default=3, help="of the tasks committed together; the median counts")
    parser.add_argument("--profile", action="store_true", help="show where the engine's time goes instead")
    return parser.parse_args()


def measure(made: Installation, repeats: int) -> list[Figure]:
    """Return the figures: ours first, then the naive way on the same server and database."""
    # These need Django, which is set up just now.
    from benchmarks.measuring import Course  # noqa: PLC0415
    from benchmarks.strategies import NaiveWay, OurWay  # noqa: PLC0415
    from benchmarks.work import Reps  # noqa: PLC0415

    chance = random.Random(1)
    naive = NaiveWay()
    made.start_workers(naive.settings)
    course = Course(made.sandbox, naive, Reps.hire(made.sandbox, chance, with_records=False))
    theirs = _measure_naive(course, chance)
    made.stop_workers()
    ours = OurWay()
    # Connecting asks for the naive way's tasks, too: they warm the workers up.
    ours.prepare(made)
    made.start_workers(ours.settings)
    course = Course(made.sandbox, ours, Reps.hire(made.sandbox, chance, with_records=True))
    course.drain()
    return _measure_ours(course, chance, repeats, theirs)


def _measure_naive(course: "Course", chance: random.Random) -> "tuple[Passage, Passage]":
    _say("naive: warming up")
    course.idle(3, chance)
    _say(f"naive: {NAIVE_TOGETHER} tasks committed together")
    together = course.together(NAIVE_TOGETHER)
    _say(f"naive: {NAIVE_IDLE} tasks one at a time")
    return together, course.idle(NAIVE_IDLE, chance)


def _measure_ours(
    course: "Course", chance: random.Random, repeats: int, theirs: "tuple[Passage, Passage]"
) -> list[Figure]:
    naive_together, naive_idle = theirs
    _say("ours: warming up")
    course.idle(5, chance)
    # What a fresh worker asks once: the org's fields, and the records that are new to it.
    first = course.together(TOGETHER)
    _say(f"ours: the first {TOGETHER} tasks committed together: {_described(first)}")
    together = []
    for _each in range(repeats):
        together.append(course.together(TOGETHER))
        _say(f"ours: {TOGETHER} tasks committed together: {_described(together[-1])}")
    trickling = course.trickling(*TRICKLE)
    _say(f"ours: trickling in: {_described(trickling)}")
    idle = course.idle(IDLE, chance)
    _say(f"ours: one at a time: {_described(idle)}")
    naive_rate = naive_together.tasks / naive_together.seconds
    bounds = percentile(idle.latencies_ms, 0.95) - UNTIL_COMMIT_MS
    naive_above = percentile(naive_idle.latencies_ms, 0.95) - UNTIL_COMMIT_MS
    return [
        Figure(
            f"tasks a second, committed together ({TOGETHER:,}; naive {NAIVE_TOGETHER})",
            round(median(one.tasks / one.seconds for one in together), 1),
            round(naive_rate, 1),
            "tasks/s",
            at_least=round(50 * naive_rate, 1),
        ),
        Figure(
            "calls per 1,000 tasks committed together",
            max(one.calls_per_1000 for one in together),
            naive_together.calls_per_1000,
            "calls",
            at_most=5 + WORKERS,
        ),
        Figure(
            "the same, by fresh workers that read fields and records first",
            first.calls_per_1000,
            naive_together.calls_per_1000,
            "calls",
        ),
        Figure(
            f"calls per 1,000 tasks trickling in at {TRICKLE[0]:g} a second",
            trickling.calls_per_1000,
            naive_together.calls_per_1000,
            "calls",
        ),
        *_latency("idle latency", idle, naive_idle),
        Figure(
            "idle latency, p95 above the server's own time",
            round(bounds, 1),
            round(naive_above, 1),
            "ms",
            at_most=300,
        ),
        *_latency(f"latency at {TRICKLE[0]:g} a second", trickling, None),
    ]


def _latency(name: str, ours: "Passage", theirs: "Passage | None") -> list[Figure]:
    return [
        Figure(
            f"{name}, {word}",
            round(percentile(ours.latencies_ms, part), 1),
            round(percentile(theirs.latencies_ms, part), 1) if theirs else None,
            "ms",
        )
        for word, part in (("median", 0.5), ("p95", 0.95))
    ]


def _described(passage: "Passage") -> str:
    calls = ", ".join(f"{label} {count}" for label, count in passage.calls.items())
    return f"{passage.tasks / passage.seconds:.0f} tasks/s, calls: {calls}"


def _say(text: str) -> None:
    print(text, flush=True)


def _other(name: str) -> int:
    return subprocess.run([sys.executable, "-m", OTHERS[name]], cwd=ROOT, check=False).returncode


def main() -> int:
    """Exit status: 0 when it was measured, 1 when something did not work, 130 on Ctrl-C."""
    arguments = _arguments()
    if arguments.what in OTHERS:
        return _other(arguments.what)
    if arguments.what == "all" and any(_other(name) for name in OTHERS):
        return 1
    try:
        with installation(arguments.database, LATENCY_MS) as made:
            if arguments.profile:
                from benchmarks.profiling import profile  # noqa: PLC0415 - needs Django

                print("\n".join(profile(made, TOGETHER)), flush=True)
                return 0
            figures = measure(made, arguments.repeats)
        figures += matcher.figures(_say)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(
        f"\n{arguments.database}, {WORKERS if arguments.database == 'postgres' else 1} worker(s), "
        f"a server that takes {LATENCY_MS} ms a call and commits after {UNTIL_COMMIT_MS:g} ms; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f} (what else runs here counts)"
    )
    print("\n".join(as_table(figures)))
    file = ROOT / "var" / "bench.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(as_json(figures))
    print(f"Written to {file.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
