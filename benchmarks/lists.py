"""The Manager App's lists at size, on SQLite and PostgreSQL: `make bench ARGS=lists`.

5,000 users and a log of 1,000,000 attempts, beside a plain ModelAdmin of the same models on Django's own admin.
"""

import sys
from collections.abc import Sequence

from benchmarks.databases import KINDS
from benchmarks.figures import Figure
from benchmarks.filled import MILLISECONDS, child, filled, report

PLAIN = "benchmarks.plain_settings"


def measure(kinds: Sequence[str]) -> list[Figure]:
    """Return a figure for each page and database: the median."""
    figures = []
    for kind in kinds:
        with filled(kind) as environment:
            ours = child(environment, "benchmarks.pages", "ours")
            plain = child({**environment, "DJANGO_SETTINGS_MODULE": PLAIN}, "benchmarks.pages", "plain")
        figures += [
            Figure(f"{kind}: {name}", round(took, 1), _rounded(plain.get(name)), "ms", at_most=MILLISECONDS)
            for name, took in ours.items()
        ]
    return figures


def _rounded(took: float | None) -> float | None:
    return None if took is None else round(took, 1)


if __name__ == "__main__":
    sys.exit(report("lists", measure(sys.argv[1:] or KINDS)))
