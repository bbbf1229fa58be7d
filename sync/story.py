"""What happened with a task, from what was asked to the last answer of the CRM (B2). Pure on what was loaded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sync.decision_words import name_of, words
from sync.enums import AttemptOutcome, ConnectionState, DecisionCode, OutboxState, TaskSource, TaskState
from sync.models import Attempt, Decision, OutboxRow, Record, Task
from sync.models.outbox import UNSETTLED
from sync.reasons import at, next_time, reason
from sync.retry import deadline
from sync.sync_state import actor_label, mode_label, row_state
from teams.scoped_admin import Text

__all__ = ["OUTCOME_TONES", "Entry", "Loaded", "crm_url", "gives_up_at", "reason", "tell"]

OUTCOME_TONES = {
    AttemptOutcome.STARTED: "busy",
    AttemptOutcome.WRITTEN: "good",
    AttemptOutcome.FOUND: "good",
    AttemptOutcome.REFUSED: "bad",
    AttemptOutcome.UNKNOWN: "warn",
    AttemptOutcome.LOST: "warn",
}
# What completing a task decides; sending it decides the rest.
_OF_COMPLETING = {
    DecisionCode.PERSON_MATCHED,
    DecisionCode.NO_HISTORY,
    DecisionCode.SEVERAL_MATCHES,
    DecisionCode.NO_MATCH,
    DecisionCode.LEAD_WITHOUT_WHAT,
}
_OF_ADOPTION = {DecisionCode.ADOPTED, DecisionCode.ADOPTION_UNDONE}
_MERGED = DecisionCode.COMPLETED_FOR  # told with what was handed in


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, or will; with an attempt the page shows the CRM's answer to it."""

    at: datetime
    title: Text
    tone: str = ""  # of a badge; without one the title is plain
    lines: tuple[str, ...] = ()
    attempt: Attempt | None = None
    mode: Text = ""
    actor: Text = ""
    url: str = ""  # of the Task in the CRM
    is_ahead: bool = False

    @property
    def milliseconds(self) -> int | None:
        if self.attempt is None or self.attempt.finished_at is None:
            return None
        return round((self.attempt.finished_at - self.attempt.started_at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A task with its records, play and user, and everything that is kept about its way."""

    task: Task
    rows: Sequence[OutboxRow]  # oldest first
    decisions: Sequence[Decision]  # oldest first
    attempts: Sequence[Attempt]  # the latest ones, oldest first
    attempts_left_out: bool = False
    people: Mapping[str, str] = field(default_factory=dict)  # names by UUID, as far as the viewer may see them
    sender: str = ""
    named: Sequence[Record] = ()  # mirrored records that decisions name and the task isn't linked to any more

    @property
    def row(self) -> OutboxRow | None:
        """What was asked for last."""
        return self.rows[-1] if self.rows else None

    @property
    def is_adopted(self) -> bool:
        """Whether it has its record from an adoption that nobody has undone."""
        codes = [decision.code for decision in self.decisions if decision.code in _OF_ADOPTION]
        return codes[-1:] == [DecisionCode.ADOPTED]

    @property
    def records(self) -> tuple[Record | None, ...]:
        task = self.task
        return (task.record, task.related_record, task.who, task.what, *self.named)


def tell(loaded: Loaded) -> list[Entry]:
    """Return all that happened with a task, in the order of time, and at the end what comes."""
    handed_in = _handed_in_at(loaded)
    url = crm_url(loaded.task, loaded.row)
    told = [(entry.at, 0, entry) for entry in _asked(loaded, handed_in)]
    told += [_decision(decision, loaded, handed_in) for decision in loaded.decisions if decision.code != _MERGED]
    told += [(row.created_at, 2, _again(row)) for row in loaded.rows[1:]]
    told += [(attempt.started_at, 3, _attempt(attempt, url)) for attempt in loaded.attempts]
    told.sort(key=lambda each: each[:2])
    return [*(entry for _time, _order, entry in told), *_ahead(loaded)]


def crm_url(task: Task, row: OutboxRow | None) -> str:
    """Return the Task's address in the CRM, or nothing."""
    if not (task.crm_id and row and row.connection.instance_url):
        return ""
    return f"{row.connection.instance_url.rstrip('/')}/{task.crm_id}"


def gives_up_at(row: OutboxRow, now: datetime) -> datetime | None:
    """When its 30 days end, as far as that is known now; None when they have not begun, or it is settled."""
    if row.first_attempt_at is None or row.state not in UNSETTLED:
        return None
    return deadline(row.first_attempt_at, row.down_total_at_first, row.connection.down_time(now))


def _handed_in_at(loaded: Loaded) -> datetime | None:
    """When we were told that it was done: tasks of plays were made before."""
    task = loaded.task
    if task.state != TaskState.COMPLETED:
        return None
    if task.enrolment_id is None:
        return task.created_at
    return loaded.rows[0].created_at if loaded.rows else task.completed_at


def _asked(loaded: Loaded, handed_in: datetime | None) -> Iterator[Entry]:
    task = loaded.task
    if task.enrolment_id is not None and task.step:
        step = _("%(play)s, step %(step)s") % {"play": task.step.play, "step": task.step}
        yield Entry(at=task.created_at, title=_("Planned by a play"), lines=(step, *_due(task)))
    elif handed_in is None:
        yield Entry(at=task.created_at, title=_("Planned"), lines=tuple(_due(task)))
    if handed_in is not None:
        yield Entry(at=handed_in, title=_title_of(loaded), lines=tuple(_what_was_asked(loaded)))


def _due(task: Task) -> list[str]:
    return [_("Due on %(day)s") % {"day": date_format(task.due_on, "DATE_FORMAT")}] if task.due_on else []


def _title_of(loaded: Loaded) -> str:
    """Who handed it in."""
    task, rep = loaded.task, {"rep": loaded.task.user}
    actor = next((d.detail.get("by") for d in loaded.decisions if d.code == _MERGED), None)
    match TaskSource(task.source):
        case TaskSource.API:
            words = {**rep, "sender": loaded.sender or _("another tool")}
            return _("Handed in for %(rep)s by %(sender)s through the HTTP API") % words
        case TaskSource.IMPORT if actor:
            return _("Imported for %(rep)s by %(name)s") % {**rep, "name": name_of(str(actor), loaded.people)}
        case TaskSource.IMPORT:
            return _("Imported by %(rep)s") % rep
        case TaskSource.PLAYBOOKS if actor:
            return _("Completed for %(rep)s by %(name)s") % {**rep, "name": name_of(str(actor), loaded.people)}
        case TaskSource.PLAYBOOKS:
            return _("Completed by %(rep)s") % rep


def _what_was_asked(loaded: Loaded) -> Iterator[str]:
    task = loaded.task
    kind = _("%(kind)s through Track and Sync") if task.is_track_and_sync else "%(kind)s"
    kind %= {"kind": task.get_kind_display()}
    if task.completed_at:
        kind = _("%(kind)s, completed %(when)s") % {"kind": kind, "when": at(task.completed_at)}
    yield kind
    if task.step and task.enrolment_id is None:
        yield _("Of the play %(play)s, step %(step)s") % {"play": task.step.play, "step": task.step}
    asked = [record for record in (task.record, task.related_record) if record]
    if not asked or loaded.is_adopted:
        yield _("No record was asked for.")
        return
    names = ", ".join(f"{record.get_kind_display()} {record}" for record in asked)
    yield _("Asked for: %(records)s (%(choice)s)") % {"records": names, "choice": task.get_link_choice_display()}


def _decision(decision: Decision, loaded: Loaded, handed_in: datetime | None) -> tuple[datetime, int, Entry]:
    # What completing it decided was decided a moment before the task was stored.
    time = max(decision.at, handed_in) if handed_in and decision.code in _OF_COMPLETING else decision.at
    ground = words(decision, loaded.people, loaded.records)
    return time, 1, Entry(at=decision.at, title=decision.get_code_display(), lines=(ground,) if ground else ())


def _again(row: OutboxRow) -> Entry:
    return Entry(at=row.created_at, title=_("To be written to the CRM anew"))


def _attempt(attempt: Attempt, url: str) -> Entry:
    outcome = AttemptOutcome(attempt.outcome)
    stands = outcome in (AttemptOutcome.WRITTEN, AttemptOutcome.FOUND)
    return Entry(
        at=attempt.started_at,
        title=outcome.label,
        tone=OUTCOME_TONES[outcome],
        attempt=attempt,
        mode=mode_label(attempt.failure_mode),
        actor=actor_label(attempt.failure_mode),
        url=url if stands else "",
    )


def _ahead(loaded: Loaded) -> Iterator[Entry]:
    row = loaded.row
    if row is None or row.state != OutboxState.PENDING:
        return
    if row.next_try and row.connection.state == ConnectionState.CONNECTED:
        yield Entry(at=next_time(row), title=_("Next try"), lines=(str(row_state(row).meaning),), is_ahead=True)
    if row.failure_mode and (end := gives_up_at(row, timezone.now())):
        line = _("Until then it is tried again and again. The clock stands while the connection is down.")
        yield Entry(at=end, title=_("The 30 days end"), lines=(line,), is_ahead=True)
