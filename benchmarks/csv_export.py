"""Task Sync Results of 1,000,000 rows: `make bench ARGS=csv`.

Beside PostgreSQL's own COPY … TO of the same rows and columns, and beside django-import-export's default (rows a
second and memory, of fewer rows: it holds all of them).
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.databases import KINDS
from benchmarks.figures import Figure
from benchmarks.filled import child, filled, report

TIMES_COPY = 5
MEGABYTES = 100
REPEATS = 3


def measure(kinds: Sequence[str]) -> list[Figure]:
    """Return the figures; of several runs, taken in turns, the fastest counts: what else runs here only slows down."""
    figures = []
    for kind in kinds:
        with filled(kind) as environment:
            ours, copy = [], []
            for _each in range(REPEATS):
                ours.append(child(environment, "benchmarks.csv_rows", "ours"))
                if kind == "postgres":
                    copy.append(child(environment, "benchmarks.csv_rows", "copy"))
            library = child(environment, "benchmarks.csv_rows", "import-export")
        figures += _figures(kind, _fastest(ours), _fastest(copy) if copy else None, library)
    return figures


def _figures(
    kind: str, ours: Mapping[str, Any], copy: Mapping[str, Any] | None, library: Mapping[str, Any]
) -> list[Figure]:
    seconds, rows = round(ours["seconds"], 1), ours["rows"]
    figures = [
        Figure(
            f"{kind}: rows a second (beside import-export, of {library['rows']:,})",
            round(rows / ours["seconds"]),
            round(library["rows"] / library["seconds"]),
            "rows/s",
        ),
        Figure(
            f"{kind}: memory above the idle process, {rows:,} rows (beside import-export's {library['rows']:,})",
            round(ours["grown_mb"], 1),
            round(library["grown_mb"], 1),
            "MB",
            at_most=MEGABYTES,
        ),
    ]
    if copy:
        taken = round(copy["seconds"], 1)
        bound = round(TIMES_COPY * copy["seconds"], 1)
        figures.insert(0, Figure(f"{kind}: {rows:,} rows beside COPY … TO", seconds, taken, "s", at_most=bound))
    return figures


def _fastest(runs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return min(runs, key=lambda run: float(run["seconds"]))


if __name__ == "__main__":
    sys.exit(report("csv", measure(sys.argv[1:] or KINDS)))
