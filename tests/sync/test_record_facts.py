"""sync/record_facts.py"""

import pytest

from sync.enums import RecordKind
from sync.models import Record
from sync.record_facts import facts, referred_ids, warnings
from tests.factories import crm_id

ACCOUNT, BOSS = crm_id("001", 1), crm_id("003", 2)


def record(**fields: object) -> Record:
    return Record(kind=RecordKind.CONTACT, crm_id=crm_id("003", 1), fields=fields)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Amount", "1234567.50", "1,234,567.50"),
        ("Amount", "1200000.00", "1,200,000"),
        ("Amount", "-1500", "-1,500"),
        ("Amount", "a lot", "a lot"),
        ("NumberOfEmployees", 12000, "12,000"),
        ("CloseDate", "2025-02-03", "3 Feb 2025"),
        ("CloseDate", "soon", "soon"),
        ("Probability", "40", "40 %"),
        ("Flag__c", True, "yes"),
        ("Flag__c", False, "no"),
    ],
)
def test_values_are_written_for_people(name: str, value: object, words: str) -> None:
    (fact,) = facts(record(**{name: value}), [])
    assert fact.value == words


def test_an_address_is_one_line_and_empty_fields_are_left_out() -> None:
    (fact,) = facts(
        record(MailingStreet="1 Main St\r\nFloor 2", MailingPostalCode="98101", MailingCity="Seattle", Title=""), []
    )
    assert (str(fact.label), fact.value) == ("Mailing address", "1 Main St, Floor 2, 98101 Seattle")


def test_a_field_without_a_label_keeps_the_crms_name_and_descriptions_come_last() -> None:
    told = facts(record(Tier__c="Gold", Description="Long", Title="Buyer", FirstName="Ana", Phone="1"), [])
    assert [(str(fact.label), fact.is_crm_name) for fact in told] == [
        ("Title", False),
        ("Tier__c", True),
        ("Description", False),
    ]


def test_records_that_are_named_are_linked_where_they_are_mirrored() -> None:
    named = record(ReportsToId=BOSS[:15], ParentId="nonsense")
    named.account_crm_id = ACCOUNT
    assert referred_ids(named) == {ACCOUNT, BOSS}
    boss = Record(crm_id=BOSS, name="Bea")
    assert [(fact.value, fact.record) for fact in facts(named, [boss])] == [("nonsense", None), (BOSS[:15], boss)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, []),
        ({"DoNotCall": True, "HasOptedOutOfEmail": True}, ["Do not call", "Opted out of e-mail"]),
        ({"DoNotCall": False, "IsClosed": False}, []),
        ({"IsClosed": True, "IsWon": True}, ["Won"]),
        ({"IsClosed": True, "IsWon": False}, ["Lost"]),
        ({"IsClosed": True}, ["Closed"]),
        ({"IsConverted": True}, ["Converted"]),
    ],
)
def test_what_must_be_heeded_is_said(fields: dict[str, object], words: list[str]) -> None:
    assert [str(each) for each, _tone in warnings(record(**fields))] == words
