"""Which fields of the org's Task may be chosen for what Playbooks sends, and why another one may not. Pure."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.crm.base import Names
from sync.crm.org_fields import DescribedField, OrgFields
from sync.crm.task_fields import CHOOSABLE, SLOT_FIELDS, is_usable_key, takes
from sync.enums import Slot

Text = str | Promise

# What makes a Task a Task, or what Salesforce uses itself.
_FIXED = frozenset(name for slot, name in SLOT_FIELDS.items() if slot not in CHOOSABLE)
_SALESFORCES_OWN = ("Recurrence", "Reminder")


def choices(slot: Slot, org: OrgFields) -> list[DescribedField]:
    """Return the fields that a slot may go into besides its usual one, by their labels."""
    usual = SLOT_FIELDS[slot]
    fitting = [field for name, field in org.fields.items() if name != usual and not _unfit(slot, field)]
    return sorted(fitting, key=lambda field: (field.label.casefold(), field.name))


def refusals(names: Names, org: OrgFields) -> dict[Slot, Text]:
    """Return why slots can't go into the fields `names` (all of CHOOSABLE; empty: not sent), with the remedy."""
    refused: dict[Slot, Text] = {}
    taken: set[str] = set()
    has_key = is_usable_key(org.fields.get(SLOT_FIELDS[Slot.KEY]))
    for slot, name in names.items():
        problem = _problem(slot, name, org, has_key=has_key)
        if not problem and name in taken:
            problem = _("This field is chosen twice. Choose another one here or there.")
        if problem:
            refused[slot] = problem
        elif name:
            taken.add(name)
    return refused


def changed_names(names: Mapping[Slot, str]) -> Names:
    """Return of the chosen fields those that aren't the usual ones."""
    return {slot: name for slot, name in names.items() if name != SLOT_FIELDS[slot]}


def _problem(slot: Slot, name: str, org: OrgFields, *, has_key: bool) -> Text:
    call_object = SLOT_FIELDS[Slot.CALL_OBJECT]
    if not has_key and (slot == Slot.CALL_OBJECT) != (name == call_object):
        return _("While the key field is missing, CallObject has to carry the key. Install the package first.")
    if not name or name == SLOT_FIELDS[slot]:
        return ""
    field = org.fields.get(name)
    if field is None:
        return _("The org's Task has no such field, or hides it from the Access User. Choose another one.")
    return _unfit(slot, field)


def _unfit(slot: Slot, field: DescribedField) -> Text:
    if field.name in _FIXED or field.name.startswith(_SALESFORCES_OWN):
        return _("Playbooks or Salesforce fills this field with something else. Choose another one.")
    if not field.createable:
        return _("The Access User may not write to this field. Give it edit access, or choose another one.")
    if field.required:
        return _("The org requires this field of every Task, but not every task has such a value. Choose another one.")
    if field.unique:
        return _("This field takes each value once only. Choose another one.")
    return "" if takes(slot, field.type, field.length, field.digits) else _needed(slot)


def _needed(slot: Slot) -> Text:
    if slot == Slot.CALL_DURATION:
        return _("The duration needs a number field with room for six digits. Choose another one.")
    return gettext("This needs a text field or picklist of at least %(length)d characters. Choose another one.") % {
        "length": CHOOSABLE[slot]
    }
