"""What a CRM must offer. The engine knows this file and no CRM; a second CRM is a second file beside salesforce.py."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from sync.crm.org_fields import OrgFields
from sync.enums import RecordKind, Slot
from sync.errors import RowError

# Ready for JSON: text, whole numbers, booleans, None. A date is ISO text.
Value = str | int | bool | None
# The CRM's fields for some slots; an empty name for one that isn't sent.
Names = Mapping[Slot, str]


@dataclass(frozen=True, slots=True)
class CrmField:
    """One field of the CRM's Task, as the Access User sees it. `choices` only where others are refused."""

    name: str
    max_length: int | None = None
    createable: bool = True
    updateable: bool = True
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TaskSchema:
    """Which slots the CRM's Task has, under which names, and how neutral values are spelt there.

    `values[slot][ours]` is the CRM's spelling (for example SUBTYPE: call → Call); a slot without an entry takes the
    value as it is. `has_key` says that KEY is unique and an upsert key; without it the key may be carried by
    `key_fallback`, a text field that can be searched. `missing` are optional slots that the org lacks or hides.
    `former_key` names the field that carried the keys before another one did: what was asked for until
    `former_key_until` may stand in the CRM under it. `names` are the fields that were chosen in place of the usual
    ones, empty for a slot that isn't sent.
    """

    fields: Mapping[Slot, CrmField]
    values: Mapping[Slot, Mapping[str, str]]
    closed_status: str
    has_key: bool
    key_fallback: Slot | None = None
    missing: tuple[Slot, ...] = ()
    former_key: str = ""
    former_key_until: datetime | None = None
    names: Mapping[Slot, str] = field(default_factory=dict)

    @property
    def key_name(self) -> str:
        """The CRM's name of the field that carries the key; empty when there is none."""
        slot = Slot.KEY if self.has_key else self.key_fallback
        return self.fields[slot].name if slot else ""

    def following(self, earlier: "TaskSchema | None", until: datetime) -> "TaskSchema":
        """Return this schema with what it must remember of the one before it; `until`: that one may be in use."""
        if earlier is None:
            return self
        if earlier.key_name not in ("", self.key_name):
            return replace(self, former_key=earlier.key_name, former_key_until=until)
        if earlier.former_key in ("", self.key_name):
            return self
        return replace(self, former_key=earlier.former_key, former_key_until=earlier.former_key_until)

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads back, for keeping on the connection."""
        return {
            "fields": {
                slot.value: {
                    "name": f.name,
                    "max_length": f.max_length,
                    "createable": f.createable,
                    "updateable": f.updateable,
                    "choices": list(f.choices) if f.choices is not None else None,
                }
                for slot, f in sorted(self.fields.items())
            },
            "values": {slot.value: dict(spelling) for slot, spelling in sorted(self.values.items())},
            "closed_status": self.closed_status,
            "has_key": self.has_key,
            "key_fallback": self.key_fallback,
            "missing": sorted(self.missing),
            "former_key": self.former_key,
            "former_key_until": self.former_key_until.isoformat() if self.former_key_until else None,
            "names": {slot.value: name for slot, name in sorted(self.names.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TaskSchema":
        """Read what `to_json` gave."""
        return cls(
            fields={
                Slot(slot): CrmField(**{**f, "choices": tuple(f["choices"]) if f["choices"] is not None else None})
                for slot, f in data["fields"].items()
            },
            values={Slot(slot): spelling for slot, spelling in data["values"].items()},
            closed_status=data["closed_status"],
            has_key=data["has_key"],
            key_fallback=Slot(data["key_fallback"]) if data["key_fallback"] else None,
            missing=tuple(Slot(slot) for slot in data["missing"]),
            former_key=data.get("former_key", ""),
            former_key_until=datetime.fromisoformat(until) if (until := data.get("former_key_until")) else None,
            names={Slot(slot): name for slot, name in data.get("names", {}).items()},
        )


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One Task to write: `fields` by the CRM's names. `crm_id` only for an update."""

    key: str
    fields: Mapping[str, Value]
    crm_id: str = ""


@dataclass(frozen=True, slots=True)
class RowResult:
    """The CRM's answer for one row; exactly one of `crm_id` and `error` is set."""

    crm_id: str = ""
    created: bool = False
    error: RowError | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """API calls of the last 24 hours, of the whole org."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The answers in the order of the rows that were sent."""

    results: tuple[RowResult, ...]
    http_status: int
    request_id: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class FoundTask:
    """A Task that carries one of our keys. `fields` holds the asked-for fields by the CRM's names."""

    crm_id: str
    key: str
    fields: Mapping[str, Value]
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class AccessUser:
    """The CRM user that Playbooks works as, and its org. Ids have 18 characters."""

    user_id: str
    username: str
    name: str
    org_id: str


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """What the Access User may do with one object."""

    name: str
    readable: bool
    createable: bool
    updateable: bool
    missing_fields: tuple[str, ...] = ()
    writable_fields: tuple[str, ...] = ()  # of those that Playbooks uses

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads back."""
        return {**asdict(self), "missing_fields": [*self.missing_fields], "writable_fields": [*self.writable_fields]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ObjectAccess":
        """Read what `to_json` gave."""
        fields = {name: tuple(data[name]) for name in ("missing_fields", "writable_fields")}
        return cls(**{**data, **fields})


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """A record as the CRM has it. `fields` are those that pages show, by the CRM's names."""

    kind: RecordKind
    crm_id: str
    name: str
    owner_crm_id: str = ""
    account_crm_id: str = ""
    person_contact_crm_id: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    fields: Mapping[str, Value] = field(default_factory=dict)
    modified_at: datetime | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class CrmUser:
    """Somebody who works in the CRM. `email` is in lower case; one address may be several users'."""

    crm_id: str
    name: str
    email: str
    username: str
    is_active: bool


class Crm(Protocol):
    """One org, as its Access User. Every method makes HTTP calls with a time-out and raises CrmError."""

    usage: Usage | None  # as of the latest answer, also a failed one

    def access_user(self) -> AccessUser:
        """Who we are: one call."""
        ...

    def org_name(self) -> str:
        """What the org calls itself: one call; empty when the Access User may not know."""
        ...

    def object_access(self, names: Names = ...) -> list[ObjectAccess]:
        """What the Access User may do with the five record objects and Task, and what is missing.

        `names` as for `task_schema`.
        """
        ...

    def task_schema(self, names: Names = ..., *, anew: bool = True) -> TaskSchema:
        """Read which fields the org's Task has, and which status means closed: two calls.

        `names`: the fields to use in place of the usual ones, empty for a slot that isn't sent. One call, when the
        fields that were read last are good enough (not `anew`).
        """
        ...

    def task_fields(self, wanted: Sequence[str]) -> OrgFields:
        """Read all fields of the org's Task: one call; two more where one of `wanted` is not to be seen."""
        ...

    def write_tasks(self, rows: Sequence[TaskRow], schema: TaskSchema) -> BatchAnswer:
        """Write up to 200 new Tasks in one call: an upsert by KEY when the schema has it, else a create."""
        ...

    def update_tasks(self, rows: Sequence[TaskRow]) -> BatchAnswer:
        """Update up to 200 Tasks by `crm_id` in one call."""
        ...

    def find_tasks(
        self, keys: Sequence[str], schema: TaskSchema, fields: Sequence[str], key_field: str = ""
    ) -> dict[str, list[FoundTask]]:
        """Find Tasks by up to 200 keys in one call, deleted ones included; every match of a key is returned.

        `key_field` names the field to search where it isn't the schema's own.
        """
        ...

    def fetch_records(self, kind: RecordKind, crm_ids: Sequence[str]) -> list[CrmRecord]:
        """Read up to 200 records by id in one call; those that don't exist are left out, deleted ones are marked."""
        ...

    def find_users(self, emails: Sequence[str]) -> list[CrmUser]:
        """Find the CRM's users by e-mail, deactivated ones included: one call for each 200 addresses begun.

        More where addresses are longer than 40 characters; none for no address.
        """
        ...

    def read_usage(self) -> Usage:
        """Ask how many calls are left: one call."""
        ...
