"""Which step of which play a program names for a task, and the open task that waits for it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sync.enums import TaskState
from sync.inputs import Errors
from sync.models import Play, PlayStep, Record, Task
from teams.crm_ids import to_18


class NamedStep(NamedTuple):
    """What was said: the play's name or uuid, the step's name or its place (1 is the first), for whom and which record.

    Upper and lower case don't count. A record is given as such or by its CRM id.
    """

    play: str
    step: str
    user_id: int
    record: Record | str | None = None


class FoundStep(NamedTuple):
    """The step, its play loaded, and the user's open task for it where the record is in the play."""

    step: PlayStep
    task: Task | None


def find_steps(named: Sequence[NamedStep | None]) -> list[FoundStep | ValidationError | None]:
    """Find steps and their open tasks in three queries, however many; answers in their order, None for None.

    An error has messages for `play` and `play_step`. An open task is given out once.
    """
    plays = _Plays.gather(one for one in named if one is not None)
    found: list[FoundStep | ValidationError | None] = [None if one is None else plays.find(one) for one in named]
    waiting = _open_tasks(
        (one, step.step) for one, step in zip(named, found, strict=True) if one and isinstance(step, FoundStep)
    )
    given: set[int] = set()
    for place, (one, step) in enumerate(zip(named, found, strict=True)):
        if one is None or not isinstance(step, FoundStep):
            continue
        tasks = waiting.get((one.user_id, step.step.pk, _crm_id(one.record)), ())
        task = next((task for task in tasks if task.pk not in given), None)
        if task is not None:
            given.add(task.pk)
            found[place] = step._replace(task=task)
    return found


@dataclass(slots=True)
class _Plays:
    """The plays that were named, by uuid and by name in one case, with their steps in order."""

    by_uuid: dict[str, Play] = field(default_factory=dict)
    by_exact_name: dict[str, Play] = field(default_factory=dict)
    by_name: dict[str, list[Play]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[int, list[PlayStep]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def gather(cls, named: Iterable[NamedStep]) -> "_Plays":
        plays = cls()
        wanted = {one.play.strip().casefold() for one in named} - {""}
        if not wanted:
            return plays
        # All of them: not every database folds the case of every script, and there are few.
        for play in Play.objects.order_by("pk"):
            if {str(play.uuid), play.name.strip().casefold()} & wanted:
                plays.by_uuid[str(play.uuid)] = play
                plays.by_exact_name[play.name.strip()] = play
                plays.by_name[play.name.strip().casefold()].append(play)
        for step in PlayStep.objects.filter(play__in=plays.by_uuid.values()).order_by("play", "position"):
            plays.steps[step.play_id].append(step)
        return plays

    def find(self, named: NamedStep) -> FoundStep | ValidationError:
        errors = Errors()
        play = self._play(named, errors)
        step = self._step(named, play, errors)
        if play is None or step is None:
            return errors.as_error()
        step.play = play
        return FoundStep(step, None)

    def _play(self, named: NamedStep, errors: Errors) -> Play | None:
        name = named.play.strip()
        if not name:
            errors.add("play", _("Say which play this step belongs to, by its name."), "required")
            return None
        alike = self.by_name.get(name.casefold(), [])
        play = self.by_exact_name.get(name) or self.by_uuid.get(name.casefold())
        if play is None and len(alike) == 1:
            play = alike[0]
        if play is None and alike:
            message = _("Several plays have this name in other upper and lower case. Write it exactly as it stands.")
            errors.add("play", message, "ambiguous")
        elif play is None:
            errors.add("play", _("There is no play of this name. Check how it is written."), "unknown")
        return play

    def _step(self, named: NamedStep, play: Play | None, errors: Errors) -> PlayStep | None:
        name = named.step.strip()
        if not name:
            errors.add("play_step", _("Say which of the play's steps this was, by its name."), "required")
            return None
        if play is None:
            return None
        steps = self.steps[play.pk]
        alike = [step for step in steps if step.name.strip() == name]
        alike = alike or [step for step in steps if step.name.strip().casefold() == name.casefold()]
        if not alike and name.isdecimal() and len(name) < 6 and 1 <= int(name) <= len(steps):
            return steps[int(name) - 1]
        if not alike:
            message = _("The play has no step of this name. Check the spelling, or give its place: 1 is the first.")
            errors.add("play_step", message, "unknown")
        elif len(alike) > 1:
            message = _("The play has several steps of this name. Give the step's place instead: 1 is the first.")
            errors.add("play_step", message, "ambiguous")
        return alike[0] if len(alike) == 1 else None


def _open_tasks(named: Iterable[tuple[NamedStep, PlayStep]]) -> Mapping[tuple[int, int, str], list[Task]]:
    """The open tasks by user, step and record, the longest due first: a play may relate to two records."""
    asked = {(one.user_id, step.pk, crm_id) for one, step in named if (crm_id := _crm_id(one.record))}
    found: dict[tuple[int, int, str], list[Task]] = defaultdict(list)
    if not asked:
        return found
    users, steps, crm_ids = (set(part) for part in zip(*asked, strict=True))
    of_record = Q(enrolment__record__crm_id__in=crm_ids) | Q(enrolment__related_record__crm_id__in=crm_ids)
    tasks = Task.objects.filter(
        of_record, user__in=users, step__in=steps, state=TaskState.OPEN, enrolment__ended_at=None
    ).select_related("enrolment__record", "enrolment__related_record")
    for task in tasks.order_by("due_on", "pk"):
        enrolment = task.enrolment
        records = (enrolment.record, enrolment.related_record) if enrolment is not None else ()
        for crm_id in {record.crm_id for record in records if record is not None}:
            found[task.user_id, task.step_id or 0, crm_id].append(task)
    return found


def _crm_id(record: Record | str | None) -> str:
    """The record's CRM id with 18 characters; empty for none and for what can't be one."""
    if isinstance(record, Record):
        return str(record.crm_id)
    try:
        return to_18(record.strip()) if record else ""
    except ValueError:
        return ""
