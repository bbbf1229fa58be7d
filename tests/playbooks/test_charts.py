"""Where the bars of a chart stand."""

import pytest

from playbooks.charts import HEIGHT, Part, round_up, stacked


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 1), (1, 1), (2, 2), (3, 5), (5, 5), (6, 10), (11, 20), (21, 50), (99, 100), (100, 100), (100_001, 200_000)],
)
def test_the_upper_line_is_a_round_number(value: int, expected: int) -> None:
    assert round_up(value) == expected


def test_parts_stand_upon_one_another() -> None:
    chart = stacked(["Mon", "Tue"], ["good", "bad"], [[6, 4], [0, 5]])
    assert chart.top == 10
    assert [bar.middle for bar in chart.bars] == ["25.00%", "75.00%"]
    assert chart.bars[0].parts == (
        Part("good", "7.50%", "35.00%", 64, 96),
        Part("bad", "7.50%", "35.00%", 0, 64),
    )
    assert chart.bars[1].parts == (Part("bad", "57.50%", "35.00%", 80, 80),)


def test_one_among_thousands_is_seen() -> None:
    [bar] = stacked(["Mon"], ["good", "bad"], [[10_000, 1]]).bars
    assert [part.height for part in bar.parts] == [HEIGHT // 2, 2]


def test_nothing_has_no_bars() -> None:
    assert [bar.parts for bar in stacked(["Mon"], ["good"], [[0]]).bars] == [()]
    assert stacked([], [], []).bars == ()
