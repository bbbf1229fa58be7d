"""Which record a task belongs to: the person (WhoId) and what it is related to (WhatId), and whether it has a history.

What is decided is decided by pure functions on what the lookups found; effects are the callers'.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.enums import DecisionCode, LinkChoice, RecordKind, TaskKind, TaskState
from sync.mapping import Reason, about
from sync.models import Connection, Enrolment, Record, RecordEmail, RecordPhone, Task
from sync.models.record import begins
from sync.phones import LEAST_ALIKE, digits, same_ending

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Link:
    """Where a task belongs: who, what, how it came by them, and why."""

    who: Record | None = None
    what: Record | None = None
    choice: LinkChoice = LinkChoice.NONE
    is_orphan: bool = False
    decisions: tuple[Reason, ...] = ()


class _Nature(Enum):
    PERSON = 1
    THING = 2
    # An account of which only the id is known: it may turn out to be a person account.
    EITHER = 3


def _nature(record: Record) -> _Nature:
    if record.is_person:
        return _Nature.PERSON
    if record.kind == RecordKind.ACCOUNT and record.fetched_at is None:
        return _Nature.EITHER
    return _Nature.THING


def chosen(record: Record | None, related: Record | None, choice: LinkChoice) -> Link:
    """The link of a task whose record was chosen (by its play, its page or explicitly); at least one must be given.

    Raises ValidationError with a field when the two can't stand on one Task. With a Lead as the person the related
    record is dropped, and a decision says so (M3).
    """
    if record is None or related is None:
        only = record or related
        if only is None:
            raise ValueError("Nothing was chosen.")
        if _nature(only) is _Nature.PERSON:
            return Link(who=only, choice=choice)
        return Link(what=only, choice=choice)
    who, what = _order(record, related)
    if who.kind == RecordKind.LEAD:
        return Link(who=who, choice=choice, decisions=((DecisionCode.LEAD_WITHOUT_WHAT, about(what)),))
    return Link(who=who, what=what, choice=choice)


def _order(record: Record, related: Record) -> tuple[Record, Record]:
    """Tell the person from what the task is related to, whichever was given first."""
    if record.crm_id == related.crm_id:
        raise _refusal(_("This is the same record as the first one: leave it empty, or choose another."), "same")
    natures = (_nature(record), _nature(related))
    if natures == (_Nature.PERSON, _Nature.PERSON):
        raise _refusal(
            _(
                "Both records are people. A task has one person: choose an Account or an Opportunity here, "
                "or leave it empty."
            ),
            "two_people",
        )
    if natures == (_Nature.THING, _Nature.THING):
        raise _refusal(
            _(
                "Neither record is a person. Besides a person (Contact, Lead or person account) a task has one "
                "record: choose a person here, or leave it empty."
            ),
            "no_person",
        )
    second_is_person = natures[1] is _Nature.PERSON or natures[0] is _Nature.THING
    return (related, record) if second_is_person else (record, related)


def _refusal(message: "_StrPromise", code: str) -> ValidationError:
    return ValidationError({"related_record": ValidationError(message, code=code)})


@dataclass(slots=True)
class Matches:
    """The mirrored records by number and by address, and those of them that have a history."""

    by_phone: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    by_email: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    history: set[int] = field(default_factory=set)

    def remember(self, link: Link) -> None:
        """A task that is linked now is the history of the next one."""
        self.history.update(record.pk for record in (link.who, link.what) if record is not None)


def matched(kind: TaskKind, phone_e164: str, email_address: str, matches: Matches) -> Link:
    """The link of an ad hoc task for which no record was chosen: by its number or address, if that is certain (M4).

    Exactly one match with a history is taken; of a person and their own account the person.
    """
    is_call = kind == TaskKind.CALL
    sought = phone_e164 if is_call else email_address if kind == TaskKind.EMAIL else ""
    if not sought:
        return Link(is_orphan=is_call)
    by = "phone" if is_call else "email"
    found = (matches.by_phone if is_call else matches.by_email).get(sought, ())
    known = without_own_accounts([record for record in found if record.pk in matches.history])
    if len(known) == 1:
        record = known[0]
        reason: Reason = (DecisionCode.PERSON_MATCHED, {"by": by, **about(record)})
        return Link(
            who=record if record.is_person else None,
            what=None if record.is_person else record,
            choice=LinkChoice.MATCH,
            decisions=(reason,),
        )
    if not found:
        reason = (DecisionCode.NO_MATCH, {"by": by})
    elif not known:
        reason = (DecisionCode.NO_HISTORY, {"by": by, "matches": len(found)})
    else:
        reason = (DecisionCode.SEVERAL_MATCHES, {"by": by, "matches": len(known)})
    return Link(is_orphan=is_call, decisions=(reason,))


def without_own_accounts(records: Sequence[Record]) -> list[Record]:
    """Leave out the accounts of the people among `records`: a company's number is often its people's, too."""
    own = {record.account_crm_id for record in records if record.is_person}
    return [record for record in records if record.is_person or record.crm_id not in own]


def look_up(connection: Connection | None, phones: Collection[str], addresses: Collection[str]) -> Matches:
    """Find the records of numbers (E.164) and addresses (lower case): at most three queries, however many."""
    by_phone: dict[str, list[Record]] = defaultdict(list)
    by_email: dict[str, list[Record]] = defaultdict(list)
    if connection is None:
        return Matches()
    theirs = Q(record__connection=connection, record__is_deleted=False) & ~Q(record__kind=RecordKind.CASE)
    if phones:
        for phone in RecordPhone.objects.filter(theirs, e164__in=phones).select_related("record"):
            # One record may show one number twice, written differently.
            if phone.record not in by_phone[phone.e164]:
                by_phone[phone.e164].append(phone.record)
    if addresses:
        for email in RecordEmail.objects.filter(theirs, address__in=addresses).select_related("record"):
            by_email[email.address].append(email.record)
    found = [record.pk for group in (*by_phone.values(), *by_email.values()) for record in group]
    return Matches(by_phone, by_email, with_history(found))


def with_history(record_ids: Iterable[int]) -> set[int]:
    """Return those records that were enrolled in a play, or that an earlier completed task is linked to here (M4)."""
    ids = set(record_ids)
    if not ids:
        return set()
    record = OuterRef("pk")
    done = Task.objects.filter(state=TaskState.COMPLETED)
    has_history = (
        Exists(Enrolment.objects.filter(record=record))
        | Exists(Enrolment.objects.filter(related_record=record))
        | Exists(done.filter(who=record))
        | Exists(done.filter(what=record))
    )
    return set(Record.objects.filter(has_history, pk__in=ids).values_list("pk", flat=True))


class CandidateReason(TextChoices):
    """Why a record is offered for adoption, best first."""

    SAME_NUMBER = "same_number", _("The same number")
    SIMILAR_NUMBER = "similar_number", _("The same number, written differently")
    SAME_PERSON = (
        "same_person",
        _("The same person elsewhere: name or e-mail agree with a record of that number"),
    )
    RECENT = "recent", _("Worked on recently by the same rep")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that an orphaned call may belong to."""

    record: Record
    reason: CandidateReason


def candidates(task: Task, limit: int = 10) -> list[Candidate]:
    """Return whom an orphaned call may have been with, best first, at most `limit` (M6): five queries at most.

    Within one reason, records that the rep worked on lately come first, then people.
    """
    recent = _recently_worked(task)
    same = _by_number(task.phone_e164)
    similar = _by_similar_number(task)
    people = _same_people([*same, *similar])
    rank = {record.pk: place for place, record in enumerate(recent)}
    offered: dict[int, Candidate] = {}
    for reason, records in (
        (CandidateReason.SAME_NUMBER, same),
        (CandidateReason.SIMILAR_NUMBER, similar),
        (CandidateReason.SAME_PERSON, people),
        (CandidateReason.RECENT, recent),
    ):
        for record in sorted(records, key=lambda r: (rank.get(r.pk, len(rank)), not r.is_person, r.name)):
            offered.setdefault(record.pk, Candidate(record, reason))
    return list(offered.values())[:limit]


_LOOKED_AT = 50  # rows that one question may bring
_RECENTLY = timedelta(days=30)


def open_records(prefix: str = "") -> Q:
    """Records that a task may be linked to: there, of the organisation's connection, and no Case."""
    there = Q(**{f"{prefix}connection__user": None, f"{prefix}is_deleted": False})
    return there & ~Q(**{f"{prefix}kind": RecordKind.CASE})


def _by_number(e164: str) -> list[Record]:
    if not e164:
        return []
    phones = RecordPhone.objects.filter(open_records("record__"), e164=e164).select_related("record")
    return [phone.record for phone in phones.order_by("pk")[:_LOOKED_AT]]


def _by_similar_number(task: Task) -> list[Record]:
    """Numbers that nobody could read (no country code, a wrong one) but that end alike."""
    ending = digits(task.phone_e164)[-LEAST_ALIKE:]
    if len(ending) < LEAST_ALIKE:
        return []
    # By the index of endings: of a million numbers many thousands may be unread.
    alike = RecordPhone.objects.filter(open_records("record__"), begins("ending", ending[::-1]))
    phones = alike.select_related("record").order_by("ending", "pk")[:_LOOKED_AT]
    return [phone.record for phone in phones if not phone.e164 and same_ending(phone.number, task.phone_e164)]


def _same_people(records: Sequence[Record]) -> list[Record]:
    """Other records with the name or an address of one of `records`: a lead that is a contact as well, a duplicate."""
    people = [record for record in records if record.is_person]
    if not people:
        return []
    addresses = RecordEmail.objects.filter(record__in=people).values("address")
    alike = Q(name__in={record.name for record in people} - {""})
    alike |= Q(pk__in=RecordEmail.objects.filter(address__in=addresses).values("record"))
    found = Record.objects.filter(open_records(), alike).order_by("pk")
    return [record for record in found[:_LOOKED_AT] if record.is_person]


def _recently_worked(task: Task) -> list[Record]:
    """The records of the rep's tasks of the last 30 days before this one, the latest first."""
    until = task.completed_at or timezone.now()
    tasks = (
        Task.objects.filter(user=task.user_id, completed_at__range=(until - _RECENTLY, until))
        .exclude(pk=task.pk)
        .select_related("who", "what")
        .order_by("-completed_at")[:_LOOKED_AT]
    )
    records = [record for done in tasks for record in (done.who, done.what) if record is not None]
    usable = {r.pk: r for r in records if not r.is_deleted and r.kind != RecordKind.CASE}
    return list(usable.values())
