"""Finding records by what people know of them: CRM id, e-mail address, phone number, words of the name.

Every question is a range of one index, so that it takes the same time with many records. With 300,000 of them
(2 cores, SQLite and PostgreSQL 15) typing a beginning, an address, a number or an id took 2 to 10 ms; two common words
in another order (20,000 names have the first) 12 ms and 65 ms; a kind that only one record in 200 has up to 120 ms.
What is left out for that: a word is found by its beginning, not from its middle; of a name its first eight words.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from sync import emails, names
from sync.enums import RecordKind
from sync.models import Connection, Record, RecordEmail, RecordName, RecordPhone
from sync.models.record import begins
from sync.phones import digits, e164
from teams.crm_ids import to_18
from teams.models import Organisation

_LOOKED_AT = 300  # characters of what was typed
_ENDING = 4  # digits that a number must at least end with
_COUNTED = 500  # names by which the rarest of several words is found
_PHONE = re.compile(r"[\d\s+().\-/ext]{4,40}", re.IGNORECASE)
# Alone, or in the address of a record's page in the CRM.
_CRM_ID = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?(?![A-Za-z0-9])")

_Row = TypeVar("_Row", RecordName, RecordEmail, RecordPhone)


def search_records(text: str, limit: int = 20, kinds: Collection[str] | None = None) -> list[Record]:
    """Return the records that `text` may mean, best first, at most `limit`: only those that a task may be linked to.

    `kinds`: only these. What was deleted in the CRM is not among them, nor is a Case (they are off), nor a record of
    another connection than the organisation's. Any text is allowed.
    """
    text = storable(text)
    if not text or limit < 1:
        return []
    wanted = set(RecordKind.values if kinds is None else kinds) - {RecordKind.CASE.value}
    found: dict[int, Record] = {}
    for records in _Search(frozenset(wanted), limit).answers(text):
        for record in records:
            found.setdefault(record.pk, record)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def crm_id_in(text: str) -> str:
    """Return the CRM id (18 characters) in `text`, which may be the address of a page in the CRM; empty for none."""
    for found in _CRM_ID.findall(text[:_LOOKED_AT]):
        with suppress(ValueError):
            return to_18(found)
    return ""


def storable(text: str) -> str:
    """Return of what was typed what a database can be asked for."""
    return text[:_LOOKED_AT].encode("utf-8", "ignore").decode().replace("\0", "").strip()


@dataclass(frozen=True, slots=True)
class _Search:
    kinds: frozenset[str]
    limit: int

    def answers(self, text: str) -> Iterator[Iterable[Record]]:
        """Ask one question after the other, the most certain first; the caller stops when it has enough."""
        if crm_id := crm_id_in(text):
            there = Record.objects.filter(crm_id=crm_id, is_deleted=False, kind__in=self.kinds)
            yield there.filter(connection__user=None)
        if "@" in text:
            addresses = RecordEmail.objects.filter(begins("address", emails.normalised(text)))
            yield self._records(addresses.order_by("address", "record"))
        if _PHONE.fullmatch(text):
            yield from self._by_phone(text)
        if sought := names.words(text):
            yield from self._by_name(sought)

    def _by_phone(self, text: str) -> Iterator[list[Record]]:
        if number := e164(text, Organisation.load().phone_region):
            yield self._records(RecordPhone.objects.filter(e164=number).order_by("record"))
        ending = digits(text)[::-1]
        if len(ending) >= _ENDING:
            alike = RecordPhone.objects.filter(begins("ending", ending))
            yield self._records(alike.order_by("ending", "record"))

    def _by_name(self, sought: list[str]) -> Iterator[list[Record]]:
        beginning = " ".join(sought)[: names.LONGEST]
        for place in RecordName.PLACES:
            found = RecordName.objects.filter(begins("text", beginning), place=place)
            yield self._records(found.order_by("text", "record"))
        if len(sought) > 1:
            yield self._records(_with_words(sought))

    def _records(self, rows: QuerySet[_Row]) -> list[Record]:
        """Return their records, of those that are offered.

        Nothing here may look like a better index than the range in `rows`: SQLite would take the connection's.
        """
        rows = rows.exclude(record__connection__in=Connection.objects.exclude(user=None))
        rows = rows.exclude(record__kind__in=set(RecordKind.values) - self.kinds).filter(record__is_deleted=False)
        return [row.record for row in rows.select_related("record")[: self.limit]]


def _with_words(sought: list[str]) -> QuerySet[RecordName]:
    """Names with all the words, in any order, by the rarest of them."""
    counts = {word: RecordName.objects.filter(_has(word))[:_COUNTED].count() for word in sought}
    rarest, *others = sorted(counts, key=counts.__getitem__)
    found = RecordName.objects.filter(_has(rarest))
    for word in others:
        # Concat keeps the databases from looking in all names for the other words, too: one record has few.
        theirs = RecordName.objects.filter(record=OuterRef("record")).alias(its_text=Concat("text", Value("")))
        found = found.filter(Exists(theirs.filter(begins("its_text", word))))
    return found


def _has(word: str) -> Q:
    return Q(place__in=RecordName.PLACES) & begins("text", word)
