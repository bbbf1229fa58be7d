"""What stands between Playbooks' fields and the org's Task, field by field, each with its remedy. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.crm.base import Names
from sync.crm.org_fields import DescribedField, OrgFields
from sync.crm.package import PACKAGE_FIELDS, PACKAGE_VERSION, version_in
from sync.crm.task_fields import KEY_LENGTH, SLOT_FIELDS, is_usable_key, slot_names, takes
from sync.enums import SLOT_LABELS, Slot

Text = str | Promise

_ACTIVITY_FIELDS = "Setup › Object Manager › Activity › Fields & Relationships"
_PERMISSION_SETS = "Setup › Permission Sets"


class FieldState(StrEnum):
    """What was found of one field."""

    PRESENT = "present"
    OLDER = "older"
    SHORT = "short"
    NOT_SENT = "not_sent"
    MISSING = "missing"
    HIDDEN = "hidden"
    MISSING_OR_HIDDEN = "missing_or_hidden"
    WRONG_TYPE = "wrong_type"
    NOT_UNIQUE = "not_unique"
    READ_ONLY = "read_only"

    @property
    def is_good(self) -> bool:
        """Whether what goes into the field arrives."""
        return self in (FieldState.PRESENT, FieldState.OLDER, FieldState.SHORT, FieldState.NOT_SENT)


@dataclass(frozen=True, slots=True)
class FieldReport:
    """One slot and its field. `field` is what the org has, `version` which version of the package it is from."""

    slot: Slot
    name: str
    state: FieldState
    field: DescribedField | None = None
    version: int | None = None
    is_packaged: bool = False
    is_chosen: bool = False

    @property
    def tone(self) -> str:
        """How bad it is: without the key retries wait; anything else is left out of the Task."""
        if self.state.is_good:
            return "neutral" if self.state == FieldState.NOT_SENT else "good"
        return "bad" if self.slot == Slot.KEY else "warn"

    @property
    def words(self) -> Text:
        """What Playbooks calls it."""
        return SLOT_LABELS[self.slot]

    @property
    def label(self) -> Text:
        return _STATES[self.state]

    @property
    def remedy(self) -> Text:
        """What to do about it; empty when there is nothing to do."""
        if not self.is_packaged and self.state in _REMEDIES_ELSEWHERE:
            return _REMEDIES_ELSEWHERE[self.state]
        return _REMEDIES.get(self.state, "")

    @property
    def consequence(self) -> Text:
        """What is done meanwhile; empty when nothing is wrong."""
        if self.state.is_good:
            return ""
        return _WITHOUT_KEY if self.slot == Slot.KEY else _("Until then it is left out.")

    @property
    def where(self) -> str:
        """Where in Salesforce it is mended."""
        return "" if self.state == FieldState.WRONG_TYPE and not self.is_packaged else _PLACES.get(self.state, "")

    @property
    def type_words(self) -> Text:
        """The field's type as Salesforce's pages call it, with its length."""
        return type_words(self.field) if self.field else ""


_STATES: dict[FieldState, Text] = {
    FieldState.PRESENT: _("Present"),
    FieldState.OLDER: _("From an older package"),
    FieldState.SHORT: _("Shorter than in the package"),
    FieldState.NOT_SENT: _("Not sent"),
    FieldState.MISSING: _("Missing"),
    FieldState.HIDDEN: _("Hidden by permissions"),
    FieldState.MISSING_OR_HIDDEN: _("Missing or hidden"),
    FieldState.WRONG_TYPE: _("Wrong type"),
    FieldState.NOT_UNIQUE: _("Not unique"),
    FieldState.READ_ONLY: _("Read only"),
}
_ASSIGN = _("Assign the permission set “Playbooks CRM Sync” of the package to the Access User.")
_REMEDIES: dict[FieldState, Text] = {
    FieldState.OLDER: _("It works. Install the package again to bring it up to date; what stands in the field stays."),
    FieldState.SHORT: _("It works; longer texts are shortened. Make it as long as in the package to keep them whole."),
    FieldState.MISSING: _("Install the package below."),
    FieldState.HIDDEN: _ASSIGN,
    FieldState.MISSING_OR_HIDDEN: _(
        "Install the package below, and assign its permission set “Playbooks CRM Sync” to the Access User. Which of "
        "the two it is, Salesforce tells only a user with “View Setup and Configuration”."
    ),
    FieldState.WRONG_TYPE: _(
        "Delete the field in Salesforce, or give it another API name, and install the package below; or choose another "
        "field for it below, where that can be chosen."
    ),
    FieldState.NOT_UNIQUE: _("Make it a Text field of 64 characters with External ID and Unique, as in the package."),
    FieldState.READ_ONLY: _(
        "Give the Access User edit access to the field, for Task: the package's permission set “Playbooks CRM Sync” "
        "does so for the package's own fields."
    ),
}
_WITHOUT_KEY = _("Until then a task whose answer was lost waits longer than ten minutes before it is looked up.")
_REMEDIES_ELSEWHERE: dict[FieldState, Text] = {
    FieldState.MISSING: _("The org's Task has no such field any more. Choose another one below."),
    FieldState.MISSING_OR_HIDDEN: _(
        "Make the field visible and editable for the Access User, if it is there; or choose another one below."
    ),
    FieldState.HIDDEN: _("Make the field visible and editable for the Access User, or choose another one below."),
    FieldState.WRONG_TYPE: _("What goes into it doesn't fit into a field of this type. Choose another one below."),
}
_PLACES: dict[FieldState, str] = {
    FieldState.HIDDEN: _PERMISSION_SETS,
    FieldState.MISSING_OR_HIDDEN: _PERMISSION_SETS,
    FieldState.READ_ONLY: _PERMISSION_SETS,
    FieldState.WRONG_TYPE: _ACTIVITY_FIELDS,
    FieldState.NOT_UNIQUE: _ACTIVITY_FIELDS,
    FieldState.SHORT: _ACTIVITY_FIELDS,
}
_TYPES: dict[str, Text] = {
    "string": _("Text"),
    "textarea": _("Text Area"),
    "picklist": _("Picklist"),
    "multipicklist": _("Picklist (Multi-Select)"),
    "combobox": _("Picklist or text"),
    "phone": _("Phone"),
    "int": _("Number"),
    "double": _("Number"),
    "boolean": _("Checkbox"),
    "date": _("Date"),
    "datetime": _("Date/Time"),
    "reference": _("Lookup"),
    "email": _("Email"),
    "url": _("URL"),
}
_WITH_LENGTH = ("string", "textarea")
_PACKAGED = {field.slot: field for field in PACKAGE_FIELDS}


def type_words(field: DescribedField) -> str:
    """Return a field's type as Salesforce's pages call it, with its length where one is chosen there."""
    words = str(_TYPES.get(field.type, field.type))
    return f"{words} ({field.length})" if field.type in _WITH_LENGTH else words


def compare(org: OrgFields, names: Names) -> list[FieldReport]:
    """Return what was found of each slot's field, in the order of the slots; `names` as they were chosen."""
    has_key = is_usable_key(org.fields.get(SLOT_FIELDS[Slot.KEY]))
    used = slot_names(names, has_key=has_key)
    return [_report(slot, used.get(slot, ""), org, is_chosen=slot in names) for slot in SLOT_FIELDS]


def expected_names(names: Names) -> list[str]:
    """Return the fields that `compare` looks for, the key field included."""
    return list(slot_names(names, has_key=True).values())


def is_complete(reports: Sequence[FieldReport]) -> bool:
    """Whether everything that is to be sent arrives."""
    return all(report.state.is_good for report in reports)


def _report(slot: Slot, name: str, org: OrgFields, *, is_chosen: bool) -> FieldReport:
    field = org.fields.get(name)
    is_packaged = slot in _PACKAGED and name == _PACKAGED[slot].name
    version = version_in(field.help_text) if field and is_packaged else None
    if not name:
        state = FieldState.NOT_SENT
    elif field is None:
        state = _unseen(name, org)
    elif slot == Slot.KEY:
        state = _of_key(field)
    else:
        state = _usable(slot, field)
    if state == FieldState.PRESENT and field is not None and is_packaged:
        state = _packaged(slot, field, version)
    return FieldReport(slot, name, state, field, version, is_packaged, is_chosen)


def _unseen(name: str, org: OrgFields) -> FieldState:
    if name in org.hidden:
        return FieldState.HIDDEN
    return FieldState.MISSING if org.tells else FieldState.MISSING_OR_HIDDEN


def _of_key(field: DescribedField) -> FieldState:
    if field.type != "string" or field.length < KEY_LENGTH:
        return FieldState.WRONG_TYPE
    if not (field.external_id and field.unique):
        return FieldState.NOT_UNIQUE
    return FieldState.PRESENT if field.createable else FieldState.READ_ONLY


def _usable(slot: Slot, field: DescribedField) -> FieldState:
    if field.is_custom and not takes(slot, field.type, field.length, field.digits):
        return FieldState.WRONG_TYPE
    return FieldState.PRESENT if field.createable else FieldState.READ_ONLY


def _packaged(slot: Slot, field: DescribedField, version: int | None) -> FieldState:
    if field.length < _PACKAGED[slot].length and slot != Slot.KEY:
        return FieldState.SHORT
    return FieldState.OLDER if version is not None and version < PACKAGE_VERSION else FieldState.PRESENT
