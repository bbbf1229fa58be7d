"""What `describe` says of the org's Task, as the schema that tasks are mapped to. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from sync.crm.base import CrmField, TaskSchema
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
_KEY_LENGTH = 32
# Salesforce's own value, in every org until somebody renames or removes it.
_USUAL_CLOSED_STATUS = "Completed"


def fields_by_name(describe: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return a describe's fields by their API names."""
    return {field["name"]: field for field in describe["fields"]}


def is_key(field: Mapping[str, Any]) -> bool:
    """Whether upserts by this field make no duplicate: Salesforce enforces only External ID with Unique."""
    return bool(field["externalId"] and field["unique"] and field["createable"])


def task_schema(describe: Mapping[str, Any], closed_status: str) -> TaskSchema:
    """Return the schema of a Task's describe; `closed_status` as `closed_status` found it."""
    described = fields_by_name(describe)
    present = {slot: described[name] for slot, name in SLOT_FIELDS.items() if name in described}
    has_key = Slot.KEY in present and is_key(present[Slot.KEY])
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
        missing=tuple(slot for slot in SLOT_FIELDS if slot not in fields),
    )


def closed_status(rows: Iterable[Mapping[str, Any]], describe: Mapping[str, Any]) -> str | None:
    """Return which of the closed TaskStatus rows (in the org's order) a Task gets; None when there is none.

    A status that the Status picklist no longer offers would be refused.
    """
    closed = [row.get("ApiName") or row["MasterLabel"] for row in rows]
    offered = _choices(fields_by_name(describe).get("Status", {}))
    usable = [status for status in closed if not offered or status in offered]
    return _USUAL_CLOSED_STATUS if _USUAL_CLOSED_STATUS in usable else next(iter(usable), None)


def _can_carry_key(field: Mapping[str, Any] | None) -> bool:
    return field is not None and bool(
        field["createable"] and field["filterable"] and field["length"] >= _KEY_LENGTH and field["type"] == "string"
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
