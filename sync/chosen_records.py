"""The records that completions name: found by CRM id or as they are, judged, and made when nobody knew them yet."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sync import refresh
from sync.connecting import kind_of
from sync.enums import RecordKind
from sync.inputs import Errors
from sync.models import Connection, Record
from teams.crm_ids import to_18


@dataclass(slots=True)
class ChosenRecords:
    """Records by CRM id (18 characters) and by primary key. An id nobody knew yet has a row that isn't stored."""

    connection: Connection | None
    by_crm_id: dict[str, Record] = field(default_factory=dict)
    by_pk: dict[int, Record] = field(default_factory=dict)
    _unstored: set[str] = field(default_factory=set)

    @classmethod
    def gather(
        cls, connection: Connection | None, given: Iterable[Record | str], pks: Collection[int]
    ) -> "ChosenRecords":
        """Read the records that are named by CRM id, and those with these primary keys, in one query."""
        chosen = cls(connection)
        crm_ids = {crm_id for one in given if isinstance(one, str) and (crm_id := _well_formed(one))}
        if connection is not None and (crm_ids or pks):
            wanted = Q(connection=connection, crm_id__in=crm_ids) | Q(pk__in=pks)
            for record in Record.objects.filter(wanted):
                chosen.by_crm_id[record.crm_id] = record
                chosen.by_pk[record.pk] = record
        return chosen

    def resolve(self, given: Record | str | None, name: str, errors: Errors) -> Record | None:
        """Return the record that was named, or None after adding to `errors` under `name`."""
        if given is None or given == "":
            return None
        if self.connection is None:
            message = _(
                "No CRM is connected yet, so there is no record to choose. Leave it empty, or let an admin connect "
                "the CRM (manage.py crm_connect)."
            )
            errors.add(name, message, "not_connected")
            return None
        record = self._by_id(given, self.connection, name, errors) if isinstance(given, str) else given
        if record is None:
            return None
        if record.connection_id != self.connection.pk:
            errors.add(name, _("This record is of another CRM connection. Choose another."), "unknown")
            return None
        return record if check_usable(record, name, errors) else None

    def _by_id(self, given: str, connection: Connection, name: str, errors: Errors) -> Record | None:
        crm_id = _well_formed(given)
        if not crm_id:
            message = _(
                "This is not a CRM id: it has 15 or 18 letters and digits, and upper and lower case count. Copy it "
                "from the record's address in the CRM."
            )
            errors.add(name, message, "malformed")
            return None
        record = self.by_crm_id.get(crm_id)
        if record is None:
            kind = kind_of(connection, crm_id)
            if kind is None:
                message = _(
                    "An id that begins with %(prefix)s is none of an Account, Contact, Lead or Opportunity, and "
                    "nothing else is written to. Choose one of them, or leave it empty."
                )
                errors.add(name, message, "other_object", prefix=crm_id[:3])
                return None
            record = self.by_crm_id[crm_id] = Record(connection=connection, crm_id=crm_id, kind=kind)
            self._unstored.add(crm_id)
        return record

    def save(self, records: Iterable[Record]) -> None:
        """Make the rows of those that nobody knew yet."""
        crm_ids = sorted({record.crm_id for record in records} & self._unstored)
        if self.connection is not None and crm_ids:
            self.by_crm_id |= refresh.known(self.connection, crm_ids)

    def saved(self, record: Record | None) -> Record | None:
        """Return the record, or the row that `save` has made of it."""
        return self.by_crm_id[record.crm_id] if record is not None and record.crm_id in self._unstored else record


def _well_formed(crm_id: str) -> str:
    """The id with 18 characters; empty when it can't be one."""
    try:
        return to_18(crm_id.strip())
    except ValueError:
        return ""


def check_usable(record: Record, name: str, errors: Errors) -> bool:
    """Whether a task may be linked to `record` at all; if not, why is added to `errors`."""
    if record.kind == RecordKind.CASE:
        message = _(
            "Cases are off until an admin has done their set-up. Choose the Case's Contact or Account, or leave "
            "it empty."
        )
        errors.add(name, message, "cases_off")
    elif record.is_deleted:
        errors.add(name, _("This record was deleted in the CRM. Choose another, or leave it empty."), "deleted")
    else:
        return True
    return False
