"""Where the bars of a chart stand. Pure: numbers in, places out; the template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 160  # of the tallest bar, in pixels
GAP = 0.3  # of a bar's place, left empty


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar, in the tone of its series. Places across are shares of the whole width, as SVG reads them."""

    tone: str
    x: str
    width: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    middle: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    bars: tuple[Bar, ...]
    top: int  # what the upper line stands for


def stacked(labels: Sequence[str], tones: Sequence[str], values: Sequence[Sequence[int]]) -> Chart:
    """Return bars side by side, each a stack: `values[bar][series]`, the first series at the bottom.

    What is not nothing is at least two pixels high, so that one failed task among thousands is seen.
    """
    top = round_up(max((sum(stack) for stack in values), default=0))
    place = 100 / max(1, len(labels))
    bars = []
    for number, (label, stack) in enumerate(zip(labels, values, strict=True)):
        parts, below = [], HEIGHT
        for tone, value in zip(tones, stack, strict=True):
            if not value:
                continue
            height = max(2, round(HEIGHT * value / top))
            below -= height
            parts.append(Part(tone, _share(place * (number + GAP / 2)), _share(place * (1 - GAP)), below, height))
        bars.append(Bar(label, _share(place * (number + 0.5)), tuple(parts)))
    return Chart(tuple(bars), top)


def round_up(value: int) -> int:
    """Return the next round number (1, 2 or 5 and noughts) that is no less, and no less than 1."""
    step = 1
    while True:
        for times in (1, 2, 5):
            if step * times >= value:
                return step * times
        step *= 10


def _share(percent: float) -> str:
    """Without a locale: it is read by browsers, not by people."""
    return f"{percent:.2f}%"
