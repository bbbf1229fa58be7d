import json

import pytest

from benchmarks.figures import Figure, as_json, as_table, percentile


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([3.0], 0.5, 3.0),
        ([3.0], 0.95, 3.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([float(n) for n in range(20, 0, -1)], 0.95, 19.0),
        ([float(n) for n in range(1, 11)], 0.95, 10.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_percentile(values: list[float], part: float, expected: float) -> None:
    assert percentile(values, part) == expected


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure("rate", 600, 11, "tasks/s", at_least=550), True),
        (Figure("rate", 500, 11, "tasks/s", at_least=550), False),
        (Figure("calls", 7, 1000, "calls", at_most=7), True),
        (Figure("calls", 8, 1000, "calls", at_most=7), False),
        (Figure("latency", 200, None, "ms"), None),
    ],
)
def test_what_is_expected(figure: Figure, expected: bool | None) -> None:
    assert figure.is_met == expected


def test_json_has_the_ratio_of_ours_to_the_baseline() -> None:
    figures = [Figure("rate", 600, 12, "tasks/s", at_least=550), Figure("latency", 200, None, "ms")]
    assert json.loads(as_json(figures)) == [
        {"name": "rate", "ours": 600, "baseline": 12, "unit": "tasks/s", "ratio": 50},
        {"name": "latency", "ours": 200, "baseline": None, "unit": "ms", "ratio": None},
    ]


def test_table_says_whether_what_is_expected_is_met() -> None:
    assert as_table(
        [Figure("rate", 600, 12, "tasks/s", at_least=660), Figure("calls", 5, None, "calls", at_most=7)]
    ) == [
        "       ours  naive  unit     ours/naive  expected",
        "rate    600     12  tasks/s          50  at least 660: NOT MET",
        "calls     5      -  calls             -  at most 7: met",
    ]
