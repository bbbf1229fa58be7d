"""What an org is made of: object types and their fields, as `describe` shows them and as writes obey them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from sandbox.matching import check


@dataclass(frozen=True, slots=True)
class PicklistValue:
    value: str
    default: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Lengths are in characters; `references` names the types whose ids it takes."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    defaulted: bool = False
    default: Any = None
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    filterable: bool = True
    sortable: bool = True
    id_lookup: bool = False
    restricted: bool = False
    values: tuple[PicklistValue, ...] = ()
    references: tuple[str, ...] = ()
    relationship: str | None = None
    polymorphic: bool = False
    name_field: bool = False
    precision: int = 0
    scale: int = 0
    digits: int = 0
    calculated: bool = False
    custom: bool = False
    permissionable: bool = True
    help_text: str = ""

    @property
    def indexed(self) -> bool:
        return self.external_id or self.unique


CHANGEABLE = frozenset(f.name for f in fields(Field)) - {"name"}


@dataclass(slots=True)
class SObjectType:
    """One object type. `hidden` fields exist but the Access User may not see them."""

    name: str
    label: str
    plural: str
    key_prefix: str
    fields: dict[str, Field]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    queryable: bool = True
    hidden: set[str] = field(default_factory=set)
    _folded: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._refold()

    def _refold(self) -> None:
        self._folded = {name.lower(): name for name in self.fields if name not in self.hidden}

    def visible(self, name: str) -> Field | None:
        """The field of that name in any letter case, or None where the Access User sees none."""
        known = self.fields.get(name)
        if known is not None and name not in self.hidden:
            return known
        canonical = self._folded.get(name.lower())
        return None if canonical is None else self.fields[canonical]

    def visible_fields(self) -> list[Field]:
        return [self.fields[name] for name in self._folded.values()]

    def required_fields(self) -> list[Field]:
        """Fields that must not end up empty in a row that a client wrote."""
        return [f for f in self.fields.values() if not f.nillable and f.createable and f.type != "boolean"]

    def set_hidden(self, name: str, hidden: bool) -> None:
        (self.hidden.add if hidden else self.hidden.discard)(name)
        self._refold()

    def remove(self, name: str) -> None:
        self.fields.pop(name, None)
        self.hidden.discard(name)
        self._refold()

    def put(self, new: Field) -> None:
        self.fields[new.name] = new
        self._refold()

    def change(self, name: str, **changes: Any) -> None:
        """Replace attributes of a field; an unknown attribute is a TypeError."""
        self.put(replace(self.fields[name], **changes))


@dataclass(slots=True)
class Permissions:
    """What the Access User may do with an object type."""

    read: bool = True
    create: bool = True
    edit: bool = True
    delete: bool = True


@dataclass(slots=True)
class ValidationRule:
    """Refuses a row for which `condition` (see matching.py) holds; without `field` it stands for the page."""

    object: str
    name: str
    message: str
    condition: Mapping[str, Any]
    field: str | None = None
    active: bool = True

    def __post_init__(self) -> None:
        check(self.condition)

    def describe(self) -> dict[str, Any]:
        return asdict(self)


class Schema:
    """All object types of the org, found by name in any letter case or by an id's first three characters."""

    def __init__(self, types: Iterable[SObjectType]) -> None:
        self.types = {sobject.name: sobject for sobject in types}
        # Whether the Access User has the permission View Setup and Configuration.
        self.view_setup = False
        self.permissions = {name: Permissions() for name in self.types}
        self._folded = {name.lower(): name for name in self.types}
        self._by_prefix = {sobject.key_prefix: sobject for sobject in self.types.values()}

    def find(self, name: str) -> SObjectType | None:
        """The type the Access User can see under that name."""
        canonical = self._folded.get(name.lower())
        if canonical is None or not self.permissions[canonical].read:
            return None
        return self.types[canonical]

    def of_id(self, record_id: str) -> SObjectType | None:
        return self._by_prefix.get(record_id[:3])

    def visible_types(self) -> list[SObjectType]:
        return [sobject for name, sobject in self.types.items() if self.permissions[name].read]
