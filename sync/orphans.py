"""What the pages of orphaned calls show: the calls, and what is known of the records that each may belong to."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from sync import linking
from sync.connecting import kind_of
from sync.enums import DecisionCode, RecordKind, TaskState
from sync.models import Adoption, Connection, Record, RecordPhone, Task
from teams.crm_ids import to_18
from teams.models import User
from teams.scoped_admin import Text

COUNTED = 999  # more than that is said as “999+”
_MOST_RELATED = 20  # offered beside one record
_MOST_READ = 500  # of all that may be offered on one page

WHY: dict[str, Text] = {
    DecisionCode.NO_MATCH: _("At that time no record had this number."),
    DecisionCode.NO_HISTORY: _("At that time nobody had worked in Playbooks with the record that has this number."),
    DecisionCode.SEVERAL_MATCHES: _("At that time several records that had been worked with had this number."),
}


def orphaned(viewer: User, *, mine: bool = False) -> QuerySet[Task]:
    """Return the orphaned calls that `viewer` may see, newest first."""
    tasks = Task.objects.orphans().visible_to(viewer)
    return (tasks.filter(user=viewer) if mine else tasks).order_by("-completed_at", "-pk")


def adopted(viewer: User, *, mine: bool = False) -> QuerySet[Adoption]:
    """Return the adoptions that stand, of the calls that `viewer` may see, the latest first."""
    adoptions = Adoption.objects.standing().visible_to(viewer)
    return (adoptions.filter(task__user=viewer) if mine else adoptions).order_by("-at", "-pk")


def bounded(rows: QuerySet[Task] | QuerySet[Adoption]) -> str:
    count = rows.order_by()[: COUNTED + 1].count()
    return str(count) if count <= COUNTED else f"{COUNTED}+"


def why(task: Task) -> Text:
    """Say why it has no record, by its decisions (prefetched)."""
    words = [WHY[decision.code] for decision in task.decisions.all() if decision.code in WHY]
    if words:
        return words[-1]
    return "" if task.phone_number else _("No number was noted.")


def holders(tasks: Iterable[Task]) -> dict[str, list[Record]]:
    """Return by number (E.164) the records that have it: one query for all numbers.

    Of a person and their own account the person.
    """
    numbers = {task.phone_e164 for task in tasks if task.is_orphan} - {""}
    if not numbers:
        return {}
    theirs = linking.open_records("record__")
    by_number: dict[str, dict[int, Record]] = defaultdict(dict)
    for phone in RecordPhone.objects.filter(theirs, e164__in=numbers).select_related("record").order_by("pk"):
        by_number[phone.e164][phone.record_id] = phone.record
    return {number: linking.without_own_accounts([*found.values()]) for number, found in by_number.items()}


@dataclass(slots=True)
class Offer:
    """A record that a call may be given, with what tells it from others."""

    record: Record
    reason: Text = ""
    account: Record | None = None
    worked_at: datetime | None = None
    related: list[Record] = field(default_factory=list)


def offers(candidates: Sequence[linking.Candidate], viewer: User) -> list[Offer]:
    return described([Offer(one.record, one.reason.label) for one in candidates], viewer)


def described(offered: list[Offer], viewer: User) -> list[Offer]:
    """Fill in each record's numbers, account, what else the call may be related to, and when it was last worked on.

    Three queries, however many. Work that `viewer` may not see is not told.
    """
    records = [one.record for one in offered]
    if not records:
        return offered
    phones: dict[int, list[RecordPhone]] = defaultdict(list)
    for phone in RecordPhone.objects.filter(record__in=records).order_by("pk"):
        phones[phone.record_id].append(phone)
    around = _around(records)
    worked = _worked_at(records, viewer)
    for one in offered:
        record = one.record
        record.shown_phones = phones[record.pk][:3]  # type: ignore[attr-defined]
        one.worked_at = worked.get(record.pk)
        one.account = next((r for r in around if r.crm_id == record.account_crm_id), None)
        one.related = [r for r in around if _fits(record, r)][:_MOST_RELATED]
    return offered


def _around(records: Collection[Record]) -> list[Record]:
    """The accounts of these records, and what belongs to the same accounts."""
    accounts = {r.account_crm_id for r in records} | {r.crm_id for r in records if r.kind == RecordKind.ACCOUNT}
    accounts.discard("")
    if not accounts:
        return []
    wanted = Q(crm_id__in=accounts, kind=RecordKind.ACCOUNT)
    wanted |= Q(account_crm_id__in=accounts, kind__in=(RecordKind.OPPORTUNITY, RecordKind.CONTACT))
    return list(Record.objects.filter(linking.open_records(), wanted).order_by("kind", "name", "pk")[:_MOST_READ])


def _fits(record: Record, other: Record) -> bool:
    """Whether a call on `record` may be related to `other`: with a person their account and deals, else a person."""
    if record.kind == RecordKind.LEAD or other.crm_id == record.crm_id or other.is_person == record.is_person:
        return False
    account = record.crm_id if record.kind == RecordKind.ACCOUNT else record.account_crm_id
    return bool(account) and account in (other.crm_id, other.account_crm_id)


def _worked_at(records: Collection[Record], viewer: User) -> dict[int, datetime]:
    done = Task.objects.visible_to(viewer).filter(state=TaskState.COMPLETED)
    last: dict[int, datetime] = {}
    for side in ("who", "what"):
        found = done.filter(**{f"{side}__in": records}).order_by().values_list(side).annotate(Max("completed_at"))
        for pk, at in found:
            last[pk] = max(at, last.get(pk, at))
    return last


def known_unmirrored(text: str) -> tuple[str, Text] | None:
    """Return id and kind of a CRM id that could be a record's, but is none that Playbooks knows yet."""
    try:
        crm_id = to_18(text.strip())
    except ValueError:
        return None
    connection = Connection.objects.of_organisation().without_tokens().first()
    if connection is None or Record.objects.filter(connection=connection, crm_id=crm_id).exists():
        return None
    kind = kind_of(connection, crm_id)
    return (crm_id, kind.label) if kind and kind != RecordKind.CASE else None
