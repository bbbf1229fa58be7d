"""An org whose Task has everything, as the gateway reads it."""

from sync.crm.org_fields import DescribedField, OrgFields
from sync.crm.package import PACKAGE_FIELDS
from sync.crm.task_fields import SLOT_FIELDS
from sync.enums import Slot

PACKAGED = {
    field.name: DescribedField(
        field.name,
        field.label,
        "string",
        field.length,
        is_custom=True,
        unique=field.is_key,
        external_id=field.is_key,
        help_text=field.marked_help_text,
    )
    for field in PACKAGE_FIELDS
}
STANDARD = {
    name: DescribedField(name, name, "int" if slot == Slot.CALL_DURATION else "string", 255, digits=8)
    for slot, name in SLOT_FIELDS.items()
    if name not in PACKAGED
}
ALL = STANDARD | PACKAGED


def org(
    *changed: DescribedField, without: tuple[str, ...] = (), hidden: tuple[str, ...] = (), tells: bool = False
) -> OrgFields:
    fields = ALL | {each.name: each for each in changed}
    return OrgFields({name: each for name, each in fields.items() if name not in without}, hidden, tells)
