"""What an admin of the org changes: fields, permissions, validation rules, features, limits."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.objects.activity import shared_activities
from sandbox.objects.fields import make
from sandbox.schema import CHANGEABLE, Permissions, PicklistValue, SObjectType, ValidationRule

if TYPE_CHECKING:
    from sandbox.org import Org

# What describe calls an attribute, where the schema calls it otherwise.
_NAMES = {
    "externalId": "external_id",
    "caseSensitive": "case_sensitive",
    "idLookup": "id_lookup",
    "restrictedPicklist": "restricted",
    "picklistValues": "values",
    "defaultValue": "default",
    "defaultedOnCreate": "defaulted",
    "inlineHelpText": "help_text",
}
_OWN = frozenset({"object", "name", "hidden", "removed"})


class ChangeError(ValueError):
    """The change names something that does not exist."""


def apply(org: "Org", changes: Mapping[str, Any]) -> None:
    """Make every change of the mapping, in the order of README's table; ChangeError for what is unknown."""
    if unknown := set(changes) - set(_CHANGES):
        raise ChangeError(f"unknown change {', '.join(sorted(unknown))}; known: {', '.join(_CHANGES)}")
    for name, change in _CHANGES.items():
        if name in changes:
            change(org, changes[name])


def describe(org: "Org") -> dict[str, Any]:
    """The present state of everything that `apply` changes."""
    fields: dict[str, Any] = {}
    for name, sobject in org.schema.types.items():
        fields[name] = {
            "hidden": sorted(sobject.hidden),
            "fields": list(sobject.fields),
            "external_ids": [f.name for f in sobject.fields.values() if f.external_id],
            "unique": [f.name for f in sobject.fields.values() if f.unique],
        }
    permissions = {
        name: {"read": can.read, "create": can.create, "edit": can.edit, "delete": can.delete}
        for name, can in org.schema.permissions.items()
    }
    return {
        "objects": fields,
        "validation_rules": [rule.describe() for rule in org.validation_rules],
        "permissions": permissions,
        "shared_activities": "TaskWhoIds" in org.schema.types["Task"].fields,
        "limits": {"daily_max": org.limits.daily_max, "daily_used": org.limits.daily_used},
        "view_setup": org.schema.view_setup,
        "rotate_refresh_tokens": org.oauth.rotate,
        "code_seconds": org.oauth.code_seconds,
    }


def _type(org: "Org", name: str) -> SObjectType:
    if name not in org.schema.types:
        raise ChangeError(f"unknown object {name}")
    return org.schema.types[name]


def _fields(org: "Org", changes: list[Mapping[str, Any]]) -> None:
    """Each names `object` and `name`; a field that does not exist yet is made, of type string unless told."""
    for change in changes:
        sobject = _type(org, change.get("object", ""))
        name = change.get("name", "")
        if change.get("removed"):
            sobject.remove(name)
        else:
            _put_field(sobject, name, change)
            if "hidden" in change:
                sobject.set_hidden(name, change["hidden"])
        org.store.tables[sobject.name].reindex()


def _put_field(sobject: SObjectType, name: str, change: Mapping[str, Any]) -> None:
    attributes = {_NAMES.get(key, key): value for key, value in change.items() if key not in _OWN}
    if unknown := set(attributes) - CHANGEABLE:
        raise ChangeError(f"unknown field attribute {', '.join(sorted(unknown))}")
    if "values" in attributes:
        attributes["values"] = tuple(PicklistValue(value) for value in attributes["values"])
    if name in sobject.fields:
        sobject.change(name, **attributes)
    elif not name.endswith("__c"):
        raise ChangeError(f"{sobject.name} has no field {name}")
    else:
        made: dict[str, Any] = {"type": "string", "length": 255, **attributes}
        sobject.put(make(name, made.pop("type"), **made))


def _rules(org: "Org", rules: list[Mapping[str, Any]]) -> None:
    made = []
    for rule in rules:
        _type(org, rule.get("object", ""))
        try:
            made.append(ValidationRule(**rule))
        except TypeError as error:
            raise ChangeError(f"validation rule: {error}") from error
    org.validation_rules = made


def _permissions(org: "Org", permissions: Mapping[str, Mapping[str, bool]]) -> None:
    for name, changes in permissions.items():
        _type(org, name)
        if unknown := set(changes) - {"read", "create", "edit", "delete"}:
            raise ChangeError(f"unknown permission {', '.join(sorted(unknown))}")
        old = org.schema.permissions[name]
        now = {"read": old.read, "create": old.create, "edit": old.edit, "delete": old.delete} | dict(changes)
        org.schema.permissions[name] = Permissions(**now)


def _shared_activities(org: "Org", on: bool) -> None:
    task = org.schema.types["Task"]
    task.put(shared_activities()) if on else task.remove("TaskWhoIds")


def _limits(org: "Org", limits: Mapping[str, int]) -> None:
    for name, value in limits.items():
        if name not in ("daily_max", "daily_used"):
            raise ChangeError(f"unknown limit {name}")
        setattr(org.limits, name, int(value))


def _view_setup(org: "Org", on: bool) -> None:
    org.schema.view_setup = bool(on)


def _rotation(org: "Org", on: bool) -> None:
    org.oauth.rotate = bool(on)


def _code_seconds(org: "Org", seconds: float) -> None:
    org.oauth.code_seconds = float(seconds)


_CHANGES: dict[str, Callable[["Org", Any], None]] = {
    "fields": _fields,
    "validation_rules": _rules,
    "permissions": _permissions,
    "shared_activities": _shared_activities,
    "limits": _limits,
    "view_setup": _view_setup,
    "rotate_refresh_tokens": _rotation,
    "code_seconds": _code_seconds,
}
