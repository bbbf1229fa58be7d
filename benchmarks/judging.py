"""Whether each task stands in the CRM exactly once. Pure: rows in, verdict out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    """A completed task as it stands here; `is_done` when its outbox row says so."""

    key: str
    crm_id: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Theirs:
    """A Task as it stands in the CRM; `key` empty when it carries none of ours."""

    crm_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, by key; `strangers` are CRM ids of Tasks without a key of ours."""

    expected: int
    duplicates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    wrong_id: tuple[str, ...] = ()

    @property
    def is_perfect(self) -> bool:
        return not (self.duplicates or self.missing or self.strangers or self.unsettled or self.wrong_id)


def judge(ours: Sequence[Ours], theirs: Iterable[Theirs]) -> Verdict:
    """Compare what should be in the CRM with what is."""
    known = {one.key for one in ours}
    ids: dict[str, list[str]] = defaultdict(list)
    strangers = []
    for task in theirs:
        if task.key in known:
            ids[task.key].append(task.crm_id)
        else:
            strangers.append(task.crm_id)
    return Verdict(
        expected=len(ours),
        duplicates=tuple(sorted(key for key, found in ids.items() if len(found) > 1)),
        missing=tuple(one.key for one in ours if one.key not in ids),
        strangers=tuple(strangers),
        unsettled=tuple(one.key for one in ours if not one.is_done),
        wrong_id=tuple(one.key for one in ours if one.is_done and one.crm_id not in ids[one.key]),
    )
