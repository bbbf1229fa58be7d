from benchmarks.judging import Ours, Theirs, Verdict, judge


def test_each_task_once_is_perfect() -> None:
    verdict = judge([Ours("a", "00T1", True), Ours("b", "00T2", True)], [Theirs("00T2", "b"), Theirs("00T1", "a")])
    assert verdict == Verdict(expected=2)
    assert verdict.is_perfect


def test_what_is_wrong_is_named() -> None:
    ours = [
        Ours("twice", "00T1", True),
        Ours("lost", "00T9", True),
        Ours("late", "", False),
        Ours("mixed up", "00T1", True),
    ]
    theirs = [
        Theirs("00T1", "twice"),
        Theirs("00T2", "twice"),
        Theirs("00T3", "late"),
        Theirs("00T4", "mixed up"),
        Theirs("00T5", "not ours"),
        Theirs("00T6", ""),
    ]
    verdict = judge(ours, theirs)
    assert verdict == Verdict(
        expected=4,
        duplicates=("twice",),
        missing=("lost",),
        strangers=("00T5", "00T6"),
        unsettled=("late",),
        wrong_id=("lost", "mixed up"),
    )
    assert not verdict.is_perfect


def test_a_task_that_is_done_here_and_missing_there_is_not_perfect() -> None:
    verdict = judge([Ours("a", "00T1", True)], [])
    assert (verdict.missing, verdict.wrong_id, verdict.is_perfect) == (("a",), ("a",), False)
