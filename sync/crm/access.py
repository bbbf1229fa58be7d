"""What the Access User may do with an object, from the CRM's descriptions. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from sync.crm.base import ObjectAccess
from sync.crm.task_fields import KEY_FIELD, fields_by_name, is_key


def no_access(name: str, expected: Sequence[str]) -> ObjectAccess:
    """Return the access to an object that the CRM doesn't show at all."""
    return ObjectAccess(name, readable=False, createable=False, updateable=False, missing_fields=tuple(expected))


def access_of(
    name: str, listed: Mapping[str, Any], describe: Mapping[str, Any], expected: Sequence[str]
) -> ObjectAccess:
    """Return the access to an object: `listed` is its entry in the list of objects.

    Of the `expected` fields, those that don't exist for the Access User are missing; so is a key field that isn't
    unique, because upserts by it could make duplicates.
    """
    described = fields_by_name(describe)
    missing = [
        field for field in expected if field not in described or (field == KEY_FIELD and not is_key(described[field]))
    ]
    return ObjectAccess(
        name,
        readable=bool(listed["queryable"]),
        createable=bool(listed["createable"]),
        updateable=bool(listed["updateable"]),
        missing_fields=tuple(missing),
        writable_fields=tuple(f for f in expected if f in described and described[f]["createable"]),
    )
