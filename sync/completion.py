"""Completing a task: the one door for pages, API, import and demo.

The Task row, what was decided about it and its outbox row are written in one transaction. Nothing is sent here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import linking, outbox, plays
from sync.chosen_records import ChosenRecords
from sync.enums import DecisionCode, LinkChoice, TaskState
from sync.inputs import Completion, Errors, Said, check, check_open
from sync.mapping import Reason
from sync.models import Connection, Decision, Record, Task
from teams.models import Organisation, User

__all__ = ["Completion", "check_many", "complete", "complete_many", "say_anew"]

# What completing changes in a task that was open.
_CHANGED = [
    "state",
    "completed_at",
    "subject",
    "description",
    "call_direction",
    "call_duration_seconds",
    "call_disposition",
    "phone_number",
    "phone_e164",
    "email_address",
    "record",
    "related_record",
    "link_choice",
    "who",
    "what",
    "is_orphan",
    "is_track_and_sync",
]
_ACTORS_PER_QUERY = 100


def complete(completion: Completion) -> Task:
    """Complete one task, or raise ValidationError with messages by field; then nothing is changed."""
    with transaction.atomic():
        (result,) = _complete([completion])
        if isinstance(result, ValidationError):
            raise result
        return result


def complete_many(completions: Sequence[Completion]) -> list[Task | ValidationError]:
    """Complete many tasks in one transaction and a fixed number of queries; answers in their order.

    One that is refused doesn't stop the others. Each sees the history that those before it made.
    """
    with transaction.atomic():
        return _complete(completions)


def check_many(completions: Sequence[Completion]) -> list[ValidationError | None]:
    """Say what `complete_many` would refuse now, and change nothing; answers in their order, None for what it takes."""
    now = timezone.now()
    with transaction.atomic():
        around = _Surroundings.gather(completions)
        results = [_check(one, around, now) for one in completions]
    return [result if isinstance(result, ValidationError) else None for result in results]


def say_anew(completion: Completion, done: Task, *, keeps_records: bool) -> tuple[Task, linking.Link]:
    """Store what is said of a completed task now, checked and linked as if it was still open; ValidationError if not.

    The caller's transaction has locked `done`; who did it and why, and that it is to be sent, are the caller's to say.
    """
    around = _Surroundings.gather([completion])
    task = around.tasks[done.pk]
    task.state = TaskState.OPEN
    if not keeps_records:
        task.record = task.related_record = None
    # What it is linked to is no history of its own.
    Task.objects.filter(pk=done.pk).update(who=None, what=None)
    checked = _check(completion, around, timezone.now())
    if isinstance(checked, ValidationError):
        raise checked
    around.chosen.save(record for record in (checked.record, checked.related) if record is not None)
    (link,) = _links([checked], around)
    task = _task(checked, link, around.chosen)
    _store_tasks([checked], [task])
    return task, link


@dataclass(slots=True)
class _Checked:
    """A completion that nothing speaks against. Without a link its record is still to be found."""

    said: Said
    asked: Completion
    user: User
    task: Task | None
    record: Record | None
    related: Record | None
    link: linking.Link | None


def _complete(completions: Sequence[Completion]) -> list[Task | ValidationError]:
    now = timezone.now()
    around = _Surroundings.gather(completions)
    results: list[_Checked | ValidationError] = [_check(one, around, now) for one in completions]
    accepted = [result for result in results if isinstance(result, _Checked)]
    around.chosen.save(r for one in accepted for r in (one.record, one.related) if r is not None)
    links = _links(accepted, around)
    tasks = [_task(one, link, around.chosen) for one, link in zip(accepted, links, strict=True)]
    _store_tasks(accepted, tasks)
    _store_decisions(accepted, tasks, links, now)
    plays.end_finished(tasks)
    outbox.enqueue(around.connection, tasks)
    done = iter(tasks)
    return [next(done) if isinstance(result, _Checked) else result for result in results]


@dataclass(slots=True)
class _Surroundings:
    """What is needed to judge completions, read in a fixed number of queries. Their open tasks are locked."""

    connection: Connection | None
    organisation: Organisation
    users: dict[int, User]
    seen: set[tuple[int, int]]
    tasks: dict[int, Task]
    chosen: ChosenRecords

    @classmethod
    def gather(cls, completions: Sequence[Completion]) -> "_Surroundings":
        connection = Connection.objects.of_organisation().first()
        ids = {one.task.pk for one in completions if one.task is not None}
        locked = Task.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        tasks = {task.pk: task for task in locked} if ids else {}
        given = [r for one in completions for r in (one.record, one.related_record) if r is not None]
        own = {pk for task in tasks.values() for pk in (task.record_id, task.related_record_id) if pk}
        return cls(
            connection=connection,
            organisation=Organisation.load(),
            users=User.objects.in_bulk({one.user.pk for one in completions}),
            seen=_seen(completions),
            tasks=tasks,
            chosen=ChosenRecords.gather(connection, given, own),
        )


def _seen(completions: Iterable[Completion]) -> set[tuple[int, int]]:
    """Return (actor, user) for the users that an actor, other than they themselves, may see."""
    asked: dict[int, tuple[User, set[int]]] = {}
    for one in completions:
        if one.actor is not None and one.actor.pk != one.user.pk:
            asked.setdefault(one.actor.pk, (one.actor, set()))[1].add(one.user.pk)
    seen: set[tuple[int, int]] = set()
    actors = list(asked.values())
    for start in range(0, len(actors), _ACTORS_PER_QUERY):
        first, *others = (
            User.objects.visible_to(actor)
            .filter(pk__in=users)
            .order_by()
            .annotate(actor_id=Value(actor.pk))
            .values_list("actor_id", "pk")
            for actor, users in actors[start : start + _ACTORS_PER_QUERY]
        )
        seen.update(first.union(*others, all=True) if others else first)
    return seen


def _check(completion: Completion, around: _Surroundings, now: datetime) -> _Checked | ValidationError:
    errors = Errors()
    user = _check_user(completion, around, errors)
    task = _check_task(completion, around, errors)
    said = check(completion, task, now, around.organisation.phone_region, errors)
    record = around.chosen.resolve(completion.record, "record", errors)
    related = around.chosen.resolve(completion.related_record, "related_record", errors)
    choice = completion.choice
    if choice not in (LinkChoice.PAGE, LinkChoice.EXPLICIT):
        errors.add("choice", _("Choose page or explicit: the others follow from the task itself."), "choice")
    if task is not None:
        record = record or around.chosen.by_pk.get(task.record_id or 0)
        related = related or around.chosen.by_pk.get(task.related_record_id or 0)
    if completion.step is not None or (task is not None and task.step_id is not None):
        choice = LinkChoice.PLAY
    link = None
    if not errors.by_field and (record or related):
        try:
            link = linking.chosen(record, related, choice)
        except ValidationError as error:
            errors.take(error)
    if user is None or said is None or errors.by_field:
        return errors.as_error()
    if task is not None:
        # Whoever names the same task again, later in this batch, is told that it is done.
        task.state = TaskState.COMPLETED
    return _Checked(said, completion, user, task, record, related, link)


def _check_user(completion: Completion, around: _Surroundings, errors: Errors) -> User | None:
    user = around.users.get(completion.user.pk)
    actor = completion.actor
    if user is None or (actor is not None and actor.pk != user.pk and (actor.pk, user.pk) not in around.seen):
        message = _("You may complete tasks for yourself and, as a manager, for your own teams.")
        errors.add("user", message, "not_visible")
        return None
    if not user.is_active:
        message = _("This user is deactivated. Let an admin activate them again, or name another.")
        errors.add("user", message, "deactivated")
        return None
    return user


def _check_task(completion: Completion, around: _Surroundings, errors: Errors) -> Task | None:
    """The open task as it stands in the database now."""
    if completion.task is None:
        return None
    task = around.tasks.get(completion.task.pk)
    if task is None:
        errors.add("task", _("This task doesn't exist any more."), "unknown")
    elif task.user_id != completion.user.pk:
        errors.add("task", _("This task belongs to somebody else. Complete it for them."), "other_user")
    else:
        check_open(task, errors)
    return task


def _links(accepted: Sequence[_Checked], around: _Surroundings) -> list[linking.Link]:
    """Decide in order: what one task is linked to is the history of those after it."""
    unlinked = [one.said for one in accepted if one.link is None]
    matches = linking.look_up(
        around.connection,
        {said.phone_e164 for said in unlinked} - {""},
        {said.email_address for said in unlinked} - {""},
    )
    links = []
    for one in accepted:
        said, link = one.said, one.link
        if link is None:
            link = linking.matched(said.kind, said.phone_e164, said.email_address, matches)
        saved = around.chosen.saved
        link = replace(link, who=saved(link.who), what=saved(link.what))
        matches.remember(link)
        links.append(link)
    return links


def _task(one: _Checked, link: linking.Link, chosen: ChosenRecords) -> Task:
    """The completed task, not stored yet."""
    said = one.said
    task = one.task or _new_task(one)
    task.user = one.user
    task.state = TaskState.COMPLETED
    task.completed_at = said.completed_at
    task.subject = said.subject
    task.description = said.description
    task.call_direction = said.call_direction
    task.call_duration_seconds = said.call_duration_seconds
    task.call_disposition = said.call_disposition
    task.phone_number = said.phone_number
    task.phone_e164 = said.phone_e164
    task.email_address = said.email_address
    task.record = chosen.saved(one.record)
    task.related_record = chosen.saved(one.related)
    task.link_choice = link.choice
    task.who = link.who
    task.what = link.what
    task.is_orphan = link.is_orphan
    task.is_track_and_sync = one.asked.is_track_and_sync
    return task


def _new_task(one: _Checked) -> Task:
    asked = one.asked
    chosen = {} if asked.uuid is None else {"uuid": asked.uuid}
    return Task(kind=one.said.kind, step=asked.step, source=asked.source, **chosen)


def _store_tasks(accepted: Sequence[_Checked], tasks: Sequence[Task]) -> None:
    pairs = list(zip(accepted, tasks, strict=True))
    Task.objects.bulk_create(task for one, task in pairs if one.task is None)
    if were_open := [task for one, task in pairs if one.task is not None]:
        made_at = [task.created_at for task in were_open]
        # An upsert by primary key: bulk_update takes a second of CPU for 1,000 tasks.
        Task.objects.bulk_create(were_open, update_conflicts=True, unique_fields=["pk"], update_fields=_CHANGED)
        for task, created_at in zip(were_open, made_at, strict=True):
            task.created_at = created_at


def _store_decisions(
    accepted: Sequence[_Checked], tasks: Sequence[Task], links: Sequence[linking.Link], now: datetime
) -> None:
    Decision.objects.bulk_create(
        Decision(task=task, at=now, code=code, detail=detail)
        for one, task, link in zip(accepted, tasks, links, strict=True)
        for code, detail in (*_by_whom(one), *link.decisions)
    )


def _by_whom(one: _Checked) -> Iterable[Reason]:
    actor = one.asked.actor
    if actor is not None and actor.pk != one.user.pk:
        yield DecisionCode.COMPLETED_FOR, {"by": str(actor.uuid)}
