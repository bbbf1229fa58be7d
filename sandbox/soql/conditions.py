"""WHERE to a function that says of a row whether it fits."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sandbox import clock
from sandbox.ids import full_id
from sandbox.soql import nodes
from sandbox.soql.binding import Binder, Bound, Reader
from sandbox.soql.lexer import quoted_characters, unquoted
from sandbox.store import Row, folded

Predicate: TypeAlias = Callable[[Row], bool]

_KINDS = {
    "boolean": ("boolean",),
    "int": ("number",),
    "double": ("number",),
    "currency": ("number",),
    "percent": ("number",),
    "date": ("date", "word"),
    "datetime": ("datetime", "word"),
}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda value, wanted: bool(value < wanted),
    "<=": lambda value, wanted: bool(value <= wanted),
    ">": lambda value, wanted: bool(value > wanted),
    ">=": lambda value, wanted: bool(value >= wanted),
}


class Conditions:
    """Compiles conditions; `zone` is the time zone in which a day begins for date words."""

    def __init__(self, binder: Binder, zone: ZoneInfo) -> None:
        self.binder = binder
        self.zone = zone

    def compile(self, condition: nodes.Condition) -> Predicate:
        match condition:
            case nodes.AllOf(conditions):
                parts = [self.compile(one) for one in conditions]
                return lambda row: all(part(row) for part in parts)
            case nodes.AnyOf(conditions):
                parts = [self.compile(one) for one in conditions]
                return lambda row: any(part(row) for part in parts)
            case nodes.Not(inner):
                part = self.compile(inner)
                return lambda row: not part(row)
            case nodes.Comparison():
                return self._comparison(condition)

    def keys(self, comparison: nodes.Comparison) -> list[str] | None:
        """The values that an index may be asked for, or None when this is no `=` or `IN` of texts."""
        if comparison.operator not in ("=", "IN"):
            return None
        bound = self.binder.bind(comparison.path)
        if bound.steps or any(one.kind != "string" for one in comparison.values):
            return None
        values = [self._value(comparison, bound, one) for one in comparison.values]
        return None if None in values else values

    def _comparison(self, comparison: nodes.Comparison) -> Predicate:
        bound = self.binder.bind(comparison.path)
        if not bound.field.filterable:
            message = f"field '{bound.field.name}' can not be filtered in a query call"
            raise self.binder.error(comparison.path, message)
        read = self.binder.reader(bound)
        operator = comparison.operator
        if operator == "LIKE":
            return self._like(comparison, bound, read)
        if any(one.kind == "word" for one in comparison.values):
            return self._days(comparison, bound, read)
        values = [self._value(comparison, bound, one) for one in comparison.values]
        if operator in ("=", "IN"):
            wanted = set(values)
            return lambda row: folded(read(row)) in wanted
        if operator in ("!=", "NOT IN"):
            unwanted = set(values)
            return lambda row: folded(read(row)) not in unwanted
        if bound.field.type in ("boolean", "reference") or values[0] is None:
            raise self._bad_operator(comparison, bound)
        if bound.field.type == "id":
            return self._id_order(_TESTS[operator], read, full_id(values[0]) or "")
        return self._order(_TESTS[operator], read, values[0])

    @staticmethod
    def _id_order(test: Callable[[Any, Any], bool], read: Reader, wanted: str) -> Predicate:
        """Ids are ordered with letter case, so that "everything after this id" pages through a table."""
        return lambda row: (value := read(row)) is not None and test(value, wanted)

    @staticmethod
    def _order(test: Callable[[Any, Any], bool], read: Reader, wanted: Any) -> Predicate:
        def compare(row: Row) -> bool:
            value = read(row)
            return value is not None and test(folded(value), wanted)

        return compare

    def _value(self, comparison: nodes.Comparison, bound: Bound, literal: nodes.Literal) -> Any:
        """The literal in the form that rows keep, text without letter case."""
        kind = bound.field.type
        if literal.kind == "null":
            return None
        allowed = _KINDS.get(kind, ("string",))
        if literal.kind not in allowed:
            quotes = "be enclosed in quotes" if allowed == ("string",) else "not be enclosed in quotes"
            message = (
                f"value of filter criterion for field '{bound.field.name}' must be of type "
                f"{kind if allowed != ('string',) else 'string'} and should {quotes}"
            )
            raise self.binder.error(comparison.path, message)
        token = literal.token
        if literal.kind == "string":
            text = unquoted(token, self.binder.query.text)
            return self._record(comparison, text) if kind in ("id", "reference") else (text.lower() or None)
        if literal.kind == "boolean":
            return token.text.upper() == "TRUE"
        if literal.kind == "number":
            return float(token.text)
        value = clock.parse_date(token.text) if literal.kind == "date" else clock.parse_datetime(token.text)
        if value is None:
            raise self.binder.error(comparison.path, f"invalid {literal.kind}: {token.text}", "MALFORMED_QUERY")
        return value.lower()

    def _record(self, comparison: nodes.Comparison, text: str) -> str | None:
        if not text:
            return None
        record = full_id(text)
        if record is None:
            raise self.binder.error(comparison.path, f"invalid ID field: {text}", "INVALID_QUERY_FILTER_OPERATOR")
        return record.lower()

    def _bad_operator(self, comparison: nodes.Comparison, bound: Bound) -> Exception:
        message = f"invalid operator on {bound.field.type} field"
        return self.binder.error(comparison.path, message, "INVALID_QUERY_FILTER_OPERATOR")

    def _like(self, comparison: nodes.Comparison, bound: Bound, read: Reader) -> Predicate:
        if bound.field.type in (*_KINDS, "id", "reference", "junctionIdList"):
            raise self._bad_operator(comparison, bound)
        pattern = ""
        for char, escaped in quoted_characters(comparison.values[0].token, self.binder.query.text):
            wild = {"%": ".*", "_": "."}.get(char) if not escaped else None
            pattern += wild or re.escape(char)
        matcher = re.compile(pattern, re.IGNORECASE | re.DOTALL)
        return lambda row: matcher.fullmatch(read(row) or "") is not None

    def _days(self, comparison: nodes.Comparison, bound: Bound, read: Reader) -> Predicate:
        """Compare with the span of days that a date word names."""
        if bound.field.type not in ("date", "datetime") or comparison.operator in ("IN", "NOT IN"):
            self._value(comparison, bound, comparison.values[0])
            raise self._bad_operator(comparison, bound)
        start, end = self._span(comparison.values[0], bound.field.type == "date")
        test: Callable[[str], bool] = {
            "=": lambda value: start <= value < end,
            "!=": lambda value: not start <= value < end,
            "<": lambda value: value < start,
            "<=": lambda value: value < end,
            ">": lambda value: value >= end,
            ">=": lambda value: value >= start,
        }[comparison.operator]

        def compare(row: Row) -> bool:
            value = read(row)
            return comparison.operator == "!=" if value is None else test(value)

        return compare

    def _span(self, literal: nodes.Literal, dates: bool) -> tuple[str, str]:
        """First moment of the span, and the first after it, as rows keep them."""
        today = datetime.now(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        count = literal.number or 0
        before, after = {
            "TODAY": (0, 1),
            "YESTERDAY": (-1, 0),
            "TOMORROW": (1, 2),
            "LAST_N_DAYS": (-count, 1),
            "NEXT_N_DAYS": (1, count + 1),
        }[literal.token.text.upper()]
        ends = (today + timedelta(days=before), today + timedelta(days=after))
        first, last = (end.date().isoformat() if dates else clock.stamp(end) for end in ends)
        return first, last
