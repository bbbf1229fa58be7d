"""What describe says of the org's Task (M7)."""

from typing import Any

import pytest

from sync.crm.access import access_of, no_access
from sync.crm.base import ObjectAccess, TaskSchema
from sync.crm.task_fields import KEY_FIELD, SLOT_FIELDS, closed_status, task_schema
from sync.enums import Slot


def field(name: str, **changes: Any) -> dict[str, Any]:
    plain = {
        "name": name,
        "type": "string",
        "length": 255,
        "createable": True,
        "updateable": True,
        "filterable": True,
        "externalId": False,
        "unique": False,
        "restrictedPicklist": False,
        "picklistValues": [],
    }
    return {**plain, **changes}


def picklist(name: str, *values: str, inactive: str = "", restricted: bool = True) -> dict[str, Any]:
    choices = [{"value": value, "active": value != inactive} for value in values]
    return field(name, type="picklist", restrictedPicklist=restricted, picklistValues=choices)


KEY = field(KEY_FIELD, length=64, externalId=True, unique=True)
STATUS = picklist("Status", "Open", "Completed", "Closed", "Old", inactive="Old")


def describe(*replaced: dict[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    fields = {name: field(name) for name in SLOT_FIELDS.values()} | {"Status": STATUS, KEY_FIELD: KEY}
    fields |= {each["name"]: each for each in replaced}
    return {"fields": [each for name, each in fields.items() if name not in without]}


def test_m7_every_slot_that_the_org_has_is_used() -> None:
    schema = task_schema(describe(), "Completed")
    assert {slot: each.name for slot, each in schema.fields.items()} == SLOT_FIELDS
    assert (schema.missing, schema.has_key, schema.key_fallback) == ((), True, None)


def test_m7_what_the_org_lacks_or_hides_is_missing() -> None:
    schema = task_schema(describe(without=("Play_Name__c", "Play_Step__c")), "Completed")
    assert schema.missing == (Slot.PLAY_NAME, Slot.PLAY_STEP)
    assert Slot.PLAY_NAME not in schema.fields


def test_m7_rights_lengths_and_choices_are_those_of_the_org() -> None:
    subtype = {**picklist("TaskSubtype", "Call", "Email", "Task"), "updateable": False, "length": 40}
    schema = task_schema(describe(subtype, field("ActivityDate", type="date", length=0)), "Completed")
    crm_field = schema.fields[Slot.SUBTYPE]
    assert (crm_field.createable, crm_field.updateable, crm_field.max_length) == (True, False, 40)
    assert crm_field.choices == ("Call", "Email", "Task")
    assert schema.fields[Slot.STATUS].choices == ("Open", "Completed", "Closed")
    assert schema.fields[Slot.DAY].max_length is None


def test_m7_a_picklist_that_takes_anything_refuses_nothing() -> None:
    schema = task_schema(describe(picklist("Type", "Call", restricted=False)), "Completed")
    assert schema.fields[Slot.TYPE].choices is None


@pytest.mark.parametrize(
    ("key", "fallback"),
    [
        ({**KEY, "unique": False}, Slot.KEY),
        ({**KEY, "externalId": False}, Slot.KEY),
        ({**KEY, "createable": False}, Slot.CALL_OBJECT),
        ({**KEY, "unique": False, "length": 20}, Slot.CALL_OBJECT),
    ],
    ids=["not unique", "no external id", "read only", "too short"],
)
def test_b1_a_key_field_that_is_not_unique_only_carries_the_key(key: dict[str, Any], fallback: Slot) -> None:
    schema = task_schema(describe(key), "Completed")
    assert (schema.has_key, schema.key_fallback) == (False, fallback)
    assert (Slot.KEY in schema.fields) is (fallback == Slot.KEY)


def test_b1_without_a_key_field_call_object_carries_the_key() -> None:
    schema = task_schema(describe(without=(KEY_FIELD,)), "Completed")
    assert (schema.has_key, schema.key_fallback, schema.missing) == (False, Slot.CALL_OBJECT, (Slot.KEY,))


def test_b1_without_any_such_field_there_is_no_fallback() -> None:
    schema = task_schema(describe(field("CallObject", filterable=False), without=(KEY_FIELD,)), "Completed")
    assert (schema.has_key, schema.key_fallback) == (False, None)


def test_the_schema_survives_being_stored() -> None:
    schema = task_schema(describe(STATUS, without=(KEY_FIELD,)), "Completed")
    assert TaskSchema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([("Closed", "Closed"), ("Completed", "Completed")], "Completed"),
        ([("Closed", "Zu")], "Closed"),
        ([("Old", "Old"), ("Closed", "Closed")], "Closed"),
        ([(None, "Closed")], "Closed"),
        ([("Old", "Old")], None),
        ([], None),
    ],
)
def test_a_closed_status_is_one_that_the_org_offers(rows: list[tuple[str | None, str]], status: str | None) -> None:
    answers = [{"ApiName": name, "MasterLabel": label} for name, label in rows]
    assert closed_status(answers, describe()) == status


def test_access_names_what_is_missing_and_what_may_be_written() -> None:
    listed = {"queryable": True, "createable": True, "updateable": False}
    described = describe({**KEY, "unique": False}, field("Subject", createable=False))
    assert access_of("Task", listed, described, (KEY_FIELD, "Subject", "Description", "Nothing__c")) == ObjectAccess(
        "Task",
        readable=True,
        createable=True,
        updateable=False,
        missing_fields=(KEY_FIELD, "Nothing__c"),
        writable_fields=(KEY_FIELD, "Description"),
    )


def test_an_object_that_is_not_shown_has_no_access() -> None:
    access = no_access("Lead", ("Phone", "Email"))
    assert (access.readable, access.createable, access.updateable) == (False, False, False)
    assert access.missing_fields == ("Phone", "Email")
