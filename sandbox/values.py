"""One value as a client sends it in JSON, brought to the form in which the store keeps it."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from sandbox import clock
from sandbox.errors import RowError
from sandbox.ids import full_id
from sandbox.schema import Field

_EMAIL = re.compile(r"[^\s@,;<>()]+@[^\s@,;<>()]+\.[^\s@,;<>().]+")

_Reader: TypeAlias = Callable[[Field, Any, str], Any]


def utf16_length(text: str) -> int:
    """Characters as Salesforce counts them: an emoji counts twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def stored(field: Field, value: Any, owner_label: str) -> Any:
    """The value to keep; RowError with Salesforce's code when it does not fit the field."""
    if value is None or value == "":
        return None
    read: _Reader = _READERS.get(field.type, _text)
    return read(field, value, owner_label)


def _unreadable(kind: str, value: Any) -> RowError:
    tokens = {"int": "VALUE_NUMBER_INT", "float": "VALUE_NUMBER_FLOAT", "dict": "START_OBJECT", "list": "START_ARRAY"}
    tokens["bool"] = "VALUE_TRUE" if value else "VALUE_FALSE"
    token = tokens.get(type(value).__name__, "VALUE_STRING")
    shown = {"START_OBJECT": "{", "START_ARRAY": "["}.get(token, str(value))
    message = f"Cannot deserialize instance of {kind} from {token} value {shown}"
    message += " or request may be missing a required field"
    return RowError("JSON_PARSER_ERROR", message)


def _text(field: Field, value: Any, _: str) -> str | None:
    if not isinstance(value, str):
        raise _unreadable("string", value)
    if "\0" in value:
        raise RowError("JSON_PARSER_ERROR", f"{field.name}: illegal character (code 0)", [field.name])
    if field.type != "textarea":
        value = value.strip()
    if len(value) * 2 > field.length and utf16_length(value) > field.length:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise RowError("STRING_TOO_LONG", message, [field.name])
    return value or None


def _picklist(field: Field, value: Any, owner_label: str) -> str | None:
    text = _text(field, value, owner_label)
    if field.restricted and text is not None:
        for choice in field.values:
            if choice.active and choice.value.lower() == text.lower():
                return choice.value
        message = f"{field.label}: bad value for restricted picklist field: {text}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return text


def _email(field: Field, value: Any, owner_label: str) -> str | None:
    text = _text(field, value, owner_label)
    if text is not None and _EMAIL.fullmatch(text) is None:
        message = f"{field.label}: invalid email address: {text}"
        raise RowError("INVALID_EMAIL_ADDRESS", message, [field.name])
    return text


def _record(field: Field, value: Any, owner_label: str) -> str:
    if not isinstance(value, str):
        raise _unreadable("string", value)
    record = full_id(value)
    if record is None:
        label = f"{owner_label} ID" if field.name == "Id" else field.label
        raise RowError("MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [field.name])
    return record


def _records(field: Field, value: Any, owner_label: str) -> list[str]:
    if not isinstance(value, list):
        raise _unreadable("JunctionIdList", value)
    return [_record(field, one, owner_label) for one in value]


def _boolean(_: Field, value: Any, __: str) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _unreadable("boolean", value)
    return value


def _integer(_: Field, value: Any, __: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,10}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise _unreadable("int", value)
    return value


def _number(field: Field, value: Any, _: str) -> float:
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _unreadable("double", value)
    if abs(value) >= 10 ** (field.precision - field.scale):
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise RowError("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    return float(value)


def _date(_: Field, value: Any, __: str) -> str:
    day = clock.parse_date(value) if isinstance(value, str) else None
    if day is None:
        raise _unreadable("date", value)
    return day


def _datetime(_: Field, value: Any, __: str) -> str:
    moment = clock.parse_datetime(value) if isinstance(value, str) else None
    if moment is None:
        raise _unreadable("datetime", value)
    return moment


_READERS: dict[str, _Reader] = {
    "picklist": _picklist,
    "email": _email,
    "id": _record,
    "reference": _record,
    "junctionIdList": _records,
    "boolean": _boolean,
    "int": _integer,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _datetime,
}
