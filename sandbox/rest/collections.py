"""sObject Collections: up to 200 rows in one call, answered row by row in their order."""

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

from sandbox.errors import ApiError, RowError, malformed_json
from sandbox.ids import full_id
from sandbox.rest.call import Call, Response
from sandbox.rest.records import chosen_fields, external_id_field, find, shown
from sandbox.schema import Field, SObjectType
from sandbox.writes import Writer

MOST_ROWS = 200
_MOST_CHUNKS = 10
_MOST_READ = 2000

Write: TypeAlias = Callable[[Writer, Any], dict[str, Any]]


def serve(call: Call, rest: list[str]) -> Response:
    """`/composite/sobjects` and what stands below it."""
    if not rest:
        call.allow("POST", "PATCH", "DELETE")
        return {"POST": _create, "PATCH": _update, "DELETE": _delete}[call.method](call)
    sobject = call.sobject(rest[0])
    if len(rest) == 1:
        call.allow("GET", "POST")
        return _read(call, sobject)
    call.allow("PATCH")
    return _upsert(call, sobject, rest[1])


def _records(call: Call) -> list[dict[str, Any]]:
    records = call.json_object().get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise malformed_json("The records list is required")
    _limit(len(records))
    return records


def _limit(rows: int) -> None:
    if rows > MOST_ROWS:
        message = f"record limit reached. cannot submit more than {MOST_ROWS} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", message)


def _all_or_none(call: Call) -> bool:
    value = call.query.get("allOrNone") if call.method == "DELETE" else call.json_object().get("allOrNone")
    return value is True or str(value).lower() == "true"


def _typed(call: Call, records: list[dict[str, Any]]) -> list[SObjectType]:
    """The type of each row, from its attributes; at most ten runs of one type."""
    types: list[SObjectType] = []
    chunks = 0
    for record in records:
        attributes = record.get("attributes")
        name = attributes.get("type") if isinstance(attributes, dict) else None
        if not isinstance(name, str):
            raise ApiError(400, "INVALID_INPUT", "Each record must have an attributes map with a type")
        sobject = call.org.schema.find(name)
        if sobject is None:
            message = f"sObject type '{name}' is not supported."
            raise ApiError(400, "INVALID_TYPE", message)
        chunks += not types or types[-1] is not sobject
        types.append(sobject)
    if chunks > _MOST_CHUNKS:
        message = f"The records form {chunks} chunks of one type; a request can have up to {_MOST_CHUNKS}"
        raise ApiError(400, "LIMIT_EXCEEDED", message)
    return types


def _create(call: Call) -> Response:
    records = _records(call)
    types = _typed(call, records)

    def write(writer: Writer, index: int) -> dict[str, Any]:
        return {"id": writer.create(types[index], records[index]), "success": True, "errors": []}

    return _each(call, list(range(len(records))), write)


def _update(call: Call) -> Response:
    records = _records(call)
    types = _typed(call, records)
    ids = [next((value for name, value in one.items() if name.lower() == "id"), None) for one in records]
    twice = Counter(full_id(one) for one in ids if isinstance(one, str))

    def write(writer: Writer, index: int) -> dict[str, Any]:
        record = ids[index]
        if not isinstance(record, str) or not record:
            raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", [])
        if (known := full_id(record)) is not None and twice[known] > 1:
            raise RowError("DUPLICATE_VALUE", f"Duplicate id specified: {known}", ["Id"])
        body = {name: value for name, value in records[index].items() if name.lower() != "id"}
        writer.update(types[index], record, body)
        return {"id": known, "success": True, "errors": []}

    return _each(call, list(range(len(records))), write)


def _delete(call: Call) -> Response:
    ids = [one for one in call.query.get("ids", "").split(",") if one]
    if not ids:
        raise ApiError(400, "INVALID_INPUT", "The ids parameter is required")
    _limit(len(ids))

    def write(writer: Writer, record: str) -> dict[str, Any]:
        known = full_id(record)
        sobject = call.org.schema.of_id(known) if known else None
        if known is None or sobject is None:
            raise RowError("MALFORMED_ID", f"malformed id {record}")
        writer.delete(sobject, known)
        return {"id": known, "success": True, "errors": []}

    return _each(call, ids, write)


def _upsert(call: Call, sobject: SObjectType, field_name: str) -> Response:
    field = external_id_field(sobject, field_name)
    records = _records(call)
    for record, named in zip(records, _typed(call, records), strict=True):
        if named is not sobject:
            message = f"The type {record['attributes']['type']} does not match the type {sobject.name} of the URI"
            raise ApiError(400, "INVALID_INPUT", message)
    values = [_external(record, field) for record in records]
    twice = Counter(_spelled(field, value) for value in values)

    def write(writer: Writer, index: int) -> dict[str, Any]:
        value = values[index]
        if value is None or value == "":
            raise RowError("MISSING_ARGUMENT", f"{field.name} not specified")
        if twice[_spelled(field, value)] > 1:
            raise RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", [field.name])
        record, created = _written(call, writer, sobject, field, records[index], value)
        return {"id": record, "success": True, "errors": [], "created": created}

    return _each(call, list(range(len(records))), write)


def _written(
    call: Call, writer: Writer, sobject: SObjectType, field: Field, body: dict[str, Any], value: Any
) -> tuple[str, bool]:
    """The id of the row that the upsert made or changed, and whether it made it."""
    if field.name == "Id":
        writer.update(sobject, str(value), {name: one for name, one in body.items() if name.lower() != "id"})
        return full_id(str(value)) or "", False
    rows = find(call, sobject, field, value)
    if len(rows) > 1:
        found = ", ".join(row["Id"] for row in rows)
        raise RowError(
            "DUPLICATE_EXTERNAL_ID",
            f"{field.label}: more than one record found for external id field: [{found}]",
        )
    if not rows:
        return writer.create(sobject, body), True
    record = rows[0]["Id"]
    writer.update(sobject, record, {name: one for name, one in body.items() if name.lower() != field.name.lower()})
    return record, False


def _external(record: dict[str, Any], field: Field) -> Any:
    if field.name in record:
        return record[field.name]
    return next((value for name, value in record.items() if name.lower() == field.name.lower()), None)


def _spelled(field: Field, value: Any) -> str:
    """One form for values that name the same record."""
    if field.name == "Id":
        return full_id(str(value)) or str(value)
    return str(value).strip() if field.case_sensitive else str(value).strip().lower()


def _each(call: Call, items: list[Any], write: Write) -> Response:
    """Write every item; with allOrNone, one failure takes the others back."""
    writer = call.writer(len(items))
    mark = call.transaction.mark()
    results: list[dict[str, Any]] = []
    for item in items:
        try:
            results.append(write(writer, item))
        except RowError as error:
            results.append({"success": False, "errors": [error.body()]})
    if _all_or_none(call) and not all(one["success"] for one in results):
        call.transaction.roll_back(mark)
        results = [one if not one["success"] else {"success": False, "errors": [ROLLED_BACK.body()]} for one in results]
    return Response(200, results)


ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


def _read(call: Call, sobject: SObjectType) -> Response:
    if call.method == "GET":
        ids, names = (call.query.get(name, "").split(",") for name in ("ids", "fields"))
    else:
        body = call.json_object()
        ids, names = body.get("ids", []), body.get("fields", [])
    if len(ids) > _MOST_READ:
        raise ApiError(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {_MOST_READ} records")
    fields = chosen_fields(sobject, [name.strip() for name in names])
    found: list[dict[str, Any] | None] = []
    for record in ids:
        known = full_id(str(record))
        row = call.org.store.row(sobject.name, known) if known else None
        found.append(None if row is None or row["IsDeleted"] else shown(call, sobject, row, fields))
    return Response(200, found)
