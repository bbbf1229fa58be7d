"""Tiny conditions over a row, for validation rules and faults.

A condition names a field and one test; all tests of a condition must hold:
`{"field": "Subject", "contains": "x"}`, `equals`, `starts_with`, `in` (a list), `longer_than` (characters),
`blank` (true or false). `{"all": [...]}`, `{"any": [...]}` and `{"not": {...}}` combine conditions.
Text is compared without letter case. `{}` matches every row.
"""

from collections.abc import Callable, Mapping
from typing import Any


class ConditionError(ValueError):
    """The condition uses a word that is not listed above."""


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "contains": lambda value, wanted: str(wanted).lower() in str(value or "").lower(),
    "starts_with": lambda value, wanted: str(value or "").lower().startswith(str(wanted).lower()),
    "equals": lambda value, wanted: bool(_folded(value) == _folded(wanted)),
    "in": lambda value, wanted: _folded(value) in [_folded(one) for one in wanted],
    "longer_than": lambda value, wanted: len(str(value or "")) > int(wanted),
    "blank": lambda value, wanted: (value is None or value == "") == bool(wanted),
}


def check(condition: Mapping[str, Any]) -> None:
    """Raise ConditionError for a condition that could never be understood."""
    for word, inner in condition.items():
        if word in ("all", "any"):
            for one in inner:
                check(one)
        elif word == "not":
            check(inner)
        elif word != "field" and word not in _TESTS:
            raise ConditionError(f"unknown test {word!r} in a condition")
    if _TESTS.keys() & condition.keys() and "field" not in condition:
        raise ConditionError("a condition with a test needs a field")


def holds(condition: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    for word, wanted in condition.items():
        if word == "all":
            met = all(holds(one, row) for one in wanted)
        elif word == "any":
            met = any(holds(one, row) for one in wanted)
        elif word == "not":
            met = not holds(wanted, row)
        elif word == "field":
            continue
        else:
            met = _TESTS[word](row.get(condition["field"]), wanted)
        if not met:
            return False
    return True
