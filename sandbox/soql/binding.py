"""Paths of a query bound to the schema: which field is meant, and how to read it from a row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sandbox.errors import ApiError
from sandbox.objects import fields as f
from sandbox.schema import Field, Schema, SObjectType
from sandbox.soql.lexer import query_error
from sandbox.soql.nodes import Path, Query
from sandbox.store import Row, Store

_NAME = f.sobject(
    "Name",
    "",
    f.text("Id", 18),
    f.text("Name"),
    f.text("FirstName"),
    f.text("LastName"),
    f.text("Alias"),
    f.text("Email"),
    f.checkbox("IsActive"),
    f.text("Phone"),
    f.text("Title"),
    f.text("Type"),
    f.text("Username"),
)
_HINT = (
    "If you are attempting to use a custom {kind}, be sure to append the '{suffix}' after the {what} name. "
    "Please reference your WSDL or the describe call for the appropriate names."
)

Reader: TypeAlias = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One hop to a parent: the field that holds its id, and its type (Name when there may be several)."""

    field: Field
    target: SObjectType


@dataclass(frozen=True, slots=True)
class Bound:
    """A path that exists: the hops, and the field at its end."""

    steps: tuple[Step, ...]
    field: Field


class Binder:
    def __init__(self, query: Query, schema: Schema, store: Store) -> None:
        self.query = query
        self.schema = schema
        self.store = store
        token = query.sobject
        sobject = schema.find(token.text)
        if sobject is None or not sobject.queryable:
            message = f"sObject type '{token.text}' is not supported. " + _HINT.format(
                kind="object", suffix="__c", what="entity"
            )
            raise query_error(query.text, token.position, message, "INVALID_TYPE")
        self.sobject = sobject

    def bind(self, path: Path) -> Bound:
        """ApiError INVALID_FIELD for a relationship or column that does not exist or is hidden."""
        steps: list[Step] = []
        at = self.sobject
        for name in path.names[:-1]:
            step = self._step(at, name)
            if step is None:
                message = f"Didn't understand relationship '{name}' in field path. " + _HINT.format(
                    kind="relationship", suffix="__r", what="custom relationship"
                )
                raise self.error(path, message)
            steps.append(step)
            at = step.target
        field = at.visible(path.names[-1])
        if field is None:
            message = f"No such column '{path.names[-1]}' on entity '{at.name}'. " + _HINT.format(
                kind="field", suffix="__c", what="custom field"
            )
            raise self.error(path, message)
        return Bound(tuple(steps), field)

    def error(self, path: Path, message: str, code: str = "INVALID_FIELD") -> ApiError:
        return query_error(self.query.text, path.position, message, code)

    def reader(self, bound: Bound) -> Reader:
        """A function from a row of the query's type to the field's value, None over a missing parent."""
        name = bound.field.name
        if not bound.steps:
            return lambda row: row.get(name)
        steps = bound.steps

        def read(row: Row) -> Any:
            at: Row | None = row
            for step in steps:
                at = self.parent(step, at) if at is not None else None
            return None if at is None else at.get(name)

        return read

    def parent(self, step: Step, row: Row) -> Row | None:
        """The row that the hop leads to; one of the pseudo-type Name carries its `Type`."""
        record = row.get(step.field.name)
        kind = self.schema.of_id(record) if record else None
        if kind is None or record is None:
            return None
        found = self.store.row(kind.name, record)
        if found is None or step.target is not _NAME:
            return found
        name = found.get("Name") or found.get("CaseNumber")
        return found | {"Type": kind.name, "Name": name}

    def _step(self, at: SObjectType, name: str) -> Step | None:
        for field in at.visible_fields():
            if field.relationship is not None and field.relationship.lower() == name.lower():
                if field.polymorphic:
                    return Step(field, _NAME)
                target = self.schema.find(field.references[0])
                return None if target is None else Step(field, target)
        return None
