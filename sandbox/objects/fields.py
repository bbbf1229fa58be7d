"""Short ways to write down a field, with the attributes Salesforce gives its kind."""

import re
from typing import Any

from sandbox.schema import Field, PicklistValue, SObjectType

READ_ONLY: dict[str, Any] = {"createable": False, "updateable": False}


def label_of(name: str) -> str:
    """A label as Salesforce derives it: `CallDurationInSeconds` becomes "Call Duration In Seconds"."""
    plain = name.removesuffix("__c").replace("_", " ")
    if plain.endswith("Id") and len(plain) > 2:
        plain = plain[:-2] + " ID"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)


def make(name: str, type_: str, **attributes: Any) -> Field:
    attributes.setdefault("label", label_of(name))
    attributes.setdefault("custom", name.endswith("__c"))
    return Field(name, type_, **attributes)


def text(name: str, length: int = 255, **attributes: Any) -> Field:
    return make(name, "string", length=length, **attributes)


def long_text(name: str, length: int = 32_000, **attributes: Any) -> Field:
    return make(name, "textarea", length=length, filterable=False, sortable=False, **attributes)


def phone(name: str) -> Field:
    return make(name, "phone", length=40)


def email(name: str, length: int = 80, **attributes: Any) -> Field:
    return make(name, "email", length=length, **attributes)


def url(name: str) -> Field:
    return make(name, "url", length=255)


def integer(name: str, **attributes: Any) -> Field:
    return make(name, "int", digits=8, **attributes)


def number(name: str, type_: str = "double", **attributes: Any) -> Field:
    return make(name, type_, precision=18, scale=2, **attributes)


def checkbox(name: str, **attributes: Any) -> Field:
    return make(name, "boolean", nillable=False, defaulted=True, default=False, **attributes)


def day(name: str, **attributes: Any) -> Field:
    return make(name, "date", **attributes)


def moment(name: str, **attributes: Any) -> Field:
    return make(name, "datetime", **attributes)


def picklist(name: str, values: str, default: str | None = None, **attributes: Any) -> Field:
    """`values` are separated by `|`."""
    choices = tuple(PicklistValue(value, default=value == default) for value in values.split("|"))
    attributes.setdefault("length", 255)
    kind = attributes.pop("kind", "picklist")
    return make(name, kind, values=choices, defaulted=default is not None, default=default, **attributes)


def reference(name: str, to: str, relationship: str | None = None, **attributes: Any) -> Field:
    """`to` names the types, separated by `|`; the relationship is the name without `Id` unless given."""
    attributes.setdefault("polymorphic", "|" in to)
    return make(
        name,
        "reference",
        length=18,
        references=tuple(to.split("|")),
        relationship=relationship or name.removesuffix("Id"),
        **attributes,
    )


def identity() -> Field:
    return make(
        "Id",
        "id",
        length=18,
        nillable=False,
        defaulted=True,
        id_lookup=True,
        permissionable=False,
        **READ_ONLY,
    )


def owner(to: str = "User") -> Field:
    return reference("OwnerId", to, nillable=False, defaulted=True, permissionable=False)


def audit() -> list[Field]:
    by_user: dict[str, Any] = {"nillable": False, "defaulted": True, "permissionable": False, **READ_ONLY}
    return [
        make("IsDeleted", "boolean", default=False, **by_user),
        moment("CreatedDate", **by_user),
        reference("CreatedById", "User", **by_user),
        moment("LastModifiedDate", **by_user),
        reference("LastModifiedById", "User", **by_user),
        moment("SystemModstamp", **by_user),
    ]


def address(prefix: str) -> list[Field]:
    return [
        make(f"{prefix}Street", "textarea", length=255),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80),
        text(f"{prefix}PostalCode", 20),
        text(f"{prefix}Country", 80),
    ]


def sobject(name: str, key_prefix: str, *parts: Field | list[Field], **attributes: Any) -> SObjectType:
    fields: dict[str, Field] = {}
    for part in parts:
        for one in [part] if isinstance(part, Field) else part:
            fields[one.name] = one
    label = attributes.pop("label", label_of(name))
    plural = attributes.pop("plural", f"{label}s")
    return SObjectType(name, label, plural, key_prefix, fields, **attributes)
