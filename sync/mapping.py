"""A task as the CRM's Task: which fields are written, with which values, and what had to be left out. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from sync.crm.base import CrmField, FoundTask, TaskRow, TaskSchema, Value
from sync.enums import DecisionCode, RecordKind, Slot, TaskKind
from sync.models import Record, Task

Reason = tuple[DecisionCode, dict[str, Any]]

# Free text may be shortened; an id, a key or a picklist's value may not.
_TEXTS = (
    Slot.SUBJECT,
    Slot.DESCRIPTION,
    Slot.CALL_DISPOSITION,
    Slot.CALL_OBJECT,
    Slot.PLAY_NAME,
    Slot.PLAY_STEP,
)


@dataclass(frozen=True, slots=True)
class MappedTask:
    """What is sent for one task, and what was decided on the way. The same task gives the same decisions."""

    row: TaskRow
    decisions: tuple[Reason, ...]


@dataclass(slots=True)
class _Draft:
    values: dict[Slot, Value] = field(default_factory=dict)
    decisions: list[Reason] = field(default_factory=list)


def map_task(task: Task, schema: TaskSchema, zone: ZoneInfo) -> MappedTask:
    """Return the CRM's row for a completed task whose user, who, what and step.play are loaded.

    `zone` is the rep's: it decides on which day the Task stands. Only slots that the org has are written; a field
    without a value is not sent, so a Task found in the CRM keeps what stands there.
    """
    draft = _Draft()
    _describe(task, schema, zone, draft)
    _relate(task, draft)
    fields: dict[str, Value] = {}
    for slot, value in draft.values.items():
        crm_field = schema.fields.get(slot)
        if value in (None, ""):
            continue
        if crm_field is None or not crm_field.createable:
            if crm_field is not None or slot in schema.missing:
                draft.decisions.append((DecisionCode.FIELD_LEFT_OUT, {"slot": slot.value}))
            continue
        fitted = _fit(slot, value, crm_field, schema, draft.decisions)
        if fitted is not None:
            fields[crm_field.name] = fitted
    return MappedTask(TaskRow(task.key, fields, task.crm_id), tuple(draft.decisions))


def map_relation(task: Task, schema: TaskSchema, *, who: bool, what: bool) -> MappedTask:
    """Return the CRM's row that gives a Task that stands there another person (`who`) or relation (`what`), no more.

    Null where the task has none. The other one is left alone, unless the first asks for it: with a Lead nothing else
    may stand, and an account may have turned out to be a person.
    """
    draft = _Draft()
    _relate(task, draft)
    is_lead = task.who is not None and task.who.kind == RecordKind.LEAD
    fields: dict[str, Value] = {}
    for slot, is_asked_for in ((Slot.WHO, who), (Slot.WHAT, what or is_lead)):
        value = draft.values[slot]
        if not (is_asked_for or value):
            continue
        if crm_field := schema.fields.get(slot):
            fields[crm_field.name] = value or None
        else:
            draft.decisions.append((DecisionCode.FIELD_LEFT_OUT, {"slot": slot.value}))
    return MappedTask(TaskRow(task.key, fields, task.crm_id), tuple(draft.decisions))


def differing_values(row: TaskRow, found: FoundTask) -> dict[str, Value]:
    """Return what of `row` doesn't stand in the found Task, null included."""
    return {name: value for name, value in row.fields.items() if (found.fields.get(name) or None) != value}


def missing_values(row: TaskRow, found: FoundTask, schema: TaskSchema) -> dict[str, Value]:
    """Return what a Task found by its key lacks, by the CRM's field names: never create-only fields.

    What stands in the CRM is left alone, even where it differs: somebody may have edited it since. A field that was
    not asked for when it was looked up is not known to be empty, so it is left alone, too.
    """
    updateable = {f.name for f in schema.fields.values() if f.updateable}
    return {
        name: value
        for name, value in row.fields.items()
        if name in updateable and name in found.fields and found.fields[name] in (None, "")
    }


def crm_length(text: str) -> int:
    """Return the length as Salesforce counts it: UTF-16 units, so that most emoji count as two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def shorten(text: str, limit: int) -> str:
    """Return `text` within `limit` characters as the CRM counts them; what was cut is said at its end.

    Where not even the sentence fits, the text is cut without it.
    """
    if crm_length(text) <= limit:
        return text
    room = limit - crm_length(_left_out(len(text)))
    if room <= 0:
        return _cut(text, limit)
    kept = _cut(text, room)
    return kept + _left_out(len(text) - len(kept))


def _left_out(count: int) -> str:
    return _("… [%(count)d more characters in Playbooks]") % {"count": count}


def _cut(text: str, units: int) -> str:
    """The longest beginning of `text` within `units` UTF-16 units; a pair that stands for one character stays whole."""
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le", errors="ignore")


def _describe(task: Task, schema: TaskSchema, zone: ZoneInfo, draft: _Draft) -> None:
    """Everything but the records: what was done, when, by whom, and our key."""
    if task.completed_at is None:
        raise ValueError("Only a completed task has a day in the CRM.")
    values = draft.values
    values[Slot.SUBJECT] = task.subject
    values[Slot.DESCRIPTION] = task.description
    values[Slot.STATUS] = schema.closed_status
    values[Slot.DAY] = task.completed_at.astimezone(zone).date().isoformat()
    values[Slot.OWNER] = task.user.crm_user_id
    if not task.user.crm_user_id:
        draft.decisions.append((DecisionCode.OWNER_IS_ACCESS_USER, {}))
    values[Slot.SUBTYPE] = values[Slot.TYPE] = task.kind
    if task.kind == TaskKind.CALL:
        values[Slot.CALL_DIRECTION] = task.call_direction
        values[Slot.CALL_DURATION] = task.call_duration_seconds
        values[Slot.CALL_DISPOSITION] = task.call_disposition
        values[Slot.CALL_OBJECT] = task.phone_e164 or task.phone_number
    if task.step is not None:
        values[Slot.PLAY_NAME] = task.step.play.name
        values[Slot.PLAY_STEP] = task.step.name
    # The fallback's own value gives way: without the key a retry could make a second Task.
    values[Slot.KEY if schema.has_key else schema.key_fallback or Slot.KEY] = task.key


def _relate(task: Task, draft: _Draft) -> None:
    """WhoId and WhatId, with what is known by now: whether an account is a person shows when it is fetched."""
    who, what = task.who, task.what
    who_id, what_id = _person_id(who), what.crm_id if what else ""
    if who is not None and not who_id:
        # Taken for a person account, but it is a business: it can only be what the task is related to.
        if what is None:
            what_id = who.crm_id
        else:
            draft.decisions.append((DecisionCode.ACCOUNT_WITHOUT_WHAT, about(who)))
    if who is None and what is not None and _person_id(what):
        who_id, what_id = _person_id(what), ""
    if who is not None and who.kind == RecordKind.LEAD and what is not None:
        what_id = ""
        draft.decisions.append((DecisionCode.LEAD_WITHOUT_WHAT, about(what)))
    draft.values[Slot.WHO] = who_id
    draft.values[Slot.WHAT] = what_id


def about(record: Record) -> dict[str, str]:
    """What a decision keeps of a record: enough to find it, nothing that it says."""
    return {"kind": record.kind, "crm_id": record.crm_id}


def _person_id(record: Record | None) -> str:
    """What goes into WhoId for `record`; empty when it is no person."""
    if record is None:
        return ""
    if RecordKind(record.kind).is_person:
        return str(record.crm_id)
    return str(record.person_contact_crm_id)


def _fit(slot: Slot, value: Value, crm_field: CrmField, schema: TaskSchema, decisions: list[Reason]) -> Value:
    """The value in the CRM's spelling and within its limits; None when the org's picklist lacks it."""
    if not isinstance(value, str):
        return value
    spellings: Mapping[str, str] = schema.values.get(slot, {})
    value = spellings.get(value, value)
    if crm_field.choices is not None and value not in crm_field.choices:
        decisions.append((DecisionCode.VALUE_LEFT_OUT, {"slot": slot.value}))
        return None
    limit = crm_field.max_length
    is_key = not schema.has_key and slot == schema.key_fallback
    if slot not in _TEXTS or is_key or limit is None or crm_length(value) <= limit:
        return value
    decisions.append((DecisionCode.TRUNCATED, {"slot": slot.value, "length": crm_length(value), "limit": limit}))
    return shorten(value, limit)
