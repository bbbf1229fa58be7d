"""Asking the CRM which Tasks it has: by id those that are known to stand there, by key those that may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync.crm.base import Crm, FoundTask, TaskSchema, Value
from sync.enums import FailureMode, Slot
from sync.errors import CrmError
from sync.mapping import MappedTask, differing_values, map_relation, missing_values
from sync.models import OutboxRow
from sync.retry import HALTING_MODES

# Every CRM's Task has an id; this is the field's name in the one that we know.
_ID = "Id"


@dataclass(slots=True)
class Look:
    """The CRM's Tasks by the row's pk. About the rows in `unsaid` it would not tell, each part for its reason."""

    found: dict[int, FoundTask] = field(default_factory=dict)
    unsaid: list[tuple[list[OutboxRow], CrmError]] = field(default_factory=list)


def look(crm: Crm, schema: TaskSchema, rows: Sequence[OutboxRow], mapped: Mapping[int, MappedTask]) -> Look:
    """Look for up to 200 rows' Tasks, deleted ones included: one call, or two or three where some were sent otherwise.

    What the rows write, and the relation, is read from each Task. Raises CrmError when the connection can't go on.
    """
    names = {name for row in rows for name in mapped[row.pk].row.fields}
    names |= {schema.fields[slot].name for slot in (Slot.WHO, Slot.WHAT) if slot in schema.fields}
    fields = sorted(names)
    seen = Look()
    _ask(seen, crm, schema, [(row, row.task.crm_id) for row in rows if row.task and row.task.crm_id], fields, _ID)
    sent = [(row, row.key) for row in rows if not (row.task and row.task.crm_id)]
    if _ask(seen, crm, schema, sent, fields, ""):
        until = schema.former_key_until
        before = [(row, key) for row, key in sent if until and _asked_since(row) < until and row.pk not in seen.found]
        _ask(seen, crm, schema, before, fields, schema.former_key)
    return seen


def lacking(row: OutboxRow, mapped: MappedTask, found: FoundTask, schema: TaskSchema) -> dict[str, Value]:
    """Return what the found Task lacks of what the row writes, and where it stands against what was changed since."""
    if mapped.row.crm_id:
        return differing_values(mapped.row, found)
    missing = missing_values(mapped.row, found, schema)
    if row.task and (row.rewrites_who or row.rewrites_what):
        relation = map_relation(row.task, schema, who=row.rewrites_who, what=row.rewrites_what)
        missing |= differing_values(relation.row, found)
    return missing


def _asked_since(row: OutboxRow) -> datetime:
    """No later than the first try: a row that inherited the doubt is younger than what may stand in the CRM."""
    return row.task.created_at if row.task else row.created_at


def _ask(
    seen: Look,
    crm: Crm,
    schema: TaskSchema,
    asked: Sequence[tuple[OutboxRow, str]],
    fields: Sequence[str],
    key_field: str,
) -> bool:
    """Find values in a field (empty: the schema's key field); whether the CRM has told."""
    if not asked:
        return True
    try:
        tasks = crm.find_tasks([value for _row, value in asked], schema, fields, key_field)
    except CrmError as error:
        if error.mode in HALTING_MODES or error.mode == FailureMode.TRANSIENT:
            raise
        seen.unsaid.append(([row for row, _value in asked], error))
        return False
    for row, value in asked:
        if matches := tasks.get(value):
            seen.found[row.pk] = min(matches, key=lambda task: task.is_deleted)
    return True
