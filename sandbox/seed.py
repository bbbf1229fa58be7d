"""What stands in the org when it starts: the given data file, or a small company of its own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox import edits, schema_changes
from sandbox.ids import record_id
from sandbox.oauth import Client
from sandbox.objects.activity import CLOSED_STATUSES, STATUSES
from sandbox.schema import SObjectType
from sandbox.seed_data import DEFAULT

if TYPE_CHECKING:
    from sandbox.org import Org

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
_KNOWN = frozenset({"org", "users", "objects", "validation_rules", "clients", "schema"})


class DataError(ValueError):
    """The data file does not have the form that the README describes."""


def plant(org: "Org", data: Mapping[str, Any] | None) -> None:
    """Fill a fresh org. `@name` in an id or reference field names a record of the data. DataError for a wrong form."""
    try:
        _plant(org, DEFAULT if data is None else data)
    except (LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"not of the form that sandbox/README.md describes ({type(error).__name__}: {error})"
        ) from error


def _plant(org: "Org", data: Mapping[str, Any]) -> None:
    if unknown := set(data) - _KNOWN:
        raise DataError(f"unknown parts {', '.join(sorted(unknown))}; known: {', '.join(sorted(_KNOWN))}")
    _plant_org(org, data.get("org", DEFAULT["org"]))
    users = [{"IsActive": True, **user} for user in data.get("users", DEFAULT["users"])]
    rows = _with_ids(org, {"User": users, **data.get("objects", {})})
    if not users:
        raise DataError("users: at least one is needed, the Access User")
    access_user = rows[0][1]["Id"]
    _plant_statuses(org, access_user)
    for sobject, row in rows:
        edits.insert(org, sobject, row, access_user)
    _plant_clients(org, data.get("clients", ()), access_user)
    schema_changes.apply(org, {"validation_rules": data.get("validation_rules", []), **data.get("schema", {})})


def _with_ids(org: "Org", objects: Mapping[str, Any]) -> list[tuple[SObjectType, dict[str, Any]]]:
    """Every row with its id, names replaced by the ids of the records they stand for."""
    names: dict[str, str] = {}
    rows: list[tuple[SObjectType, dict[str, Any]]] = []
    for kind, given in objects.items():
        sobject = org.schema.types.get(kind)
        if sobject is None:
            raise DataError(f"unknown object {kind}")
        for row in given:
            own = str(row.get("Id") or "@")
            record = org.store.tables[kind].new_id() if own.startswith("@") else own
            names[own] = record
            rows.append((sobject, {**row, "Id": record}))
    for sobject, row in rows:
        for name, value in row.items():
            field = sobject.fields.get(name)
            if field is not None and field.type == "reference" and str(value).startswith("@"):
                if value not in names:
                    raise DataError(f"no record is named {value}")
                row[name] = names[value]
    return rows


def _plant_org(org: "Org", values: Mapping[str, Any]) -> None:
    org.id = values.get("Id") or record_id("00D", 1)
    row = {"OrganizationType": "Developer Edition", "InstanceName": "SBX1", "IsSandbox": True, **values}
    edits.insert(org, org.schema.types["Organization"], row | {"Id": org.id}, record_id("005", 1))


def _plant_statuses(org: "Org", access_user: str) -> None:
    for order, status in enumerate(STATUSES, start=1):
        row = {"MasterLabel": status, "ApiName": status, "SortOrder": order, "IsDefault": order == 1}
        row["IsClosed"] = status in CLOSED_STATUSES
        edits.insert(org, org.schema.types["TaskStatus"], row, access_user)


def _plant_clients(org: "Org", clients: Any, access_user: str) -> None:
    org.oauth.clients[CLIENT_ID] = Client(CLIENT_ID, CLIENT_SECRET, access_user, org.public_key)
    for one in clients:
        user = access_user
        for row in org.store.tables["User"].matches("Username", one.get("username", "")):
            user = row["Id"]
        client = Client(one["client_id"], one.get("client_secret", ""), user, one.get("public_key"))
        org.oauth.clients[client.id] = client
