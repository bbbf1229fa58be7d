"""Looking at the fields of the org's Task, and choosing which of them are filled."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from sync import connecting, troubles
from sync.crm.base import Names
from sync.crm.fields_check import FieldReport, compare, expected_names
from sync.enums import SLOT_LABELS, ConnectionState
from sync.errors import CrmError
from sync.models import Connection, FieldCheck, FieldMapping

# Reading the fields, and which status means closed; two more where a field is not to be seen.
FEWEST_CALLS, MOST_CALLS = 2, 4


class ChangedMeanwhileError(Exception):
    """Somebody else chose other fields since the form was shown."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found of each slot's field, when it was looked at."""

    check: FieldCheck
    reports: list[FieldReport]


def comparison(connection: Connection, names: Names) -> Comparison | None:
    """Return what was last seen, compared with what is chosen (`names`); None when nobody has looked yet."""
    check = FieldCheck.objects.filter(connection=connection).first()
    return Comparison(check, compare(check.org_fields, names)) if check else None


def look(connection: Connection) -> Comparison:
    """Read the org's fields, keep them and compare: two calls, four where a field is not to be seen.

    Raises CrmError; call it in autocommit.
    """
    names = FieldMapping.objects.names()
    crm = connecting.gateway(connection)
    try:
        org = crm.task_fields(expected_names(names))
        changed = connecting.read_schema(connection, crm, anew=False)
    except CrmError as error:
        connecting.note_loss(connection, error)
        raise
    finally:
        connection.note_usage(crm.usage)
    if changed:
        troubles.probe_at_once(connection)
    values = {"seen": org.to_json(), "at": timezone.now()}
    check, _made = FieldCheck.objects.update_or_create(connection=connection, defaults=values)
    return Comparison(check, compare(org, names))


def choose(connection: Connection, names: Names, *, seen: Names | None) -> list[str]:
    """Keep which fields are filled in place of the usual ones; return what has changed, in words.

    `seen` is what counted when the form was shown: ChangedMeanwhileError when that is no longer so. What is sent from
    now on goes there; a Task that stands in the CRM already is not touched.
    """
    with transaction.atomic():
        # One at a time, also where there is no row yet to lock.
        Connection.objects.select_for_update().only("pk").get(pk=connection.pk)
        if seen is None or FieldMapping.objects.names() != seen:
            raise ChangedMeanwhileError
        changed = [slot for slot in SLOT_LABELS if names.get(slot) != seen.get(slot)]
        # One by one: each is an entry in the audit.
        for slot in changed:
            row = FieldMapping.objects.filter(slot=slot).first() or FieldMapping(slot=slot)
            if slot not in names:
                row.delete()
            else:
                row.field_name = names[slot]
                row.save()
    return [str(SLOT_LABELS[slot]) for slot in changed]


def why_not_now(connection: Connection | None) -> str:
    """Say why the org's fields can't be read at this moment, and who can help; empty when they can."""
    now = timezone.now()
    if connection is None:
        return _("No CRM is connected yet. An admin connects it under Settings › CRM › Connection.")  # noqa: RUF001
    if connection.state != ConnectionState.CONNECTED:
        return _("The Access User is disconnected. Once an admin has reconnected it, look again.")
    if not connection.may_send(now):
        assert connection.paused_until is not None
        until = formats.localize(timezone.localtime(connection.paused_until))
        return _("The CRM's limits are used up or it is out of reach: calls rest until %(until)s.") % {"until": until}
    return ""
