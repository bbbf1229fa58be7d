"""What else a task with a record may be related to, as the CRM's records are tied to one another."""

from django.db.models import Q

from sync.enums import RecordKind
from sync.models import Record

_MOST = 50


def related_to(record: Record) -> list[Record]:
    """Return a person's account and its opportunities; of an account or an opportunity the account's people.

    At most 50, in one query; none for a Lead, which the CRM relates to nothing else (M3).
    """
    if record.kind == RecordKind.LEAD or (record.kind != RecordKind.ACCOUNT and not record.account_crm_id):
        return []
    account = record.crm_id if record.kind == RecordKind.ACCOUNT else record.account_crm_id
    if record.is_person:
        wanted = Q(account_crm_id=account, kind=RecordKind.OPPORTUNITY) | Q(crm_id=account, kind=RecordKind.ACCOUNT)
    else:
        wanted = Q(account_crm_id=account, kind=RecordKind.CONTACT)
    found = Record.objects.filter(wanted, connection=record.connection_id, is_deleted=False).exclude(pk=record.pk)
    return list(found.order_by("kind", "name", "pk")[:_MOST])
