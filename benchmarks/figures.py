"""The figures of a measurement as a table and as JSON. Pure."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing, ours beside the naive way's. `at_least` and `at_most` are what is expected of `ours`."""

    name: str
    ours: float
    baseline: float | None
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the baseline."""
        return round(self.ours / self.baseline, 4) if self.baseline else None

    @property
    def is_met(self) -> bool | None:
        """None when nothing is expected."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.ours >= self.at_least) and (
            self.at_most is None or self.ours <= self.at_most
        )


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least `part` (0 to 1) of the values don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def as_json(figures: Sequence[Figure]) -> str:
    """Return a list of {name, ours, baseline, unit, ratio}."""
    names = ("name", "ours", "baseline", "unit")
    rows = [{name: asdict(one)[name] for name in names} | {"ratio": one.ratio} for one in figures]
    return json.dumps(rows, indent=2) + "\n"


def as_table(figures: Sequence[Figure]) -> list[str]:
    """Return lines: a header, then one line a figure, with whether what is expected is met."""
    rows = [("", "ours", "naive", "unit", "ours/naive", "expected")]
    rows += [
        (
            one.name,
            _number(one.ours),
            _number(one.baseline),
            one.unit,
            _number(one.ratio),
            _expected(one),
        )
        for one in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in rows]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Numbers to the right, words to the left."""
    return [
        cell.rjust(width) if column in (1, 2, 4) else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _expected(one: Figure) -> str:
    if one.is_met is None:
        return ""
    bounds = []
    if one.at_least is not None:
        bounds.append(f"at least {_number(one.at_least)}")
    if one.at_most is not None:
        bounds.append(f"at most {_number(one.at_most)}")
    return f"{' and '.join(bounds)}: {'met' if one.is_met else 'NOT MET'}"
