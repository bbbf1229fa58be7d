"""Every rule of a write, as the row error of a collection (single records carry the same code and message)."""

from typing import Any

import pytest

from sandbox.control import SandboxControl
from sandbox.ids import record_id
from tests.sandbox.api import Api, collection, error_of, row_error_of

UNREADABLE = "or request may be missing a required field"
ACCESS = (
    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)


def refusal(api: Api, row: dict[str, Any], sobject: str = "Task") -> tuple[str, str, list[str]]:
    answer = api.call("POST", "/composite/sobjects", collection([row], sobject))
    assert answer.status_code == 200
    return row_error_of(answer.json()[0])


@pytest.mark.parametrize(
    ("row", "code", "message", "fields"),
    [
        ({"Nothing__c": "x"}, "INVALID_FIELD", "No such column 'Nothing__c' on sobject of type Task", []),
        (
            {"Subject": "x" * 256},
            "STRING_TOO_LONG",
            f"Subject: data value too large: {'x' * 256} (max length=255)",
            ["Subject"],
        ),
        (
            {"Description": "é" * 32_001},
            "STRING_TOO_LONG",
            f"Description: data value too large: {'é' * 32_001} (max length=32000)",
            ["Description"],
        ),
        (
            {"Subject": "😀" * 128},
            "STRING_TOO_LONG",
            f"Subject: data value too large: {'😀' * 128} (max length=255)",
            ["Subject"],
        ),
        (
            {"Status": "Bogus"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Status: bad value for restricted picklist field: Bogus",
            ["Status"],
        ),
        (
            {"CallType": "Sideways"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Call Type: bad value for restricted picklist field: Sideways",
            ["CallType"],
        ),
        ({"IsClosed": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ACCESS.format("IsClosed"), ["IsClosed"]),
        (
            {"AccountId": None, "CreatedDate": "2026-01-01T00:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ACCESS.format("AccountId, CreatedDate"),
            ["AccountId", "CreatedDate"],
        ),
        (
            {"Id": record_id("00T", 5)},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "cannot specify Id in an insert call",
            ["Id"],
        ),
        ({"WhoId": "somebody"}, "MALFORMED_ID", "Name ID: id value of incorrect type: somebody", ["WhoId"]),
        (
            {"WhoId": record_id("001", 1)},
            "FIELD_INTEGRITY_EXCEPTION",
            f"Name ID: id value of incorrect type: {record_id('001', 1)}",
            ["WhoId"],
        ),
        ({"WhoId": record_id("003", 999)}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
        ({"WhatId": record_id("a00", 1)}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []),
        (
            {"ActivityDate": "05.01.2026"},
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of date from VALUE_STRING value 05.01.2026 {UNREADABLE}",
            [],
        ),
        (
            {"CallDurationInSeconds": 1.5},
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of int from VALUE_NUMBER_FLOAT value 1.5 {UNREADABLE}",
            [],
        ),
        (
            {"Subject": {"a": 1}},
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of string from START_OBJECT value {{ {UNREADABLE}",
            [],
        ),
        ({"Subject": "a\0b"}, "JSON_PARSER_ERROR", "Subject: illegal character (code 0)", ["Subject"]),
    ],
)
def test_refused_tasks(
    sandbox: SandboxControl, api: Api, row: dict[str, Any], code: str, message: str, fields: list[str]
) -> None:
    assert refusal(api, row) == (code, message, fields)
    single = api.call("POST", "/sobjects/Task", row)
    assert error_of(single) == (400, code, message)
    assert sandbox.stats()["rows"]["Task"] == 0


@pytest.mark.parametrize(
    ("sobject", "row", "missing"),
    [
        ("Contact", {"FirstName": "Ada"}, ["LastName"]),
        ("Lead", {"LastName": "Byron", "Company": "  "}, ["Company"]),
        ("Opportunity", {"Name": "Deal", "CloseDate": "2030-01-01"}, ["StageName"]),
        ("Account", {}, ["Name"]),
    ],
)
def test_required_fields(api: Api, sobject: str, row: dict[str, Any], missing: list[str]) -> None:
    message = f"Required fields are missing: [{', '.join(missing)}]"
    assert refusal(api, row, sobject) == ("REQUIRED_FIELD_MISSING", message, missing)


def test_a_required_field_cannot_be_emptied(api: Api, contact: str) -> None:
    answer = api.call("PATCH", f"/sobjects/Contact/{contact}", {"LastName": None})
    assert error_of(answer) == (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]")


@pytest.mark.parametrize(
    ("row", "stored"),
    [
        ({"Subject": "x" * 255}, {"Subject": "x" * 255}),
        ({"Subject": " padded "}, {"Subject": "padded"}),
        ({"Subject": ""}, {"Subject": None}),
        ({"Description": "é" * 32_000}, {"Description": "é" * 32_000}),
        ({"Description": " שלום 😀\n"}, {"Description": " שלום 😀\n"}),
        ({"subject": "any case", "STATUS": "completed"}, {"Subject": "any case", "Status": "Completed"}),
        (
            {"CallDurationInSeconds": "61", "IsReminderSet": "true"},
            {"CallDurationInSeconds": 61, "IsReminderSet": True},
        ),
        ({"ReminderDateTime": "2026-01-05T10:00:00+02:00"}, {"ReminderDateTime": "2026-01-05T08:00:00.000+0000"}),
        ({"Type": "A type of its own"}, {"Type": "A type of its own"}),
        ({"TaskSubtype": "Call"}, {"TaskSubtype": "Call"}),
        ({}, {"TaskSubtype": "Task", "Status": "Not Started", "Priority": "Normal", "CompletedDateTime": None}),
    ],
)
def test_what_is_stored(api: Api, row: dict[str, Any], stored: dict[str, Any]) -> None:
    task = api.get(f"/sobjects/Task/{api.create('Task', **row)}").json()
    assert {name: task[name] for name in stored} == stored


def test_an_email_address_is_checked(api: Api) -> None:
    code, message, fields = refusal(api, {"LastName": "Ada", "Email": "nobody"}, "Contact")
    assert (code, message, fields) == ("INVALID_EMAIL_ADDRESS", "Email: invalid email address: nobody", ["Email"])


def test_a_lead_stands_alone(api: Api, lead: str, opportunity: str) -> None:
    code, _, fields = refusal(api, {"WhoId": lead, "WhatId": opportunity})
    assert (code, fields) == ("FIELD_INTEGRITY_EXCEPTION", ["WhoId", "WhatId"])
    task = api.create("Task", WhoId=lead)
    answer = api.call("PATCH", f"/sobjects/Task/{task}", {"WhatId": opportunity})
    assert error_of(answer)[:2] == (400, "FIELD_INTEGRITY_EXCEPTION")


def test_an_inactive_owner(sandbox: SandboxControl, api: Api) -> None:
    (gone,) = [user["Id"] for user in sandbox.rows("User") if not user["IsActive"]]
    message = f"operation performed with inactive user [{gone[:15]}] as owner of task"
    assert refusal(api, {"OwnerId": gone}) == ("INACTIVE_OWNER_OR_USER", message, [])


def test_the_access_user_owns_what_nobody_owns(sandbox: SandboxControl, api: Api) -> None:
    task = sandbox.row("Task", api.create("Task", Subject="x"))
    access_user = sandbox.rows("User")[0]["Id"]
    assert (task["OwnerId"], task["CreatedById"], task["LastModifiedById"]) == (access_user,) * 3


def test_a_deleted_or_converted_parent(sandbox: SandboxControl, api: Api, contact: str, lead: str) -> None:
    sandbox.delete("Contact", contact)
    assert refusal(api, {"WhoId": contact}) == ("ENTITY_IS_DELETED", "entity is deleted", [])
    sandbox.edit("Lead", lead, {"IsConverted": True})
    assert refusal(api, {"WhoId": lead})[0] == "CANNOT_UPDATE_CONVERTED_LEAD"
    answer = api.call("PATCH", f"/sobjects/Lead/{lead}", {"Title": "x"})
    assert error_of(answer)[:2] == (400, "CANNOT_UPDATE_CONVERTED_LEAD")


def test_a_unique_key(api: Api) -> None:
    first = api.create("Task", Playbooks_Key__c="Key-1")
    message = f"duplicate value found: Playbooks_Key__c duplicates value on record with id: {first}"
    assert refusal(api, {"Playbooks_Key__c": "kEY-1"}) == ("DUPLICATE_VALUE", message, [])
    other = api.create("Task", Playbooks_Key__c="Key-2")
    answer = api.call("PATCH", f"/sobjects/Task/{other}", {"Playbooks_Key__c": "Key-1"})
    assert error_of(answer) == (400, "DUPLICATE_VALUE", message)
    assert api.call("PATCH", f"/sobjects/Task/{other}", {"Playbooks_Key__c": "KEY-2"}).status_code == 204


def test_the_key_of_a_deleted_task_is_free_again(sandbox: SandboxControl, api: Api) -> None:
    first = api.create("Task", Playbooks_Key__c="k")
    sandbox.delete("Task", first)
    second = api.upsert([{"Playbooks_Key__c": "k"}]).json()[0]
    assert (second["created"], second["id"] == first) == (True, False)
    assert sandbox.stats()["keys"] == {"k": 2}
    assert sandbox.stats()["duplicates"] == []


@pytest.mark.parametrize(
    ("rule", "row", "refused"),
    [
        ({"condition": {"field": "Subject", "contains": "secret"}}, {"Subject": "A SECRET call"}, True),
        ({"condition": {"field": "Subject", "contains": "secret"}}, {"Subject": "A call"}, False),
        ({"condition": {"field": "Description", "blank": True}, "field": "Description"}, {"Subject": "x"}, True),
        ({"condition": {"field": "Description", "blank": True}}, {"Description": "x"}, False),
        ({"condition": {"field": "Type", "equals": "call"}}, {"Type": "Call"}, True),
        ({"condition": {"field": "Type", "in": ["Call", "Email"]}}, {"Type": "email"}, True),
        ({"condition": {"field": "Subject", "starts_with": "re:"}}, {"Subject": "Re: you"}, True),
        ({"condition": {"field": "Subject", "longer_than": 3}}, {"Subject": "abcd"}, True),
        ({"condition": {"not": {"field": "IsClosed", "equals": True}}}, {"Status": "Completed"}, False),
        (
            {"condition": {"all": [{"field": "Type", "equals": "Call"}, {"field": "CallDisposition", "blank": True}]}},
            {"Type": "Call"},
            True,
        ),
        (
            {"condition": {"any": [{"field": "Type", "equals": "Call"}, {"field": "Type", "equals": "Email"}]}},
            {"Type": "Other"},
            False,
        ),
        ({"condition": {}, "active": False}, {"Subject": "x"}, False),
    ],
)
def test_validation_rules(
    sandbox: SandboxControl, api: Api, rule: dict[str, Any], row: dict[str, Any], refused: bool
) -> None:
    full = {"object": "Task", "name": "Rule", "message": "Say what was agreed.", **rule}
    sandbox.change_schema(validation_rules=[full])
    result = api.call("POST", "/composite/sobjects", collection([row])).json()[0]
    assert result["success"] is not refused
    if refused:
        fields = [rule["field"]] if "field" in rule else []
        assert row_error_of(result) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Say what was agreed.", fields)


def test_task_subtype_is_set_on_create_only(api: Api) -> None:
    refused = ("INVALID_FIELD_FOR_INSERT_UPDATE", ACCESS.format("TaskSubtype"), ["TaskSubtype"])
    row = {"Playbooks_Key__c": "k", "TaskSubtype": "Call"}
    created, again = (api.upsert([row]).json()[0] for _ in range(2))
    assert created["success"] is True
    assert row_error_of(again) == refused
    answer = api.call("PATCH", f"/sobjects/Task/{created['id']}", {"TaskSubtype": "Call"})
    assert error_of(answer) == (400, refused[0], refused[1])


@pytest.mark.parametrize(
    ("who", "what", "account"),
    [
        (None, "Opportunity", "Birchwood Lodges"),
        ("Contact", None, "Birchwood Lodges"),
        ("Contact", "Case", "Tidal Kayaks"),
        ("Lead", None, None),
        (None, None, None),
    ],
)
def test_the_account_follows_from_who_and_what(
    sandbox: SandboxControl, api: Api, who: str | None, what: str | None, account: str | None
) -> None:
    ids = {name: sandbox.rows(kind)[0]["Id"] for name, kind in (("WhoId", who), ("WhatId", what)) if kind}
    task = sandbox.row("Task", api.create("Task", **ids))
    names = {row["Id"]: row["Name"] for row in sandbox.rows("Account")}
    assert names.get(task["AccountId"]) == account


def test_shared_activities(sandbox: SandboxControl, api: Api, lead: str) -> None:
    contacts = [row["Id"] for row in sandbox.rows("Contact")]
    assert refusal(api, {"TaskWhoIds": contacts})[0] == "INVALID_FIELD"
    sandbox.change_schema(shared_activities=True)
    task = sandbox.row("Task", api.create("Task", TaskWhoIds=contacts))
    assert (task["WhoId"], task["TaskWhoIds"]) == (contacts[0], contacts)
    assert sandbox.row("Task", api.create("Task", WhoId=lead))["TaskWhoIds"] == [lead]
    assert refusal(api, {"TaskWhoIds": [lead, *contacts]})[0] == "FIELD_INTEGRITY_EXCEPTION"
    sandbox.change_schema(shared_activities=False)
    assert refusal(api, {"TaskWhoIds": contacts})[0] == "INVALID_FIELD"
