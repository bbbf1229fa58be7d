"""Kill workers while tasks go out, and count what stands in the CRM: `python -m benchmarks.crash`.

Runs this project's way, which must bring each task exactly once, and then the naive way, which must not: a harness
that can't fail proves nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.databases import KINDS
from benchmarks.installation import SetupError, installation
from playbooks.children import Children, wait_until_interrupted

# Short ones, so that what takes minutes in production happens in seconds; the system check holds their order.
TIMES = {"SYNC_HTTP_TIMEOUT": "2", "SYNC_LEASE": "5", "SYNC_JOB_TIMEOUT": "20"}
LATENCY_MS = 30
NAIVE_TASKS = 200
SHORT_TASKS = 300
SHORT_NAIVE_TASKS = 120

# The status of a run that was exact, but in which too little went wrong to prove it; and how often one is begun.
TOO_LITTLE = 3
TRIES = 3


@dataclass(frozen=True, slots=True)
class Run:
    """One run in a process of its own: Django knows one database a process."""

    database: str
    strategy: str
    tasks: int


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crash", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tasks", type=int, help="how many tasks go out (default: 2000)")
    parser.add_argument("--database", choices=[*KINDS, "both"], default="both")
    parser.add_argument("--clusters", type=int, help="default: 1 on SQLite, 2 on PostgreSQL")
    parser.add_argument("--short", action="store_true", help=f"{SHORT_TASKS} tasks and a shorter storm")
    parser.add_argument("--strategy", choices=["ours", "naive"], help="only this one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the logs, also when all went well")
    return parser.parse_args(words)


def runs(options: argparse.Namespace) -> list[Run]:
    """Return what the options ask for: ours on each database, then naive on one."""
    databases = KINDS if options.database == "both" else (options.database,)
    tasks = options.tasks or (SHORT_TASKS if options.short else 2000)
    naive_tasks = options.tasks or (SHORT_NAIVE_TASKS if options.short else NAIVE_TASKS)
    wanted = []
    if options.strategy != "naive":
        wanted += [Run(database, "ours", tasks) for database in databases]
    if options.strategy != "ours":
        wanted.append(Run(databases[-1], "naive", naive_tasks))
    return wanted


def run_here(run: Run, options: argparse.Namespace) -> int:
    """Return 0 when each task stands in the CRM once; for the naive way, when that is not so."""
    with installation(run.database, LATENCY_MS, TIMES) as made:
        # These need Django, which is set up just now.
        from benchmarks.crash_report import summary  # noqa: PLC0415
        from benchmarks.crash_run import CrashRun, Plan  # noqa: PLC0415
        from benchmarks.faults import ESSENTIAL  # noqa: PLC0415
        from benchmarks.strategies import WAYS  # noqa: PLC0415

        is_short = options.short or run.strategy == "naive"
        storm = 15 if run.strategy == "naive" else 20 if is_short else 120
        plan = Plan(
            tasks=run.tasks,
            clusters=options.clusters or (2 if run.database == "postgres" else 1),
            storm=storm,
            kill_pause=(0.3, 2) if is_short else (0.5, 3),
            calm_within=120 if is_short else 240,
            seed=options.seed,
        )
        crash = CrashRun(made, WAYS[run.strategy](), plan, float(TIMES["SYNC_HTTP_TIMEOUT"]))
        verdict = crash.run()
        title = f"{run.strategy} on {run.database}, {plan.clusters} cluster(s), seed {plan.seed}"
        print("\n".join(summary(title, crash.story, verdict)), flush=True)
        if run.strategy == "naive":
            return 0 if verdict.duplicates else 1
        if lacking := crash.story.lacks(ESSENTIAL):
            print(f"  This run proves too little. It had none of: {', '.join(lacking)}", flush=True)
        made.keep = options.keep or not verdict.is_perfect
        return 1 if not verdict.is_perfect else TOO_LITTLE if lacking else 0


def run_proven(run: Run, options: argparse.Namespace) -> int:
    """Run it, again with other chances when too little went wrong; each of the runs must be exact."""
    for seed in range(options.seed, options.seed + TRIES):
        status = run_apart(run, argparse.Namespace(**{**vars(options), "seed": seed}))
        if status != TOO_LITTLE:
            break
    return status


def run_apart(run: Run, options: argparse.Namespace) -> int:
    """Run it in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.crash", "--database", run.database]
    command += ["--strategy", run.strategy, "--tasks", str(run.tasks), "--seed", str(options.seed)]
    command += ["--short"] if options.short else []
    command += ["--keep"] if options.keep else []
    command += ["--clusters", str(options.clusters)] if options.clusters else []
    with Children() as children:
        children.start(f"{run.strategy} on {run.database}", command, grace=60)
        return wait_until_interrupted(children).exit_status or 0


def main() -> int:
    """Exit status: 0 when ours was perfect and naive was not, 1 when not, 2 when it could not begin, 130 on Ctrl-C."""
    options = arguments()
    wanted = runs(options)
    try:
        if len(wanted) == 1:
            return run_here(wanted[0], options)
        failed = []
        for run in wanted:
            print(f"{run.strategy} on {run.database}: {run.tasks} tasks", flush=True)
            if run_proven(run, options):
                failed.append(run)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for run in failed:
        came = "no duplicates" if run.strategy == "naive" else "not exactly once, or too little went wrong"
        print(f"FAILED: {run.strategy} on {run.database}: {came}", flush=True)
    print("Each task exactly once, and the naive way made duplicates." if not failed else "", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
