"""The summary of a crash run, as lines of text."""

from collections.abc import Mapping

from benchmarks.crash_run import Story
from benchmarks.judging import Verdict

_SHOWN = 5


def summary(title: str, story: Story, verdict: Verdict) -> list[str]:
    """Return what happened and what came of it."""
    seconds = ", ".join(f"{name} {value:.0f}" for name, value in story.seconds.items())
    lines = [
        title,
        f"  seconds     {seconds}",
        f"  kills       {sum(story.kills.values())}: {_counts(story.kills)}; supervisors restarted: {story.restarts}",
        f"  faults      {sum(story.faults.values())}: {_counts(story.faults)}",
        f"  calls       {sum(story.calls.values())}: {_counts(story.calls)}",
        f"  attempts    {_counts(story.outcomes) or 'none'}",
        f"  commits     {_counts(story.writes)}",
        f"  tasks       {verdict.expected}",
    ]
    wrong = {
        "duplicates": verdict.duplicates,
        "missing": verdict.missing,
        "strangers": verdict.strangers,
        "unsettled": verdict.unsettled,
        "wrong id": verdict.wrong_id,
    }
    for name, found in wrong.items():
        examples = f"  ({', '.join(found[:_SHOWN])}{', …' if len(found) > _SHOWN else ''})" if found else ""
        lines.append(f"  {name:<11} {len(found)}{examples}")
    return lines + [f"  stuck       {row}" for row in story.stuck]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1]))
