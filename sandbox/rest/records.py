"""Single records: `/sobjects/<Type>`, by id and by external id."""

from typing import Any

from sandbox.errors import ApiError, RowError, not_found
from sandbox.ids import full_id
from sandbox.rest.call import Call, Response, record_url
from sandbox.schema import Field, SObjectType
from sandbox.store import Row
from sandbox.values import stored


def create(call: Call, sobject: SObjectType) -> Response:
    """`POST /sobjects/<Type>`."""
    record = call.writer().create(sobject, call.json_object())
    return _created(call, sobject, record, 201)


def by_id(call: Call, sobject: SObjectType, record: str) -> Response:
    """`GET`, `PATCH` and `DELETE /sobjects/<Type>/<Id>`."""
    call.allow("GET", "PATCH", "DELETE")
    if call.method == "GET":
        return Response(200, shown(call, sobject, _readable(call, sobject, record), _chosen(call, sobject)))
    writer = call.writer()
    try:
        writer.existing(sobject, record)
    except RowError as error:
        status = 400 if error.code == "MALFORMED_ID" else 404
        raise ApiError(status, error.code, error.message, error.fields) from error
    if call.method == "PATCH":
        writer.update(sobject, record, call.json_object())
    else:
        writer.delete(sobject, record)
    return Response(204)


def by_external_id(call: Call, sobject: SObjectType, field_name: str, raw: str) -> Response:
    """`GET`, `PATCH` (upsert) and `DELETE /sobjects/<Type>/<ExternalIdField>/<value>`."""
    call.allow("GET", "PATCH", "DELETE")
    field = external_id_field(sobject, field_name)
    if field.name == "Id":
        return by_id(call, sobject, raw)
    rows = find(call, sobject, field, raw)
    if len(rows) > 1:
        return Response(300, [record_url(call, sobject.name, row["Id"]) for row in rows])
    if call.method in ("GET", "DELETE"):
        if not rows:
            raise not_found()
        return by_id(call, sobject, rows[0]["Id"])
    body = call.json_object()
    if any(name.lower() == field.name.lower() for name in body):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise ApiError(400, "INVALID_FIELD", message, [field.name])
    if rows:
        call.writer().update(sobject, rows[0]["Id"], body)
        return _created(call, sobject, rows[0]["Id"], 200, created=False)
    record = call.writer().create(sobject, {**body, field.name: raw})
    return _created(call, sobject, record, 201, created=True)


def external_id_field(sobject: SObjectType, name: str) -> Field:
    field = sobject.visible(name)
    if field is None or not (field.external_id or field.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise ApiError(404, "NOT_FOUND", message)
    return field


def find(call: Call, sobject: SObjectType, field: Field, raw: Any) -> list[Row]:
    """Rows outside the recycle bin whose external id has the value; RowError when it cannot be one."""
    value = stored(field, raw, sobject.label)
    if value is None:
        return []
    table = call.org.store.tables[sobject.name]
    rows = [row for row in table.matches(field.name, value) if not row["IsDeleted"]]
    return [row for row in rows if row[field.name] == value] if field.case_sensitive else rows


def shown(call: Call, sobject: SObjectType, row: Row, fields: list[Field]) -> dict[str, Any]:
    """The record as JSON, with its attributes."""
    record: dict[str, Any] = {"attributes": {"type": sobject.name, "url": record_url(call, sobject.name, row["Id"])}}
    for field in fields:
        record[field.name] = row.get(field.name)
    return record


def chosen_fields(sobject: SObjectType, names: list[str]) -> list[Field]:
    fields = []
    for name in names:
        field = sobject.visible(name)
        if field is None:
            raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
        fields.append(field)
    return fields


def _chosen(call: Call, sobject: SObjectType) -> list[Field]:
    wanted = call.query.get("fields")
    if wanted is None:
        return sobject.visible_fields()
    return chosen_fields(sobject, [name.strip() for name in wanted.split(",") if name.strip()])


def _readable(call: Call, sobject: SObjectType, record: str) -> Row:
    known = full_id(record)
    if known is None or not known.startswith(sobject.key_prefix):
        message = f"Provided external ID field does not exist or is not accessible: {record}"
        raise ApiError(404, "NOT_FOUND", message)
    row = call.org.store.row(sobject.name, known)
    if row is None:
        raise not_found()
    if row["IsDeleted"]:
        raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return row


def _created(call: Call, sobject: SObjectType, record: str, status: int, **extra: bool) -> Response:
    body = {"id": record, "success": True, "errors": []} | extra
    return Response(status, body, {"Location": record_url(call, sobject.name, record)})
