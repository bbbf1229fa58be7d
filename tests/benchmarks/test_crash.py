import pytest

from benchmarks.crash import Run, arguments, runs


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [Run("sqlite", "ours", 2000), Run("postgres", "ours", 2000), Run("postgres", "naive", 200)]),
        (
            ["--short"],
            [Run("sqlite", "ours", 300), Run("postgres", "ours", 300), Run("postgres", "naive", 120)],
        ),
        (["--database", "sqlite"], [Run("sqlite", "ours", 2000), Run("sqlite", "naive", 200)]),
        (["--strategy", "ours", "--tasks", "50"], [Run("sqlite", "ours", 50), Run("postgres", "ours", 50)]),
        (["--strategy", "naive"], [Run("postgres", "naive", 200)]),
    ],
)
def test_which_runs_the_options_ask_for(options: list[str], expected: list[Run]) -> None:
    assert runs(arguments(options)) == expected
