"""What is said about a completed task, and whether it makes sense by itself: no database is asked here."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from sync import emails
from sync.enums import CallDirection, LinkChoice, TaskKind, TaskSource, TaskState
from sync.models import PlayStep, Record, Task
from sync.phones import e164
from teams.models import User

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SUBJECT_LENGTH = 1_000
DESCRIPTION_LENGTH = 1_000_000
DISPOSITION_LENGTH = 255
MOST_SECONDS = 2_147_483_647  # of a call: what the database and the CRM can hold
CLOCK_SKEW = timedelta(minutes=5)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

_C = TypeVar("_C", bound=TextChoices)
# What gettext gives, now or when it is shown.
Text: TypeAlias = "str | _StrPromise"


@dataclass(kw_only=True, slots=True)
class Completion:
    """What a rep did. `actor` is who says so, when it is somebody else: they must be allowed to see the rep.

    With `task` an open task is completed, and what is None keeps the task's own; without it the task is ad hoc.
    `step` is the play's step that was worked on without an open task; its `play` is loaded. A record is given as such
    or by its CRM id (15 or 18 characters). `completed_at` has a time zone; None is now.
    """

    user: User
    actor: User | None = None
    task: Task | None = None
    step: PlayStep | None = None
    kind: TaskKind | str | None = None
    subject: str | None = None
    description: str | None = None
    completed_at: datetime | None = None
    record: Record | str | None = None
    related_record: Record | str | None = None
    choice: LinkChoice = LinkChoice.EXPLICIT
    call_direction: CallDirection | str | None = None
    call_duration_seconds: int | None = None
    call_disposition: str = ""
    phone_number: str = ""
    email_address: str = ""
    # Of an ad hoc task, chosen before: the second of two equal forms finds it taken, and IntegrityError is raised.
    uuid: UUID | None = None
    source: TaskSource = TaskSource.PLAYBOOKS
    is_track_and_sync: bool = False


class Errors:
    """What is wrong, by field, all at once."""

    def __init__(self) -> None:
        self.by_field: dict[str, list[ValidationError]] = {}

    def add(self, field: str, message: Text, code: str, **params: object) -> None:
        self.by_field.setdefault(field, []).append(ValidationError(message, code=code, params=params))

    def take(self, error: ValidationError) -> None:
        for field, found in error.error_dict.items():
            self.by_field.setdefault(field, []).extend(found)

    def as_error(self) -> ValidationError:
        return ValidationError(dict(self.by_field))


@dataclass(slots=True)
class Said:
    """A completion whose fields are sound, with the open task's own values where nothing was said."""

    kind: TaskKind
    subject: str
    description: str
    completed_at: datetime
    call_direction: str
    call_duration_seconds: int | None
    call_disposition: str
    phone_number: str
    phone_e164: str
    email_address: str


def check(completion: Completion, task: Task | None, now: datetime, region: str, errors: Errors) -> Said | None:
    """Return what was said, or None after adding to `errors`. `task` is the open task as it stands now."""
    before = len(errors.by_field)
    kind = _kind(completion, task, errors)
    subject, description = texts(completion, task)
    _check_texts(completion, subject, description, errors)
    _check_time(completion.completed_at, now, errors)
    direction = _member(CallDirection, completion.call_direction, "call_direction", errors)
    _check_duration(completion.call_duration_seconds, errors)
    if kind is not None:
        _check_fields_of_kind(completion, kind, errors)
    phone_number = completion.phone_number.strip()
    number = "" if "phone_number" in errors.by_field else _number(phone_number, region, errors)
    address = emails.normalised(completion.email_address)
    if address and "email_address" not in errors.by_field and not emails.is_address(address):
        errors.add("email_address", _("Enter one e-mail address, like ann@example.com."), "malformed")
    if kind is None or len(errors.by_field) > before:
        return None
    return Said(
        kind=kind,
        subject=subject,
        description=description,
        completed_at=completion.completed_at or now,
        call_direction=direction or "",
        call_duration_seconds=completion.call_duration_seconds,
        call_disposition=completion.call_disposition,
        phone_number=phone_number,
        phone_e164=number,
        email_address=address,
    )


def check_open(task: Task, errors: Errors) -> None:
    """Refuse a task that is no longer open: nothing is done twice."""
    if task.state == TaskState.COMPLETED:
        message = _("This task is completed already. Nothing was changed.")
        errors.add("task", message, "already_completed")
    elif task.state == TaskState.SKIPPED:
        errors.add("task", _("This task was skipped. Complete an ad hoc task instead."), "skipped")


def texts(completion: Completion, task: Task | None) -> tuple[str, str]:
    """Return subject and description: what was said, and where nothing was said what the open task has."""
    subject, description = completion.subject, completion.description
    if subject is None:
        subject = _subject(completion, task)
    if description is None:
        description = task.description if task is not None else ""
    return subject, description


def _subject(completion: Completion, task: Task | None) -> str:
    """What the open task, or the play's step, is called. (The step's subject may have placeholders.)"""
    if task is not None:
        return task.subject
    return completion.step.name if completion.step is not None else ""


def _kind(completion: Completion, task: Task | None, errors: Errors) -> TaskKind | None:
    kind = _member(TaskKind, completion.kind, "kind", errors)
    if "kind" in errors.by_field:
        return None
    planned = task or completion.step
    if planned is not None:
        if kind not in (None, planned.kind):
            message = _("The play's step is of another kind (%(kind)s): leave this empty.")
            errors.add("kind", message, "other_kind", kind=planned.get_kind_display())
        return TaskKind(planned.kind)
    if kind is None:
        message = _("Say which kind of task this was: %(kinds)s.")
        errors.add("kind", message, "required", kinds=", ".join(TaskKind.values))
    return kind


def _member(choices: type[_C], value: str | None, field: str, errors: Errors) -> _C | None:
    if value in (None, ""):
        return None
    try:
        return choices(value)
    except ValueError:
        errors.add(field, _("Choose one of %(values)s."), "choice", values=", ".join(choices.values))
        return None


def _check_texts(completion: Completion, subject: str, description: str, errors: Errors) -> None:
    texts = {
        "subject": (subject, SUBJECT_LENGTH),
        "description": (description, DESCRIPTION_LENGTH),
        "call_disposition": (completion.call_disposition, DISPOSITION_LENGTH),
        "phone_number": (completion.phone_number, None),
        "email_address": (completion.email_address, None),
    }
    for field, (text, limit) in texts.items():
        if "\0" in text:
            message = _("The text has a NUL character (U+0000), which no CRM can store. Remove it.")
            errors.add(field, message, "nul")
        elif not _is_unicode(text):
            message = _("The text has half of a character (a lone surrogate). Send it as UTF-8.")
            errors.add(field, message, "surrogate")
        elif limit is not None and len(text) > limit:
            message = _("The text has %(length)s characters; at most %(limit)s are possible. Shorten it.")
            errors.add(field, message, "too_long", length=len(text), limit=limit)
    if not subject.strip():
        errors.add("subject", _("Enter a subject: the CRM shows the task under it."), "required")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_time(completed_at: datetime | None, now: datetime, errors: Errors) -> None:
    if completed_at is None:
        return
    if completed_at.utcoffset() is None:
        message = _("The time has no time zone. Add one, like 2025-03-31T14:05:00+02:00.")
        errors.add("completed_at", message, "naive")
    elif completed_at > now + CLOCK_SKEW:
        message = _("This time lies in the future. Enter when the task was completed, and check clock and time zone.")
        errors.add("completed_at", message, "future")
    elif completed_at < EARLIEST:
        errors.add("completed_at", _("This time lies before the year 2000. Check the date."), "too_early")


def _check_duration(seconds: int | None, errors: Errors) -> None:
    if seconds is not None and not 0 <= seconds <= MOST_SECONDS:
        message = _("Enter the call's duration in seconds, from 0 to %(most)s.")
        errors.add("call_duration_seconds", message, "out_of_range", most=MOST_SECONDS)


def _check_fields_of_kind(completion: Completion, kind: TaskKind, errors: Errors) -> None:
    """Refuse what belongs to another kind of task rather than lose it silently."""
    if kind != TaskKind.CALL:
        of_calls = {
            "call_direction": completion.call_direction,
            "call_duration_seconds": completion.call_duration_seconds,
            "call_disposition": completion.call_disposition,
            "phone_number": completion.phone_number,
        }
        for field, value in of_calls.items():
            if value not in (None, ""):
                errors.add(field, _("Only calls have this. Leave it empty, or choose a call."), "not_a_call")
    if kind != TaskKind.EMAIL and completion.email_address:
        message = _("Only e-mails have this. Leave it empty, or choose an e-mail.")
        errors.add("email_address", message, "not_an_email")
    if kind != TaskKind.EMAIL and completion.is_track_and_sync:
        errors.add("kind", _("Only e-mails are sent through Track and Sync."), "not_an_email")


def _number(phone_number: str, region: str, errors: Errors) -> str:
    """The number in E.164, or an error; empty when there is none."""
    number = e164(phone_number, region) if phone_number else ""
    if phone_number and (not number or len(phone_number) > 64):
        message = _(
            "This is not a phone number. Enter it with its country code, like +1 415 555 0132, or as it is dialled "
            "within %(region)s."
        )
        errors.add("phone_number", message, "malformed", region=region)
    return number
