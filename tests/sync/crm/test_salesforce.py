"""The gateway against the sandbox, over HTTP."""

from dataclasses import replace

import pytest

from sandbox.control import SandboxControl
from sync.crm.base import RowResult, TaskRow, TaskSchema, Usage
from sync.crm.salesforce import SalesforceCrm
from sync.crm.task_fields import SLOT_FIELDS
from sync.enums import FailureMode as Mode
from sync.enums import RecordKind, Slot
from tests.sync.crm.rows import KEY_FIELD, calls, failure_of, key, rows

# Who we are and what we may do


def test_the_access_user_is_named_with_long_ids(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    user = crm.access_user()
    row = sandbox.rows("User")[0]
    assert (user.user_id, user.username, user.name) == (row["Id"], row["Username"], "Playbooks Access User")
    assert user.org_id == sandbox.rows("Organization")[0]["Id"]


def test_m7_the_schema_is_read_in_two_calls(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    schema = crm.task_schema()
    assert calls(sandbox) == {"GET sobjects/Task/describe": 1, "GET queryAll": 1}
    assert (schema.has_key, schema.missing, schema.closed_status) == (True, (), "Completed")
    assert {slot: each.name for slot, each in schema.fields.items()} == SLOT_FIELDS


def test_m7_a_changed_schema_is_seen(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    crm.task_schema()
    sandbox.change_schema(fields=[{"object": "Task", "name": "Play_Name__c", "hidden": True}])
    assert crm.task_schema().missing == (Slot.PLAY_NAME,)


def test_an_org_without_a_closed_status_is_told(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    for row in sandbox.rows("TaskStatus"):
        sandbox.edit("TaskStatus", row["Id"], {"IsClosed": False})
    error = failure_of(crm.task_schema)
    assert (error.mode, error.code) == (Mode.CONFIGURATION, "NO_CLOSED_STATUS")


def test_access_is_told_for_every_object(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    sandbox.change_schema(
        permissions={"Lead": {"read": False}, "Task": {"edit": False}},
        fields=[
            {"object": "Task", "name": KEY_FIELD, "unique": False},
            {"object": "Contact", "name": "Email", "hidden": True},
        ],
    )
    access = {each.name: each for each in crm.object_access()}
    assert list(access) == ["Account", "Contact", "Lead", "Opportunity", "Case", "Task"]
    assert not access["Lead"].readable
    assert access["Contact"].missing_fields == ("Email",)
    assert access["Task"].missing_fields == (KEY_FIELD,)
    assert (access["Task"].readable, access["Task"].createable, access["Task"].updateable) == (True, True, False)
    assert "Subject" in access["Task"].writable_fields


def test_b3_usage_is_read_and_kept_from_every_answer(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    usage = crm.read_usage()
    assert (usage, crm.usage) == (Usage(1, 100_000), Usage(1, 100_000))
    sandbox.add_fault("limit_day", times=1)
    failure_of(crm.read_usage)
    assert crm.usage == Usage(2, 100_000)


# Writing


def test_b3_two_hundred_tasks_are_one_call(crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl) -> None:
    before = sandbox.stats()["api_calls"]
    answer = crm.write_tasks(rows(200), schema)
    stored = {row[KEY_FIELD]: row["Id"] for row in sandbox.rows("Task")}
    assert [result.crm_id for result in answer.results] == [stored[key(n)] for n in range(200)]
    assert all(result.created for result in answer.results)
    assert (answer.http_status, answer.usage) == (200, crm.usage)
    assert sandbox.stats()["api_calls"] - before == 1
    assert answer.request_id == sandbox.requests()[-1]["request_id"]


def test_b1_writing_twice_makes_no_second_task(crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl) -> None:
    first, second = (crm.write_tasks(rows(3), schema) for _ in range(2))
    assert [each.crm_id for each in first.results] == [each.crm_id for each in second.results]
    assert [each.created for each in second.results] == [False] * 3
    assert sandbox.stats()["rows"]["Task"] == 3


def test_m21_every_row_has_its_own_answer(crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl) -> None:
    good, bad, other = rows(3)
    answer = crm.write_tasks([good, replace(bad, fields={**bad.fields, "Subject": "x" * 256}), other], schema)
    assert [result.error is None for result in answer.results] == [True, False, True]
    error = answer.results[1].error
    assert error is not None
    assert (error.mode, error.code, error.fields) == (Mode.DATA, "STRING_TOO_LONG", ("Subject",))
    assert answer.results[1].crm_id == ""
    assert sandbox.stats()["rows"]["Task"] == 2


def test_without_a_key_field_tasks_are_created(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    sandbox.change_schema(fields=[{"object": "Task", "name": KEY_FIELD, "removed": True}])
    schema = crm.task_schema()
    assert (schema.has_key, schema.key_fallback) == (False, Slot.CALL_OBJECT)
    written = crm.write_tasks([TaskRow(key(1), {"Subject": "x", "CallObject": key(1)})], schema)
    assert (written.results[0].created, calls(sandbox)["POST composite/sobjects"]) == (True, 1)
    found = crm.find_tasks([key(1), key(2)], schema, ["Subject"])
    assert [task.crm_id for task in found[key(1)]] == [written.results[0].crm_id]
    assert list(found) == [key(1)]


def test_create_only_fields_pass_at_first_and_are_refused_later(crm: SalesforceCrm, schema: TaskSchema) -> None:
    (row,) = rows(1, TaskSubtype="Call")
    assert crm.write_tasks([row], schema).results[0].error is None
    error = crm.write_tasks([row], schema).results[0].error
    assert error is not None
    assert (error.mode, error.code) == (Mode.CONFIGURATION, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_m6_tasks_are_updated_by_id(crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl) -> None:
    first, second = (result.crm_id for result in crm.write_tasks(rows(2), schema).results)
    sandbox.delete("Task", second)
    answer = crm.update_tasks(
        [TaskRow(key(0), {"Subject": "adopted"}, first), TaskRow(key(1), {"Subject": "adopted"}, second)]
    )
    assert answer.results[0] == RowResult(crm_id=first, created=False)
    assert sandbox.row("Task", first)["Subject"] == "adopted"
    error = answer.results[1].error
    assert error is not None
    assert (error.mode, error.code) == (Mode.RELINK, "ENTITY_IS_DELETED")


@pytest.mark.parametrize("count", [0, 201])
def test_a_batch_has_one_to_two_hundred_rows(
    crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl, count: int
) -> None:
    for call in (lambda: crm.write_tasks(rows(count), schema), lambda: crm.find_tasks([key(1)] * count, schema, [])):
        with pytest.raises(ValueError, match="One call takes"):
            call()
    assert sandbox.stats()["rows"]["Task"] == 0


def test_m25_a_row_that_fails_in_the_org_s_own_trigger_is_too_many(
    crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("trigger_limit", above=2)
    errors = [result.error for result in crm.write_tasks(rows(3), schema).results]
    assert [error and error.mode for error in errors] == [Mode.TOO_BIG] * 3


# Looking


def test_b1_two_hundred_keys_are_looked_up_in_one_call(
    crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl
) -> None:
    written = crm.write_tasks(rows(200), schema).results
    sandbox.delete("Task", written[1].crm_id)
    before = sandbox.stats()["api_calls"]
    fields = [name for slot, name in SLOT_FIELDS.items() if slot != Slot.KEY]
    found = crm.find_tasks([key(n) for n in range(200)], schema, fields)
    assert sandbox.stats()["api_calls"] - before == 1
    assert len(sandbox.requests()[-1]["path"]) < 16_000
    assert {each: tasks[0].crm_id for each, tasks in found.items()} == {key(n): written[n].crm_id for n in range(200)}
    assert [found[key(n)][0].is_deleted for n in range(3)] == [False, True, False]
    assert (found[key(5)][0].fields["Subject"], set(found[key(5)][0].fields)) == ("Task 5", set(fields))


def test_b1_every_match_of_a_key_is_found(crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl) -> None:
    ids = [sandbox.add("Task", {"Subject": "twice", KEY_FIELD: key(1)})["Id"] for _ in range(2)]
    found = crm.find_tasks([key(1)], schema, [])
    assert sorted(task.crm_id for task in found[key(1)]) == sorted(ids)


def test_an_org_with_no_field_for_a_key_is_told(crm: SalesforceCrm, schema: TaskSchema) -> None:
    error = failure_of(lambda: crm.find_tasks([key(1)], replace(schema, has_key=False), []))
    assert (error.mode, error.code) == (Mode.CONFIGURATION, "NO_KEY_FIELD")


def test_no_query_is_made_of_anything_but_letters_and_digits(crm: SalesforceCrm, schema: TaskSchema) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        crm.find_tasks(["' OR Id != '"], schema, [])


# Records


def test_m2_each_kind_of_record_is_read_by_id(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    (contact,) = [row for row in sandbox.rows("Contact") if row["LastName"] == "Novak"]
    (record,) = crm.fetch_records(RecordKind.CONTACT, [contact["Id"]])
    assert (record.kind, record.crm_id, record.name) == (RecordKind.CONTACT, contact["Id"], "Hana Novak")
    assert (record.owner_crm_id, record.account_crm_id) == (contact["OwnerId"], contact["AccountId"])
    assert (record.emails, record.phones) == (("hana.novak@birchwood.example",), ("+1 212 555 0141",))
    assert record.modified_at is not None
    for kind, name in (
        (RecordKind.ACCOUNT, "Account"),
        (RecordKind.LEAD, "Lead"),
        (RecordKind.OPPORTUNITY, "Opportunity"),
        (RecordKind.CASE, "Case"),
    ):
        ids = [row["Id"] for row in sandbox.rows(name)]
        assert sorted(each.crm_id for each in crm.fetch_records(kind, ids)) == sorted(ids)


def test_m10_deleted_records_are_marked_and_unknown_ones_left_out(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    deleted, alive = (row["Id"] for row in sandbox.rows("Account"))
    sandbox.delete("Account", deleted)
    records = crm.fetch_records(RecordKind.ACCOUNT, [deleted, alive, "001000000000000AAA"])
    assert {record.crm_id: record.is_deleted for record in records} == {deleted: True, alive: False}


def test_a_person_account_has_its_contact(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    contact = sandbox.rows("Contact")[0]["Id"]
    person = {
        "Name": "Ana Lopez",
        "PersonContactId": contact,
        "PersonEmail": "ana@example.com",
        "IsPersonAccount": True,
    }
    account = sandbox.add("Account", person)["Id"]
    (record,) = crm.fetch_records(RecordKind.ACCOUNT, [account])
    assert (record.person_contact_crm_id, record.emails) == (contact, ("ana@example.com",))


def test_b3_fields_are_asked_for_once_a_kind(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    ids = [row["Id"] for row in sandbox.rows("Account")]
    for _ in range(2):
        crm.fetch_records(RecordKind.ACCOUNT, ids)
    assert calls(sandbox) == {"GET sobjects/Account/describe": 1, "GET queryAll": 2}


def test_m7_a_field_that_vanishes_meanwhile_is_no_longer_asked_for(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    ids = [row["Id"] for row in sandbox.rows("Account")]
    crm.fetch_records(RecordKind.ACCOUNT, ids)
    sandbox.change_schema(fields=[{"object": "Account", "name": "Industry", "hidden": True}])
    records = crm.fetch_records(RecordKind.ACCOUNT, ids)
    assert ["Industry" in record.fields for record in records] == [False, False]


# Fields


def test_m7_a_schema_with_other_fields_and_without_some(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    sandbox.change_schema(fields=[{"object": "Task", "name": "Outcome__c", "length": 80}])
    names = {Slot.CALL_DISPOSITION: "Outcome__c", Slot.PLAY_STEP: "", Slot.PLAY_NAME: "Gone__c"}
    schema = crm.task_schema(names)
    assert (schema.fields[Slot.CALL_DISPOSITION].name, schema.fields[Slot.CALL_DISPOSITION].max_length) == (
        "Outcome__c",
        80,
    )
    assert (Slot.PLAY_STEP in schema.fields, schema.missing) == (False, (Slot.PLAY_NAME,))
    assert TaskSchema.from_json(schema.to_json()) == schema
    access = {each.name: each for each in crm.object_access(names)}["Task"]
    assert (access.missing_fields, "Outcome__c" in access.writable_fields) == (("Gone__c",), True)


def test_m7_all_fields_are_read_in_one_call_when_none_is_missing(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    before = sandbox.stats()["api_calls"]
    seen = crm.task_fields(["Play_Name__c"])
    crm.task_schema(anew=False)
    assert sandbox.stats()["api_calls"] - before == 2
    assert (seen.fields["Play_Name__c"].length, seen.hidden, seen.tells) == (255, (), False)


@pytest.mark.parametrize(("view_setup", "hidden"), [(True, ("Play_Name__c",)), (False, ())])
def test_m7_hidden_fields_are_told_where_the_access_user_may_know(
    crm: SalesforceCrm, sandbox: SandboxControl, view_setup: bool, hidden: tuple[str, ...]
) -> None:
    sandbox.change_schema(view_setup=view_setup, fields=[{"object": "Task", "name": "Play_Name__c", "hidden": True}])
    seen = crm.task_fields(["Play_Name__c", "Nowhere__c"])
    assert (seen.hidden, seen.tells) == (hidden, view_setup)


def test_m7_an_org_that_refuses_the_question_tells_nothing(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    sandbox.add_fault(
        "http_error",
        status=400,
        body=[{"errorCode": "INVALID_TYPE", "message": "not supported"}],
        match={"path": "/query"},
    )
    seen = crm.task_fields(["Nowhere__c"])
    assert (seen.hidden, seen.tells, len(seen.fields) > 10) == ((), False, True)
