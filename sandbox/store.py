"""The rows of the org, with indexes, undo and a record of what was committed when.

Nothing here locks: the org's one lock is held by whoever uses it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from sandbox.ids import record_id
from sandbox.schema import Schema, SObjectType

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """One row as it was committed; `at_ms` is epoch milliseconds, `key` the Task's key or None."""

    object: str
    id: str
    key: str | None
    operation: str
    at_ms: float


def folded(value: Any) -> Any:
    """Text compares without letter case, as SOQL does."""
    return value.lower() if isinstance(value, str) else value


class Table:
    """Rows of one type in the order they were made; an update replaces a row, it never changes one in place."""

    def __init__(self, sobject: SObjectType) -> None:
        self.sobject = sobject
        self.rows: dict[str, Row] = {}
        self.next_number = 1
        self.indexes: dict[str, dict[Any, dict[str, None]]] = {}
        self.reindex()

    def reindex(self) -> None:
        """Build the indexes that the fields ask for now."""
        wanted = [f.name for f in self.sobject.fields.values() if f.name != "Id" and (f.indexed or f.id_lookup)]
        self.indexes = {name: {} for name in wanted}
        for row in self.rows.values():
            self._index(row)

    def new_id(self) -> str:
        while (new := record_id(self.sobject.key_prefix, self.next_number)) in self.rows:
            self.next_number += 1
        self.next_number += 1
        return new

    def put(self, row: Row) -> Row | None:
        """Insert or replace; returns what stood there before."""
        before = self.rows.get(row["Id"])
        if before is not None:
            self._unindex(before)
        self.rows[row["Id"]] = row
        self._index(row)
        return before

    def take(self, record: str) -> None:
        self._unindex(self.rows.pop(record))

    def matches(self, name: str, value: Any) -> Iterator[Row]:
        """Rows whose indexed field has the value in any letter case, deleted ones included."""
        for record in self.indexes[name].get(folded(value), ()):
            yield self.rows[record]

    def _index(self, row: Row) -> None:
        for name, index in self.indexes.items():
            value = row.get(name)
            if value is not None:
                index.setdefault(folded(value), {})[row["Id"]] = None

    def _unindex(self, row: Row) -> None:
        for name, index in self.indexes.items():
            value = row.get(name)
            if value is not None:
                entries = index[folded(value)]
                del entries[row["Id"]]
                if not entries:
                    del index[folded(value)]


class Store:
    """All tables, and the commits in the order they happened."""

    def __init__(self, schema: Schema, key_field: str) -> None:
        self.tables = {name: Table(sobject) for name, sobject in schema.types.items()}
        self.key_field = key_field
        self.commits: list[Commit] = []
        self.rows_written: dict[str, int] = {}

    def row(self, sobject: str, record: str) -> Row | None:
        return self.tables[sobject].rows.get(record)


class Transaction:
    """Writes of one call: undone together, or in part back to a mark."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._undo: list[Callable[[], object]] = []
        self._written: list[tuple[str, str, str]] = []

    def put(self, sobject: str, row: Row, operation: str) -> None:
        table = self.store.tables[sobject]
        before = table.put(row)
        record = row["Id"]
        if before is None:
            self._undo.append(lambda: table.take(record))
        else:
            self._undo.append(lambda: table.put(before))
        self._written.append((sobject, record, operation))

    def mark(self) -> int:
        return len(self._undo)

    def roll_back(self, mark: int = 0) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()
            self._written.pop()

    def commit(self) -> None:
        store = self.store
        at_ms = time.time() * 1000
        for sobject, record, operation in self._written:
            key = store.tables[sobject].rows[record].get(store.key_field)
            store.commits.append(Commit(sobject, record, key, operation, at_ms))
            store.rows_written[sobject] = store.rows_written.get(sobject, 0) + 1
        self._undo.clear()
        self._written.clear()
