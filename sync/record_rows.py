"""Records as lists show them to one viewer: reachable at, account, owner, last worked on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, prefetch_related_objects
from django.utils import timezone

from sync.enums import RecordKind, TaskState
from sync.models import Record, Task
from teams.models import User

RECENTLY = timedelta(days=30)
_LOOKED_AT = 300  # of the viewer's latest tasks

ICONS = {
    RecordKind.ACCOUNT: "domain",
    RecordKind.CONTACT: "person",
    RecordKind.LEAD: "person_search",
    RecordKind.OPPORTUNITY: "handshake",
    RecordKind.CASE: "support_agent",
}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record, and what `rows_of` found around it."""

    record: Record
    account: str
    owner: str  # empty: nobody, or somebody outside the viewer's sight
    worked_at: datetime | None

    @property
    def icon(self) -> str:
        return ICONS[RecordKind(self.record.kind)]


def rows_of(records: Sequence[Record], viewer: User) -> list[RecordRow]:
    """Describe `records` for `viewer`: six questions, however many records."""
    if not records:
        return []
    prefetch_related_objects(records, "phones", "emails")
    accounts = _accounts(records)
    owners = {user.pk: str(user) for user in _visible_owners(records, viewer)}
    worked = _worked_at(records, viewer)
    return [
        RecordRow(
            record,
            accounts.get((record.connection_id, record.account_crm_id), ""),
            owners.get(record.owner_id or 0, ""),
            worked.get(record.pk),
        )
        for record in records
    ]


def recently_worked(viewer: User, limit: int, kinds: Sequence[str] = ()) -> list[Record]:
    """Return the records of the viewer's tasks of the last 30 days, the latest first: two questions."""
    done = Task.objects.filter(user=viewer, completed_at__gte=timezone.now() - RECENTLY)
    pairs = done.order_by("-completed_at", "-pk").values_list("who", "what")[:_LOOKED_AT]
    pks = list(dict.fromkeys(pk for who, what in pairs for pk in (who, what) if pk))
    offered = Record.objects.filter(pk__in=pks, connection__user=None, is_deleted=False).exclude(kind=RecordKind.CASE)
    if kinds:
        offered = offered.filter(kind__in=kinds)
    by_pk = offered.in_bulk()
    return [by_pk[pk] for pk in pks if pk in by_pk][:limit]


def _accounts(records: Sequence[Record]) -> dict[tuple[int, str], str]:
    crm_ids = {record.account_crm_id for record in records} - {""}
    found = Record.objects.filter(crm_id__in=crm_ids, connection__in={record.connection_id for record in records})
    return {
        (connection, crm_id): name for connection, crm_id, name in found.values_list("connection", "crm_id", "name")
    }


def _visible_owners(records: Sequence[Record], viewer: User) -> list[User]:
    owners = {record.owner_id for record in records} - {None}
    return list(User.objects.visible_to(viewer).filter(pk__in=owners))


def _worked_at(records: Sequence[Record], viewer: User) -> dict[int, datetime]:
    """When `viewer` last completed a task on each: as its person, and as what it was related to."""
    done = Task.objects.filter(user=viewer, state=TaskState.COMPLETED).order_by()
    last: dict[int, datetime] = {}
    for side in ("who", "what"):
        for pk, at in done.filter(**{f"{side}__in": records}).values_list(side).annotate(Max("completed_at")):
            last[pk] = max(at, last.get(pk, at))
    return last
