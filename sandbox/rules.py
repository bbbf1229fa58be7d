"""What the standard objects demand of a row beyond its fields, and the fields they fill in by themselves."""

from typing import Any

from sandbox.errors import RowError
from sandbox.objects.activity import CLOSED_STATUSES
from sandbox.schema import Field, SObjectType
from sandbox.store import Row, Store


def check_reference(store: Store, field: Field, record: str, target: SObjectType | None) -> None:
    """The id must be of a type the field takes, and of a record that exists and is not deleted."""
    if target is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if target.name not in field.references:
        message = f"{field.label}: id value of incorrect type: {record}"
        raise RowError("FIELD_INTEGRITY_EXCEPTION", message, [field.name])
    row = store.row(target.name, record)
    if row is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row.get("IsDeleted"):
        raise RowError("ENTITY_IS_DELETED", "entity is deleted")
    if target.name == "Lead" and row.get("IsConverted"):
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [field.name])


def check_owner(store: Store, sobject: SObjectType, owner: str) -> None:
    user = store.row("User", owner)
    if user is not None and not user.get("IsActive"):
        message = f"operation performed with inactive user [{owner[:15]}] as owner of {sobject.label.lower()}"
        raise RowError("INACTIVE_OWNER_OR_USER", message)


def check_task(row: Row, shared_activities: bool) -> None:
    """A lead stands alone: with one in WhoId, WhatId must be blank."""
    people: list[str] = row.get("TaskWhoIds") or []
    who = row.get("WhoId")
    if people:
        _check_people(people, who)
        row["WhoId"] = who or people[0]
    elif who is not None and shared_activities:
        row["TaskWhoIds"] = [who]
    if (row.get("WhoId") or "").startswith("00Q") and row.get("WhatId"):
        message = "If the name is a lead, the related-to field must be blank"
        raise RowError("FIELD_INTEGRITY_EXCEPTION", message, ["WhoId", "WhatId"])


def _check_people(people: list[str], who: str | None) -> None:
    if len(people) > 50:
        raise RowError("FIELD_INTEGRITY_EXCEPTION", "A task takes up to 50 contacts", ["TaskWhoIds"])
    leads = [one for one in people if one.startswith("00Q")]
    if leads and len(people) > 1:
        raise RowError("FIELD_INTEGRITY_EXCEPTION", "A task takes one lead or up to 50 contacts", ["TaskWhoIds"])
    if who is not None and who not in people:
        raise RowError("FIELD_INTEGRITY_EXCEPTION", "WhoId must be one of TaskWhoIds", ["WhoId", "TaskWhoIds"])


def derive(store: Store, sobject: str, row: Row) -> None:
    """Fill in the fields that follow from others."""
    if sobject == "Task":
        _derive_task(store, row)
    elif sobject in ("Contact", "Lead", "User"):
        parts = (row.get("FirstName"), row.get("LastName"))
        row["Name"] = " ".join(part for part in parts if part)
    elif sobject == "Opportunity":
        row["IsWon"] = row.get("StageName") == "Closed Won"
        row["IsClosed"] = row.get("StageName") in ("Closed Won", "Closed Lost")
    elif sobject == "Case":
        row["IsClosed"] = row.get("Status") == "Closed"
        row.setdefault("CaseNumber", f"{len(store.tables['Case'].rows) + 1001:08d}")


def _derive_task(store: Store, row: Row) -> None:
    row["IsClosed"] = closed = row.get("Status") in CLOSED_STATUSES
    row["IsHighPriority"] = row.get("Priority") == "High"
    if not closed:
        row["CompletedDateTime"] = None
    elif not row.get("CompletedDateTime"):
        row["CompletedDateTime"] = row.get("LastModifiedDate")
    row["AccountId"] = _account_of(store, row.get("WhatId")) or _account_of(store, row.get("WhoId"))


_HOLDERS = {"001": "Account", "006": "Opportunity", "500": "Case", "003": "Contact"}


def _account_of(store: Store, record: Any) -> Any:
    """The account of an account, opportunity, case or contact."""
    holder = _HOLDERS.get(record[:3]) if record else None
    row = store.row(holder, record) if holder else None
    if row is None:
        return None
    return row["Id"] if holder == "Account" else row.get("AccountId")
