"""A query run against the store: which rows, in which order, and how each is shown."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.ids import full_id
from sandbox.schema import Schema
from sandbox.soql import nodes
from sandbox.soql.binding import Binder, Reader, Step
from sandbox.soql.conditions import Conditions
from sandbox.soql.parser import parse
from sandbox.store import Row, Store, folded


@dataclass(slots=True)
class Projection:
    """What is shown of a row: its own fields, and parents under the name of their relationship."""

    fields: list[str] = field(default_factory=list)
    parents: dict[str, tuple[Step, "Projection"]] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """Ids of the rows found; `projection` is None for `COUNT()`."""

    ids: list[str]
    total: int
    binder: Binder
    projection: Projection | None

    def records(self, start: int, count: int, base: str) -> list[dict[str, Any]]:
        """A page of records as JSON; `base` is `/services/data/vNN.0`."""
        if self.projection is None:
            return []
        sobject = self.binder.sobject.name
        rows = self.binder.store.tables[sobject].rows
        found = [rows[record] for record in self.ids[start : start + count] if record in rows]
        return [self._shown(sobject, row, self.projection, base) for row in found]

    def _shown(self, sobject: str, row: Row, projection: Projection, base: str) -> dict[str, Any]:
        kind = row.get("Type") if sobject == "Name" else sobject
        record: dict[str, Any] = {"attributes": {"type": sobject, "url": f"{base}/sobjects/{kind}/{row['Id']}"}}
        for name in projection.fields:
            record[name] = row.get(name)
        for name, (step, inner) in projection.parents.items():
            parent = self.binder.parent(step, row)
            record[name] = None if parent is None else self._shown(step.target.name, parent, inner, base)
        return record


def run(text: str, schema: Schema, store: Store, zone: ZoneInfo, deleted: bool = False) -> Result:
    """Find the rows; `deleted` adds those in the recycle bin (queryAll). ApiError for a refused query."""
    query = parse(text)
    binder = Binder(query, schema, store)
    conditions = Conditions(binder, zone)
    projection = _projection(query, binder) if query.fields else None
    fits = conditions.compile(query.where) if query.where is not None else None
    orderings = [(_sort_key(binder, one), one) for one in query.order]
    rows = [
        row
        for row in _candidates(query, binder, conditions, store)
        if (deleted or not row["IsDeleted"]) and (fits is None or fits(row))
    ]
    for key, ordering in reversed(orderings):
        _sort(rows, key, ordering)
    end = None if query.limit is None else query.offset + query.limit
    ids = [row["Id"] for row in rows[query.offset : end]]
    return Result(ids, len(ids), binder, projection)


def _projection(query: nodes.Query, binder: Binder) -> Projection:
    top = Projection()
    seen = set()
    for path in query.fields:
        bound = binder.bind(path)
        spelled = path.text.lower()
        if spelled in seen:
            raise binder.error(path, f"duplicate field selected: {path.text}", "MALFORMED_QUERY")
        seen.add(spelled)
        at = top
        for step in bound.steps:
            name = step.field.relationship or ""
            at = at.parents.setdefault(name, (step, Projection()))[1]
        at.fields.append(bound.field.name)
    return top


def _candidates(query: nodes.Query, binder: Binder, conditions: Conditions, store: Store) -> Iterable[Row]:
    """Rows that may fit: found by id or index where the query names them so, else all."""
    table = store.tables[binder.sobject.name]
    where = query.where
    for part in where.conditions if isinstance(where, nodes.AllOf) else (where,):
        if not isinstance(part, nodes.Comparison):
            continue
        name = binder.bind(part.path).field.name
        if name != "Id" and name not in table.indexes:
            continue
        keys = conditions.keys(part)
        if keys is None:
            continue
        if name == "Id":
            wanted = dict.fromkeys(full_id(key) or "" for key in keys)
            return [table.rows[record] for record in wanted if record in table.rows]
        return [row for key in dict.fromkeys(keys) for row in table.matches(name, key)]
    return table.rows.values()


def _sort_key(binder: Binder, ordering: nodes.Ordering) -> Reader:
    """What a row is sorted by: text without letter case, picklists in their own order, ids exactly."""
    bound = binder.bind(ordering.path)
    if not bound.field.sortable:
        message = f"field '{bound.field.name}' can not be sorted in a query call"
        raise binder.error(ordering.path, message, "MALFORMED_QUERY")
    read = binder.reader(bound)
    if bound.field.type == "id":
        return read
    if bound.field.type != "picklist":
        return lambda row: folded(read(row))
    places = {choice.value: f"{place:03d}" for place, choice in enumerate(bound.field.values)}
    return lambda row: places.get(value, f"~{value}") if (value := read(row)) is not None else None


def _sort(rows: list[Row], key: Reader, ordering: nodes.Ordering) -> None:
    empty = [row for row in rows if key(row) is None]
    full = [row for row in rows if key(row) is not None]
    full.sort(key=key, reverse=ordering.descending)
    rows[:] = full + empty if ordering.nulls_last else empty + full
