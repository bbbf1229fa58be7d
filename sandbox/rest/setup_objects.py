"""Queries about the set-up itself, which no table answers: which fields there are, and what the user may.

Only these two forms; any other query for these objects meets INVALID_TYPE, as for an unknown object.
"""

import re
from typing import Any

from sandbox.rest.call import Call, Response

_FIELDS = re.compile(
    r"SELECT\s+QualifiedApiName\s+FROM\s+FieldDefinition\s+WHERE\s+EntityDefinition\.QualifiedApiName\s*=\s*'(\w+)'",
    re.IGNORECASE,
)
_PERMISSIONS = re.compile(r"SELECT\s+PermissionsViewSetup\s+FROM\s+UserPermissionAccess", re.IGNORECASE)


def serve(call: Call, text: str) -> Response | None:
    """Answer such a query; None for every other one."""
    if match := _FIELDS.fullmatch(text.strip()):
        return _rows("FieldDefinition", [{"QualifiedApiName": name} for name in _field_names(call, match[1])])
    if _PERMISSIONS.fullmatch(text.strip()):
        return _rows("UserPermissionAccess", [{"PermissionsViewSetup": call.org.schema.view_setup}])
    return None


def _field_names(call: Call, sobject: str) -> list[str]:
    """Hidden fields, too, for who may view the set-up; without it only what `describe` shows."""
    known = call.org.schema.find(sobject)
    if known is None:
        return []
    return list(known.fields) if call.org.schema.view_setup else [field.name for field in known.visible_fields()]


def _rows(sobject: str, rows: list[dict[str, Any]]) -> Response:
    records = [{"attributes": {"type": sobject}, **row} for row in rows]
    return Response(200, {"totalSize": len(records), "done": True, "records": records})
