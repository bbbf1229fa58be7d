"""Lines of a dialer's file as completions: what each says, and what is wrong with it before the database is asked."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sync import emails
from sync.enums import TaskKind, TaskSource
from sync.import_files import Row
from sync.inputs import Completion, Errors, check
from sync.models import PlayStep, Task
from sync.play_steps import FoundStep, NamedStep, find_steps
from teams.crm_ids import to_18
from teams.models import Organisation, User

KEY_LENGTH = 255
_KINDS = {"phone": "call", "phone call": "call", "calls": "call", "e-mail": "email", "mail": "email"}
_DIRECTIONS = {
    "in": "inbound", "incoming": "inbound", "out": "outbound", "outgoing": "outbound", "outbound call": "outbound",
    "inbound call": "inbound",
}  # fmt: skip
_SECONDS = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,10})(?:[.,]0+)?\s*s?", re.ASCII)


@dataclass(slots=True)
class Line:
    """One line of the file, and what became of it."""

    number: int
    cells: Mapping[str, str]
    user: User | None = None
    completed_at: datetime | None = None
    duration: int | None = None
    has_no_offset: bool = False
    completion: Completion | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)
    contents: str = ""  # of a sound line without a key: the key that is made of what it says

    @property
    def key(self) -> str:
        return self.cells.get("key", "") or self.contents

    def add(self, name: str, message: str) -> None:
        self.errors.append((name, message))

    def refuse(self, error: ValidationError) -> None:
        """Take messages by field."""
        self.errors += [(name, str(text)) for name, texts in error.message_dict.items() for text in texts]


@dataclass(frozen=True, slots=True)
class Judge:
    """Reads lines for one importer: users are those that they see, times without an offset are of their zone."""

    viewer: User
    mapping: Sequence[str]
    zone: ZoneInfo

    def judge(self, rows: Iterable[Row]) -> list[Line]:
        """Return the lines with their completions: five queries at most, however many."""
        lines = [self._read(row) for row in rows]
        self._find_users(lines)
        steps = self._find_steps(lines)
        _look_further([line for line in lines if line.errors], self)
        for line in lines:
            if not line.errors and line.user is not None:
                line.completion = self.completion(line, line.user, steps.get(line.number))
                line.contents = _contents(line, line.user)
        return lines

    def _read(self, row: Row) -> Line:
        number, values = row
        cells = {name: value for name, value in zip(self.mapping, values, strict=False) if name}
        line = Line(number, cells)
        if any("\0" in value for value in cells.values()):
            line.add("", _("The line has a NUL character (U+0000), which no CRM can store. Remove it."))
            return line
        if len(line.key) > KEY_LENGTH:
            line.add("key", _("A key has at most %(most)s characters.") % {"most": KEY_LENGTH})
        _parse(line, "completed_at", self._set_time)
        _parse(line, "call_duration_seconds", _set_duration)
        return line

    def _set_time(self, line: Line, text: str) -> None:
        try:
            time = datetime.fromisoformat(text.upper())
        except ValueError:
            line.add("completed_at", _("This is no time. Write it in ISO 8601, like 2025-03-31T14:05:00+02:00."))
            return
        if time.utcoffset() is None:
            line.has_no_offset = True
            time = time.replace(tzinfo=self.zone)
        line.completed_at = time

    def _find_users(self, lines: Sequence[Line]) -> None:
        named = {line.number: _name(line.cells.get("user", "")) for line in lines}
        names = set(named.values()) - {""}
        addresses = {name for name in names if "@" in name}
        seen = User.objects.visible_to(self.viewer).active()
        found: dict[str, User] = {}
        for user in seen.filter(Q(email__in=addresses) | Q(crm_user_id__in=names - addresses)):
            found[user.email] = user
            if user.crm_user_id:
                found[user.crm_user_id] = user
        for line in lines:
            line.user = found.get(named[line.number])
            if line.user is not None:
                continue
            if not line.cells.get("user"):
                line.add("user", _("Say who did it: the e-mail address or CRM user id."))
            else:
                message = _(
                    "You see no active user with this e-mail address or CRM user id. Correct it, or ask an admin to "
                    "activate the user or to put them into one of your teams."
                )
                line.add("user", message)

    def _find_steps(self, lines: Sequence[Line]) -> dict[int, FoundStep]:
        named = []
        for line in lines:
            play, step = line.cells.get("play", ""), line.cells.get("play_step", "")
            if line.user is not None and (play or step):
                named.append((line, NamedStep(play, step, line.user.pk, line.cells.get("record") or None)))
        steps = {}
        for (line, _named), found in zip(named, find_steps([one for _line, one in named]), strict=True):
            if isinstance(found, ValidationError):
                line.refuse(found)
            elif found is not None:
                steps[line.number] = found
        return steps

    def completion(self, line: Line, user: User, found: FoundStep | None) -> Completion:
        said = line.cells.get
        step: PlayStep | None = found.step if found else None
        task: Task | None = found.task if found else None
        kind = _one_of(said("kind", ""), _KINDS)
        if not kind and step is None:
            kind = TaskKind.CALL
        number = said("phone_number", "")
        subject = said("subject", "")
        if not subject and kind == TaskKind.CALL and step is None:
            subject = _("Call with %(number)s") % {"number": number} if number else _("Call")
        return Completion(
            user=user,
            actor=self.viewer,
            task=task,
            step=step,
            kind=kind or None,
            subject=subject or None,
            description=said("description") or None,
            completed_at=line.completed_at,
            record=said("record") or None,
            related_record=said("related_record") or None,
            call_direction=_one_of(said("call_direction", ""), _DIRECTIONS) or None,
            call_duration_seconds=line.duration,
            call_disposition=said("call_disposition", ""),
            phone_number=number,
            email_address=said("email_address", ""),
            source=TaskSource.IMPORT,
        )


def _look_further(lines: Sequence[Line], judge: Judge) -> None:
    """Find what else is wrong with lines that are refused, so that one round of corrections is enough."""
    if not lines:
        return
    now, region = timezone.now(), Organisation.load().phone_region
    for line in lines:
        wrong = {name for name, _text in line.errors}
        if "" in wrong:
            continue
        if line.cells.get("play") or line.cells.get("play_step"):
            wrong |= {"kind", "subject"}  # of the step
        errors = Errors()
        # Whose it is doesn't matter here.
        check(judge.completion(line, line.user or judge.viewer, None), None, now, region, errors)
        for name, found in errors.by_field.items():
            if name not in wrong:
                line.refuse(ValidationError({name: found}))


def _contents(line: Line, user: User) -> str:
    """The key of a line without one: another line that says the same has the same."""
    said = line.cells.get
    completed_at = line.completed_at.astimezone(UTC).isoformat() if line.completed_at else ""
    facts = (
        user.pk,
        _one_of(said("kind", ""), _KINDS) or TaskKind.CALL.value,
        completed_at,
        "".join(char for char in said("phone_number", "") if char.isdigit() or char == "+"),
        emails.normalised(said("email_address", "")),
        " ".join(said("subject", "").split()).casefold(),
        _id(said("record", "")),
        line.duration,
        said("play", "").casefold(),
        said("play_step", "").casefold(),
        "" if line.completed_at else said("description", ""),
    )
    return "line:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _parse(line: Line, name: str, take: Callable[[Line, str], None]) -> None:
    if text := line.cells.get(name, ""):
        take(line, text)


def _set_duration(line: Line, text: str) -> None:
    found = _SECONDS.fullmatch(text)
    if found is None:
        line.add("call_duration_seconds", _("Enter seconds, like 125, or minutes and seconds, like 2:05."))
        return
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    line.duration = (hours * 60 + minutes) * 60 + seconds


def _name(user: str) -> str:
    return emails.normalised(user) if "@" in user else _id(user, "")


def _id(text: str, otherwise: str | None = None) -> str:
    try:
        return to_18(text)
    except ValueError:
        return text if otherwise is None else otherwise


def _one_of(text: str, others: Mapping[str, str]) -> str:
    """The word as we write it; what nobody knows stays as it is, and is refused where it is judged."""
    text = text.lower()
    return others.get(text, text)
