"""Rows put in, changed and deleted from behind: by the seed, and as though somebody worked in the CRM.

No rule is checked; unknown fields are refused, derived and audit fields are filled in.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox import rules
from sandbox.clock import now_stamp
from sandbox.ids import full_id
from sandbox.schema import SObjectType
from sandbox.store import Row, Transaction

if TYPE_CHECKING:
    from sandbox.org import Org


class UnknownRowError(ValueError):
    """The row names a type, field or id that does not exist."""


def insert(org: "Org", sobject: SObjectType, values: Mapping[str, Any], user_id: str) -> Row:
    """Put a row in; `Id` may be given, audit fields too."""
    table = org.store.tables[sobject.name]
    given = _known(sobject, values)
    row: Row = {"Id": "", "IsDeleted": False}
    for field in sobject.fields.values():
        if field.default is not None:
            row[field.name] = field.default
    now = now_stamp()
    audit = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
    row |= audit | {"CreatedById": user_id, "LastModifiedById": user_id}
    if "OwnerId" in sobject.fields:
        row["OwnerId"] = user_id
    row |= given
    row["Id"] = given.get("Id") or table.new_id()
    rules.derive(org.store, sobject.name, row)
    row |= given
    _put(org, sobject, row, "create")
    return row


def update(org: "Org", sobject: SObjectType, record: str, values: Mapping[str, Any], user_id: str) -> Row:
    """Change a row as that user; `LastModifiedDate` and `SystemModstamp` move unless they are given."""
    before = _found(org, sobject, record)
    given = _known(sobject, values)
    now = now_stamp()
    row = before | {"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": user_id} | given
    rules.derive(org.store, sobject.name, row)
    row |= given | {"Id": before["Id"]}
    _put(org, sobject, row, "update")
    return row


def delete(org: "Org", sobject: SObjectType, record: str, user_id: str) -> Row:
    """Move a row to the recycle bin."""
    return update(org, sobject, record, {"IsDeleted": True}, user_id)


def _put(org: "Org", sobject: SObjectType, row: Row, operation: str) -> None:
    transaction = Transaction(org.store)
    transaction.put(sobject.name, row, operation)
    transaction.commit()


def _found(org: "Org", sobject: SObjectType, record: str) -> Row:
    known = full_id(record)
    row = org.store.row(sobject.name, known) if known else None
    if row is None:
        raise UnknownRowError(f"no {sobject.name} with id {record}")
    return row


def _known(sobject: SObjectType, values: Mapping[str, Any]) -> Row:
    given: Row = {}
    for name, raw in values.items():
        value = raw
        if name == "attributes":
            continue
        if name not in sobject.fields:
            raise UnknownRowError(f"{sobject.name} has no field {name}")
        if value and sobject.fields[name].type in ("id", "reference"):
            value = full_id(value)
            if value is None:
                raise UnknownRowError(f"{sobject.name}.{name} is not a record id")
        given[name] = value
    return given
