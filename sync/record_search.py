"""Finding records by what people know of them: CRM id, e-mail address, phone number, words of the name."""

import contextlib
from collections.abc import Collection

from django.db.models import Q

from sync.enums import RecordKind
from sync.models import Connection, Record
from sync.phones import digits, e164
from teams.crm_ids import to_18
from teams.models import Organisation

LONGEST = 200  # characters that are looked at


def search_records(text: str, limit: int = 20, kinds: Collection[RecordKind] | None = None) -> list[Record]:
    """Return the records that `text` may mean, best first, at most `limit`; only those that a task may be linked to.

    `kinds`: only these. A Case is never among them, nor what was deleted in the CRM.
    """
    connection = Connection.objects.of_organisation().first()
    text = _storable(text)
    if connection is None or not text or limit < 1:
        return []
    wanted = set(RecordKind if kinds is None else kinds) - {RecordKind.CASE}
    there = Record.objects.filter(connection=connection, is_deleted=False, kind__in=wanted)
    found: dict[int, Record] = {}
    for question in _questions(text):
        for record in there.filter(question).exclude(pk__in=found).order_by("name", "pk")[: limit - len(found)]:
            found[record.pk] = record
        if len(found) >= limit:
            break
    return list(found.values())


def _storable(text: str) -> str:
    """What a database can be asked for."""
    return text[:LONGEST].encode("utf-8", "ignore").decode().replace("\0", "").strip()


def _questions(text: str) -> list[Q]:
    asked = []
    with contextlib.suppress(ValueError):
        asked.append(Q(crm_id=to_18(text)))
    if "@" in text:
        asked += [Q(emails__address=text.lower()), Q(emails__address__startswith=text.lower())]
    if number := e164(text, Organisation.load().phone_region):
        asked.append(Q(phones__e164=number))
    if len(ending := digits(text)) >= 4:
        asked.append(Q(phones__e164__endswith=ending))
    asked.append(Q(name__istartswith=text))
    words = Q()
    for word in text.split()[:8]:
        words &= Q(name__icontains=word)
    return [*asked, words]
