"""Enrolling many records in a play at once: who would get what, which are left out and why, and doing it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync import plays
from sync.inputs import Errors
from sync.models import Enrolment, Play, PlayStep, Record
from teams.models import User

Text = str | Promise

MOST_AT_ONCE = 2_000

_REASONS: dict[str, Text] = {
    "already_enrolled": _("in this play already"),
    "cases_off": _("a Case: they are off until an admin has done their set-up"),
    "deleted": _("deleted in the CRM"),
    "not_in_crm": _("not in the CRM, or not visible to the Access User"),
    "no_owner": _("its owner in the CRM is nobody here"),
    "owner_not_visible": _("its owner is outside your teams"),
    "owner_deactivated": _("its owner is deactivated here"),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    record: Record
    code: str
    reason: Text


@dataclass(slots=True)
class Plan:
    """What enrolling would do, or has done: `enrolments` are there once it is done."""

    play: Play
    steps: list[PlayStep]
    pairs: list[plays.Pair] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Tell whether a plan that somebody saw is still the one that would be carried out."""
        steps = [[s.pk, s.kind, s.name, s.day_offset, s.subject, s.description] for s in self.steps]
        pairs = [[record.pk, user.pk] for record, user in self.pairs]
        return hashlib.sha256(json.dumps([self.play.pk, steps, pairs]).encode()).hexdigest()


class ChangedError(Exception):
    """The plan that was agreed to is no longer what would happen; nothing was done."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("The plan has changed.")
        self.plan = plan


def plan(
    play: Play, records: Sequence[Record], user: User | None, actor: User, related_record: Record | None = None
) -> Plan:
    """Say what enrolling `records` would do: for `user`, or with None for each record's owner.

    Raises ValidationError with messages by field when the play or the user won't do at all.
    """
    return _plan(play, list(play.steps.order_by("position")), records, user, actor, related_record)


def enrol_many(
    play: Play,
    records: Sequence[Record],
    user: User | None,
    actor: User,
    related_record: Record | None = None,
    expected: str = "",
) -> Plan:
    """Enrol all of `records` that nothing speaks against, in one transaction and a fixed number of questions.

    With `expected`, a plan's fingerprint, nothing is done but by that plan: ChangedError has the new one.
    """
    with transaction.atomic():
        play, steps = plays.take_turn(play)
        result = _plan(play, steps, records, user, actor, related_record)
        if expected and result.fingerprint != expected:
            raise ChangedError(result)
        if result.pairs:
            result.enrolments = plays.make(play, steps, result.pairs, related_record, actor)
    return result


def _plan(
    play: Play,
    steps: list[PlayStep],
    records: Sequence[Record],
    user: User | None,
    actor: User,
    related: Record | None,
) -> Plan:
    errors = Errors()
    plays.check_play(play, steps, errors)
    if user is not None:
        plays.check_user(user, actor, errors)
    if errors.by_field:
        raise errors.as_error()
    records = list({record.pk: record for record in records}.values())
    enrolled = plays.enrolled_now(play, records)
    owners = {} if user is not None else _owners(records, actor)
    result = Plan(play, steps)
    for record in records:
        rep = user or owners.get(record.owner_id or 0)
        code, reason = _obstacle(record, rep, related, enrolled)
        if rep is None or code:
            result.left_out.append(LeftOut(record, code, reason))
        else:
            result.pairs.append((record, rep))
    return result


def _owners(records: Sequence[Record], actor: User) -> dict[int, User]:
    wanted = {record.owner_id for record in records if record.owner_id is not None}
    owners: dict[int, User] = User.objects.visible_to(actor).order_by().in_bulk(wanted)
    return owners


def _obstacle(record: Record, rep: User | None, related: Record | None, enrolled: set[int]) -> tuple[str, Text]:
    """Return why a record is left out, as a code and in words; two empty texts when nothing speaks against it."""
    errors = Errors()
    plays.check_record(record, related, enrolled, errors)
    for found in errors.by_field.values():
        code = found[0].code or ""
        return code, _REASONS.get(code) or found[0].messages[0]
    code = ""
    if rep is None:
        code = "owner_not_visible" if record.owner_id else "no_owner"
    elif not rep.is_active:
        code = "owner_deactivated"
    return code, _REASONS.get(code, "")
