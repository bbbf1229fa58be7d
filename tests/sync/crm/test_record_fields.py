"""Rows of the CRM as records."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sync.crm.record_fields import kind_of_id, read_fields, record_of
from sync.enums import RecordKind


def describe(*names: str, custom: dict[str, str] | None = None, name_field: str = "Name") -> dict[str, Any]:
    types = {"Email": "email", "PersonEmail": "email", "SuppliedEmail": "email"}
    fields = [
        {
            "name": name,
            "type": types.get(name, "phone" if name.endswith("Phone") else "string"),
            "custom": False,
            "nameField": name == name_field,
        }
        for name in names
    ]
    own = [{"name": n, "type": t, "custom": True, "nameField": False} for n, t in (custom or {}).items()]
    return {"fields": fields + own}


def test_only_fields_that_exist_are_asked_for() -> None:
    described = describe(
        *("Id", "Name", "IsDeleted", "SystemModstamp", "OwnerId", "Email", "Fax", "Title"),
        custom={"Direct_Phone__c": "phone", "Other_Mail__c": "email", "Shoe_Size__c": "double"},
    )
    assert read_fields(RecordKind.CONTACT, described) == (
        *("Id", "IsDeleted", "SystemModstamp", "OwnerId", "Name", "Email", "Title"),
        *("Direct_Phone__c", "Other_Mail__c"),
    )


def test_a_row_becomes_a_record() -> None:
    described = describe(
        *("Id", "Name", "OwnerId", "AccountId", "Email", "Phone", "MobilePhone", "Title", "IsDeleted"),
        custom={"Direct_Phone__c": "phone"},
    )
    row = {
        "attributes": {"type": "Contact"},
        "Id": "0035e00000AbCdE",
        "Name": "Ana\x00 Lopez",
        "OwnerId": "0055e00000AbCdE",
        "AccountId": None,
        "Email": " ana@example.com ",
        "Phone": "+1 212 555 0100",
        "MobilePhone": None,
        "Direct_Phone__c": "+1 212 555 0100",
        "Title": "CEO",
        "IsDeleted": True,
        "SystemModstamp": "2026-03-01T09:30:00.000+0000",
    }
    record = record_of(RecordKind.CONTACT, row, described)
    assert (record.crm_id, record.owner_crm_id, record.account_crm_id) == ("0035e00000AbCdEAAV", OWNER_18, "")
    assert record.name == "Ana\ufffd Lopez"
    assert (record.emails, record.phones) == (("ana@example.com",), ("+1 212 555 0100",))
    assert record.modified_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert record.is_deleted
    assert record.fields == {
        "Phone": "+1 212 555 0100",
        "MobilePhone": None,
        "Email": " ana@example.com ",
        "Title": "CEO",
    }


OWNER_18 = "0055e00000AbCdEAAV"


def test_amounts_keep_their_digits() -> None:
    described = describe("Id", "Name", "Amount", "IsWon", "Probability")
    row = {"Id": "0065e00000AbCdE", "Name": "Deal", "Amount": Decimal("1.2E+7"), "IsWon": True, "Probability": 60}
    record = record_of(RecordKind.OPPORTUNITY, row, described)
    assert record.fields == {"Amount": "12000000", "Probability": 60, "IsWon": True}
    assert record.modified_at is None


def test_a_case_is_named_by_its_number() -> None:
    described = describe("Id", "CaseNumber", "Subject", name_field="CaseNumber")
    record = record_of(RecordKind.CASE, {"Id": "5005e00000AbCdE", "CaseNumber": "0001", "Subject": None}, described)
    assert record.name == "0001"


@pytest.mark.parametrize(
    ("crm_id", "kind"),
    [
        ("0015e00000AbCdEEAV", RecordKind.ACCOUNT),
        ("0035e00000AbCdEEAV", RecordKind.CONTACT),
        ("00Q5e00000AbCdEEAV", RecordKind.LEAD),
        ("00q5e00000AbCdEEAV", None),
        ("0065e00000AbCdEEAV", RecordKind.OPPORTUNITY),
        ("5005e00000AbCdEEAV", RecordKind.CASE),
        ("0055e00000AbCdEEAV", None),
        ("", None),
    ],
)
def test_m2_the_id_tells_the_kind(crm_id: str, kind: RecordKind | None) -> None:
    assert kind_of_id(crm_id) == kind
