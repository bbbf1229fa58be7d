"""What `describe` says of the org's Task, as the schema that tasks are mapped to. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from sync.crm.base import CrmField, Names, TaskSchema
from sync.crm.org_fields import DescribedField
from sync.enums import CallDirection, Slot, TaskKind

KEY_FIELD = "Playbooks_Key__c"

SLOT_FIELDS: Mapping[Slot, str] = {
    Slot.KEY: KEY_FIELD,
    Slot.SUBJECT: "Subject",
    Slot.DESCRIPTION: "Description",
    Slot.STATUS: "Status",
    Slot.DAY: "ActivityDate",
    Slot.OWNER: "OwnerId",
    Slot.WHO: "WhoId",
    Slot.WHAT: "WhatId",
    Slot.SUBTYPE: "TaskSubtype",
    Slot.TYPE: "Type",
    Slot.CALL_DIRECTION: "CallType",
    Slot.CALL_DURATION: "CallDurationInSeconds",
    Slot.CALL_DISPOSITION: "CallDisposition",
    Slot.CALL_OBJECT: "CallObject",
    Slot.PLAY_NAME: "Play_Name__c",
    Slot.PLAY_STEP: "Play_Step__c",
}
# Salesforce's own: nobody can make them of another type.
_STANDARD = {slot: name for slot, name in SLOT_FIELDS.items() if not name.endswith("__c")}
_SPELLINGS: Mapping[Slot, Mapping[str, str]] = {
    Slot.SUBTYPE: {TaskKind.CALL.value: "Call", TaskKind.EMAIL.value: "Email", TaskKind.OTHER.value: "Task"},
    Slot.TYPE: {TaskKind.CALL.value: "Call", TaskKind.EMAIL.value: "Email", TaskKind.OTHER.value: "Other"},
    Slot.CALL_DIRECTION: {
        CallDirection.INBOUND.value: "Inbound",
        CallDirection.OUTBOUND.value: "Outbound",
        CallDirection.INTERNAL.value: "Internal",
    },
}
# Where the key goes in an org without the unique field: the same field while it isn't unique, else CallObject,
# the only short standard text that can be searched and that nobody's eyes rest on.
_FALLBACKS = (Slot.KEY, Slot.CALL_OBJECT)
KEY_LENGTH = 32
NO_NAMES: Names = {}

TEXT_TYPES = ("string", "textarea", "picklist", "combobox", "phone")
NUMBER_TYPES = ("int", "double")
# What may go into another field than the usual one, with the room that its values need. The others are what makes a
# Task a Task, or the key that all retries lean on.
CHOOSABLE: Mapping[Slot, int] = {
    Slot.TYPE: 5,
    Slot.CALL_DIRECTION: 8,
    Slot.CALL_DURATION: 6,
    Slot.CALL_DISPOSITION: 40,
    Slot.CALL_OBJECT: 16,
    Slot.PLAY_NAME: 40,
    Slot.PLAY_STEP: 40,
}
# Salesforce's own value, in every org until somebody renames or removes it.
_USUAL_CLOSED_STATUS = "Completed"


def fields_by_name(describe: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return a describe's fields by their API names."""
    return {field["name"]: field for field in describe["fields"]}


def is_key(field: Mapping[str, Any]) -> bool:
    """Whether upserts by this field make no duplicate: Salesforce enforces only External ID with Unique."""
    return is_usable_key(described_field(field))


def is_usable_key(field: DescribedField | None) -> bool:
    """Whether a described field serves as the key, as `is_key` says."""
    if field is None or field.type != "string" or field.length < KEY_LENGTH:
        return False
    return field.external_id and field.unique and field.createable


def slot_names(names: Names, *, has_key: bool) -> dict[Slot, str]:
    """Return which field each slot goes into; slots that aren't sent are left out.

    While the key field is missing, CallObject carries the key, whatever was chosen for it.
    """
    chosen = {slot: names.get(slot, name) if slot in CHOOSABLE else name for slot, name in SLOT_FIELDS.items()}
    if not has_key:
        call_object = SLOT_FIELDS[Slot.CALL_OBJECT]
        chosen = {slot: name for slot, name in chosen.items() if name != call_object} | {Slot.CALL_OBJECT: call_object}
    return {slot: chosen[slot] for slot in SLOT_FIELDS if chosen.get(slot)}


def task_schema(describe: Mapping[str, Any], closed_status: str, names: Names = NO_NAMES) -> TaskSchema:
    """Return the schema of a Task's describe; `closed_status` as `closed_status` found it, `names` as chosen.

    A field of one's own whose type doesn't take the slot's values is left out: with it every Task would be refused.
    """
    described = fields_by_name(describe)
    has_key = KEY_FIELD in described and is_key(described[KEY_FIELD])
    used = slot_names(names, has_key=has_key)
    present = {
        slot: described[name] for slot, name in used.items() if name in described and _takes(slot, described[name])
    }
    fallback = None if has_key else next((slot for slot in _FALLBACKS if _can_carry_key(present.get(slot))), None)
    fields = {slot: _crm_field(field) for slot, field in present.items()}
    if not has_key and fallback != Slot.KEY:
        fields.pop(Slot.KEY, None)
    return TaskSchema(
        fields=fields,
        values={slot: spelling for slot, spelling in _SPELLINGS.items() if slot in fields},
        closed_status=closed_status,
        has_key=has_key,
        key_fallback=fallback,
        missing=tuple(slot for slot in SLOT_FIELDS if slot not in fields and names.get(slot) != ""),
        names=dict(names),
    )


def described_field(field: Mapping[str, Any]) -> DescribedField:
    """Return what is kept of a described field."""
    return DescribedField(
        name=field["name"],
        label=field.get("label") or field["name"],
        type=field["type"],
        length=field.get("length") or 0,
        digits=field.get("digits") or (field.get("precision") or 0) - (field.get("scale") or 0),
        is_custom=bool(field.get("custom")),
        createable=field["createable"],
        updateable=field["updateable"],
        required=not field.get("nillable", True) and not field.get("defaultedOnCreate"),
        unique=field["unique"],
        external_id=field["externalId"],
        choices=_choices(field) if field.get("restrictedPicklist") else None,
        help_text=field.get("inlineHelpText") or "",
    )


def closed_status(rows: Iterable[Mapping[str, Any]], describe: Mapping[str, Any]) -> str | None:
    """Return which of the closed TaskStatus rows (in the org's order) a Task gets; None when there is none.

    A status that the Status picklist no longer offers would be refused.
    """
    closed = [row.get("ApiName") or row["MasterLabel"] for row in rows]
    offered = _choices(fields_by_name(describe).get("Status", {}))
    usable = [status for status in closed if not offered or status in offered]
    return _USUAL_CLOSED_STATUS if _USUAL_CLOSED_STATUS in usable else next(iter(usable), None)


def takes(slot: Slot, type_: str, length: int, digits: int) -> bool:
    """Whether a field of this type has room for what goes into a slot that may be chosen."""
    if slot == Slot.CALL_DURATION:
        return type_ in NUMBER_TYPES and digits >= CHOOSABLE[slot]
    return type_ in TEXT_TYPES and length >= CHOOSABLE[slot]


def _takes(slot: Slot, field: Mapping[str, Any]) -> bool:
    if slot not in CHOOSABLE or field["name"] == _STANDARD.get(slot):
        return True
    known = described_field(field)
    return takes(slot, known.type, known.length, known.digits)


def _can_carry_key(field: Mapping[str, Any] | None) -> bool:
    return field is not None and bool(
        field["createable"] and field["filterable"] and field["length"] >= KEY_LENGTH and field["type"] == "string"
    )


def _crm_field(field: Mapping[str, Any]) -> CrmField:
    return CrmField(
        name=field["name"],
        max_length=field.get("length") or None,
        createable=field["createable"],
        updateable=field["updateable"],
        choices=_choices(field) if field.get("restrictedPicklist") else None,
    )


def _choices(field: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(choice["value"] for choice in field.get("picklistValues", ()) if choice["active"])
