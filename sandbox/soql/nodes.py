"""The parts of a parsed query; every part knows its position in the text for errors."""

from dataclasses import dataclass
from typing import TypeAlias

from sandbox.soql.lexer import Token


@dataclass(frozen=True, slots=True)
class Path:
    """A field, reached over parent relationships: `Account.Owner.Name`."""

    names: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Literal:
    """`kind` is string, number, date, datetime, boolean, null or word (`LAST_N_DAYS:3` has number 3)."""

    kind: str
    token: Token
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is =, !=, <, <=, >, >=, LIKE, IN or NOT IN; only the last two have several values."""

    path: Path
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


Condition: TypeAlias = Comparison | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Ordering:
    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """`fields` is empty for `COUNT()`."""

    text: str
    fields: tuple[Path, ...]
    sobject: Token
    where: Condition | None
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int
