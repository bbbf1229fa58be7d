"""Which fields of a record are read, and a row of an answer as a record. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sync.crm.answers import text
from sync.crm.base import CrmRecord, Value
from sync.crm.task_fields import fields_by_name
from sync.enums import RecordKind
from teams.crm_ids import to_18

OBJECTS: Mapping[RecordKind, str] = {
    RecordKind.ACCOUNT: "Account",
    RecordKind.CONTACT: "Contact",
    RecordKind.LEAD: "Lead",
    RecordKind.OPPORTUNITY: "Opportunity",
    RecordKind.CASE: "Case",
}
# The first three characters of an id tell its object, in every org.
_PREFIXES: Mapping[str, RecordKind] = {
    "001": RecordKind.ACCOUNT,
    "003": RecordKind.CONTACT,
    "00Q": RecordKind.LEAD,
    "006": RecordKind.OPPORTUNITY,
    "500": RecordKind.CASE,
}
_PERSON = ("Phone", "MobilePhone", "HomePhone", "OtherPhone", "Email")
# Who can be reached there: what tasks are matched by. Fax and the assistant's number are somebody else's.
_REACH: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.ACCOUNT: ("Phone", "PersonMobilePhone", "PersonHomePhone", "PersonOtherPhone", "PersonEmail"),
    RecordKind.CONTACT: _PERSON,
    RecordKind.LEAD: ("Phone", "MobilePhone", "Email"),
    RecordKind.OPPORTUNITY: (),
    RecordKind.CASE: ("SuppliedPhone", "SuppliedEmail"),
}
# What pages show.
_SHOWN: Mapping[RecordKind, tuple[str, ...]] = {
    RecordKind.ACCOUNT: (
        *("Type", "Industry", "Website", "NumberOfEmployees", "AnnualRevenue", "AccountNumber", "ParentId"),
        *("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry", "Description"),
        *("IsPersonAccount", "PersonTitle", "LastActivityDate"),
    ),
    RecordKind.CONTACT: (
        *("FirstName", "LastName", "Salutation", "Title", "Department", "LeadSource", "ReportsToId", "Description"),
        *("MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry"),
        *("HasOptedOutOfEmail", "DoNotCall", "LastActivityDate"),
    ),
    RecordKind.LEAD: (
        *("FirstName", "LastName", "Salutation", "Title", "Company", "Website", "Industry", "LeadSource", "Status"),
        *("Rating", "Street", "City", "State", "PostalCode", "Country", "Description"),
        *("HasOptedOutOfEmail", "DoNotCall", "LastActivityDate", "IsConverted", "ConvertedContactId"),
        *("ConvertedAccountId", "ConvertedOpportunityId"),
    ),
    RecordKind.OPPORTUNITY: (
        *("StageName", "Amount", "CloseDate", "Probability", "Type", "NextStep", "LeadSource", "IsClosed", "IsWon"),
        *("ContactId", "Description", "LastActivityDate"),
    ),
    RecordKind.CASE: (
        *("CaseNumber", "Subject", "Status", "Priority", "Origin", "Type", "IsClosed", "ContactId", "Description"),
        *("SuppliedName",),
    ),
}
_ALWAYS = ("Id", "IsDeleted", "SystemModstamp", "OwnerId", "MasterRecordId")


def kind_of_id(crm_id: str) -> RecordKind | None:
    """Return what an id stands for; None when it is none of the five objects."""
    return _PREFIXES.get(crm_id[:3])


def expected_fields(kind: RecordKind) -> tuple[str, ...]:
    """Return the fields whose absence is worth telling an admin: tasks are matched by them."""
    # Fields that only some editions or settings have aren't missed.
    optional = "PersonMobilePhone", "PersonHomePhone", "PersonOtherPhone", "PersonEmail", "SuppliedPhone"
    return tuple(name for name in ("OwnerId", *_REACH[kind]) if name not in optional)


def read_fields(kind: RecordKind, describe: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is asked for: the fields above that exist for the Access User, and custom phones and e-mails."""
    described = fields_by_name(describe)
    wanted = (*_ALWAYS, *_name_fields(described), "AccountId", "PersonContactId", *_REACH[kind], *_SHOWN[kind])
    custom = (name for name, field in described.items() if field["custom"] and field["type"] in ("phone", "email"))
    return tuple(dict.fromkeys(name for name in (*wanted, *custom) if name in described))


def record_of(kind: RecordKind, row: Mapping[str, Any], describe: Mapping[str, Any]) -> CrmRecord:
    """Return a row that was read with `read_fields` as a record."""
    described = fields_by_name(describe)
    return CrmRecord(
        kind=kind,
        crm_id=to_18(row["Id"]),
        name=next((text(row[name]) for name in _name_fields(described) if row.get(name)), ""),
        owner_crm_id=_id(row.get("OwnerId")),
        account_crm_id=_id(row.get("AccountId")),
        person_contact_crm_id=_id(row.get("PersonContactId")),
        emails=_reach(kind, row, described, "email"),
        phones=_reach(kind, row, described, "phone"),
        fields={name: _value(row[name]) for name in _shown(kind, row)},
        modified_at=datetime.fromisoformat(row["SystemModstamp"]) if row.get("SystemModstamp") else None,
        is_deleted=bool(row.get("IsDeleted")),
    )


def _name_fields(described: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [name for name, field in described.items() if field.get("nameField")]


def _shown(kind: RecordKind, row: Mapping[str, Any]) -> Iterable[str]:
    return (name for name in (*_REACH[kind], *_SHOWN[kind], "MasterRecordId") if name in row)


def _reach(
    kind: RecordKind, row: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]], type_: str
) -> tuple[str, ...]:
    """The values of all phones or e-mails in the order they are asked for, each once."""
    custom = [name for name, field in described.items() if field["custom"]]
    names: Sequence[str] = [n for n in (*_REACH[kind], *custom) if n in row and described[n]["type"] == type_]
    return tuple(dict.fromkeys(text(row[name]).strip() for name in names if row[name]))


def _id(value: Any) -> str:
    return to_18(value) if value else ""


def _value(value: Any) -> Value:
    """A field's value ready for JSON: amounts keep their digits as text."""
    if value is None or isinstance(value, (bool, int)):
        return value
    return f"{value:f}" if isinstance(value, Decimal) else text(value)
