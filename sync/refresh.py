"""CRM → records: those that are needed are fetched by id, with what pages and linking ask of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from sync import emails
from sync.connecting import kind_of
from sync.crm.base import Crm, CrmRecord
from sync.enums import FailureMode, RecordKind
from sync.errors import CrmError, RowError
from sync.models import Connection, Record, RecordEmail, RecordName, RecordPhone
from sync.phones import e164
from sync.retry import HALTING_MODES
from teams.models import Organisation, User

IDS_PER_CALL = 200
_FETCHED = [
    "name",
    "owner",
    "owner_crm_id",
    "account_crm_id",
    "person_contact_crm_id",
    "fields",
    "is_deleted",
    "modified_at",
    "fetched_at",
    "missing_since",
]


def known(connection: Connection, crm_ids: Collection[str]) -> dict[str, Record]:
    """Return the records of CRM ids (18 characters), by id; three queries at most.

    For an id that isn't mirrored a row is made of which only id and kind are known: `fetch` asks the CRM for the
    rest. An id whose prefix is none of the five kinds is left out.
    """
    records = _existing(connection, crm_ids)
    fresh = [
        Record(connection=connection, crm_id=crm_id, kind=kind)
        for crm_id in crm_ids
        if crm_id not in records and (kind := kind_of(connection, crm_id)) is not None
    ]
    if fresh:
        # Somebody else may make the same row at this moment: whoever came first has made it for both.
        Record.objects.bulk_create(fresh, ignore_conflicts=True)
        records |= _existing(connection, [record.crm_id for record in fresh])
    return records


def _existing(connection: Connection, crm_ids: Collection[str]) -> dict[str, Record]:
    if not crm_ids:
        return {}
    return {r.crm_id: r for r in Record.objects.filter(connection=connection, crm_id__in=crm_ids)}


def fetch_soon(record: Record) -> None:
    """Ask for the rest of a record while somebody looks at it; its first task asks at the latest."""
    if record.fetched_at is None:
        on_commit = partial(async_task, "sync.jobs.fetch_record", record.pk, save=False)
        transaction.on_commit(on_commit, robust=True)


def fetch(connection: Connection, crm: Crm, records: Iterable[Record]) -> dict[int, RowError]:
    """Fill those records of which only id and kind are known: one call per kind and 200 ids.

    The instances that were given are filled, too. Returns, by the record's primary key, an error for each that the
    CRM doesn't have or doesn't show; it is marked as missing, and the next call asks again. Raises CrmError when the
    connection can't go on; what came before it is kept. Call it in autocommit: no transaction is held over HTTP.
    """
    unknown: dict[RecordKind, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        if record.fetched_at is None:
            unknown[RecordKind(record.kind)][record.crm_id].append(record)
    errors: dict[int, RowError] = {}
    for kind, by_id in unknown.items():
        ids = sorted(by_id)
        for start in range(0, len(ids), IDS_PER_CALL):
            part = ids[start : start + IDS_PER_CALL]
            try:
                answers = {answer.crm_id: answer for answer in crm.fetch_records(kind, part)}
            except CrmError as error:
                if error.mode in HALTING_MODES or error.mode == FailureMode.TRANSIENT:
                    raise
                # An object that is hidden, say: the tasks on other objects go on.
                refusal = RowError(error.mode, error.code, error.message, error.fields)
                errors |= {by_id[i][0].pk: refusal for i in part}
                continue
            _store(connection, [(by_id[i], answers[i]) for i in part if i in answers])
            absent = [i for i in part if i not in answers]
            _note_missing([record for i in absent for record in by_id[i]])
            errors |= {by_id[i][0].pk: _not_found(i) for i in absent}
    return errors


def _note_missing(records: Sequence[Record]) -> None:
    if not records:
        return
    now = timezone.now()
    # Another worker may have filled it meanwhile.
    unfilled = Record.objects.filter(pk__in=[record.pk for record in records], fetched_at=None)
    unfilled.filter(missing_since=None).update(missing_since=now)
    for record in records:
        record.missing_since = record.missing_since or now


def _not_found(crm_id: str) -> RowError:
    message = _(
        "The CRM has no record with the id %(id)s, or the Access User may not see it. Check the id, or let an admin "
        "share the record with the Access User."
    )
    return RowError(FailureMode.DATA, "RECORD_NOT_FOUND", message % {"id": crm_id})


def _store(connection: Connection, answers: Sequence[tuple[list[Record], CrmRecord]]) -> None:
    """Write what the CRM said into the rows and into the instances that are in use."""
    if not answers:
        return
    region = Organisation.load().phone_region
    owner_ids = {answer.owner_crm_id for _instances, answer in answers} - {""}
    owners = {user.crm_user_id: user for user in User.objects.filter(crm_user_id__in=owner_ids)}
    for instances, answer in answers:
        for record in instances:
            _fill(record, answer, owners.get(answer.owner_crm_id))
    rows = [instances[0] for instances, _answer in answers]
    with transaction.atomic():
        # Two workers may fetch one record at once: they take turns, in one order.
        locked = Record.objects.select_for_update(no_key=True).filter(pk__in=[r.pk for r in rows])
        list(locked.order_by("pk").values("pk"))
        Record.objects.bulk_update(rows, _FETCHED)
        RecordName.keep(rows)
        RecordEmail.objects.filter(record__in=rows).delete()
        RecordPhone.objects.filter(record__in=rows).delete()
        RecordEmail.objects.bulk_create(
            RecordEmail(record=instances[0], address=address)
            for instances, answer in answers
            for address in _addresses(answer)
        )
        RecordPhone.objects.bulk_create(
            RecordPhone(record=instances[0], number=number, e164=e164(number, region))
            for instances, answer in answers
            for number in _numbers(answer)
        )


def _fill(record: Record, answer: CrmRecord, owner: User | None) -> None:
    record.name = answer.name[:255]
    record.owner = owner
    record.owner_crm_id = answer.owner_crm_id
    record.account_crm_id = answer.account_crm_id
    record.person_contact_crm_id = answer.person_contact_crm_id
    record.fields = dict(answer.fields)
    record.is_deleted = answer.is_deleted
    record.modified_at = answer.modified_at
    record.fetched_at = timezone.now()
    record.missing_since = None


def _addresses(answer: CrmRecord) -> list[str]:
    """The CRM's addresses, each once; one that no mail could have been sent to can't match anything."""
    addresses = dict.fromkeys(emails.normalised(address) for address in answer.emails)
    return [address for address in addresses if address and len(address) <= emails.MAX_LENGTH]


def _numbers(answer: CrmRecord) -> list[str]:
    return [number for number in dict.fromkeys(n.strip()[:64] for n in answer.phones) if number]
