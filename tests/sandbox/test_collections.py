from threading import Thread
from typing import Any

import pytest

from sandbox.control import SandboxControl
from sandbox.ids import record_id
from tests.sandbox.api import Api, collection, error_of, keyed, row_error_of

ROLLED_BACK: tuple[str, str, list[str]] = (
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
    [],
)


def test_200_rows_are_one_call(sandbox: SandboxControl, api: Api) -> None:
    results = api.upsert(keyed(200)).json()
    assert [result["created"] for result in results] == [True] * 200
    assert [result["errors"] for result in results] == [[]] * 200
    keys = {row["Id"]: row["Playbooks_Key__c"] for row in sandbox.rows("Task")}
    assert [keys[result["id"]] for result in results] == [f"key-{number}" for number in range(200)]
    stats = sandbox.stats()
    assert (stats["api_calls"], stats["calls"]["PATCH composite/sobjects/Task"]) == (1, 1)


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("POST", "/composite/sobjects", {"body": collection(keyed(201))}),
        ("PATCH", "/composite/sobjects", {"body": collection(keyed(201))}),
        ("PATCH", "/composite/sobjects/Task/Playbooks_Key__c", {"body": collection(keyed(201))}),
        ("DELETE", "/composite/sobjects", {"params": {"ids": ",".join([record_id("00T", 1)] * 201)}}),
    ],
)
def test_201_rows_are_refused(
    sandbox: SandboxControl, api: Api, method: str, path: str, options: dict[str, Any]
) -> None:
    message = "record limit reached. cannot submit more than 200 records into this call"
    assert error_of(api.call(method, path, **options)) == (400, "EXCEEDED_ID_LIMIT", message)
    assert sandbox.stats()["rows"]["Task"] == 0


def test_one_row_fails_and_the_others_stay(sandbox: SandboxControl, api: Api) -> None:
    rows = keyed(3)
    rows[1]["Subject"] = "x" * 256
    first, second, third = api.upsert(rows).json()
    assert row_error_of(second)[0] == "STRING_TOO_LONG"
    assert (first["success"], third["success"]) == (True, True)
    assert sandbox.stats()["keys"] == {"key-0": 1, "key-2": 1}
    assert sandbox.stats()["rows_written"] == {"Task": 2}


def test_all_or_none_takes_everything_back(sandbox: SandboxControl, api: Api) -> None:
    api.upsert(keyed(1, Description="before"))
    rows = keyed(3, Description="after")
    rows[1]["Status"] = "Bogus"
    first, second, third = api.upsert(rows, all_or_none=True).json()
    assert row_error_of(second)[0] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert (row_error_of(first), row_error_of(third)) == (ROLLED_BACK, ROLLED_BACK)
    assert [row["Description"] for row in sandbox.rows("Task")] == ["before"]
    assert len(sandbox.commits()) == 1


def test_an_upsert_changes_what_it_finds(sandbox: SandboxControl, api: Api) -> None:
    made = api.upsert(keyed(2, Description="one")).json()
    again = api.upsert([*keyed(1, Description="two"), *keyed(1, prefix="new")]).json()
    assert [result["created"] for result in again] == [False, True]
    assert again[0]["id"] == made[0]["id"]
    assert [row.get("Description") for row in sandbox.rows("Task")] == ["two", "one", None]


def test_one_key_twice_in_a_call_fails_both_rows(sandbox: SandboxControl, api: Api) -> None:
    rows = [{"Playbooks_Key__c": "same"}, {"Playbooks_Key__c": "other"}, {"Playbooks_Key__c": "SAME"}]
    first, other, last = api.upsert(rows).json()
    assert row_error_of(first) == ("DUPLICATE_VALUE", "Duplicate external id specified: same", ["Playbooks_Key__c"])
    assert row_error_of(last)[0] == "DUPLICATE_VALUE"
    assert other["created"] is True
    assert sandbox.stats()["keys"] == {"other": 1}


def test_a_row_without_its_key(api: Api) -> None:
    results = api.upsert([{"Subject": "x"}, {"Playbooks_Key__c": ""}]).json()
    assert [row_error_of(result)[:2] for result in results] == [
        ("MISSING_ARGUMENT", "Playbooks_Key__c not specified")
    ] * 2


def test_an_upsert_by_a_field_that_several_rows_share(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(fields=[{"object": "Task", "name": "Playbooks_Key__c", "unique": False}])
    sandbox.add_all("Task", [{"Playbooks_Key__c": "same"}] * 2)
    (result,) = api.upsert([{"Playbooks_Key__c": "same"}]).json()
    assert row_error_of(result)[0] == "DUPLICATE_EXTERNAL_ID"


@pytest.mark.parametrize("field", ["Subject", "Nothing__c"])
def test_an_upsert_takes_an_external_id(api: Api, field: str) -> None:
    answer = api.call("PATCH", f"/composite/sobjects/Task/{field}", collection([{field: "x"}]))
    message = f"Provided external ID field does not exist or is not accessible: {field}"
    assert error_of(answer) == (404, "NOT_FOUND", message)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"attributes": {"type": "Nothing__c"}}], "INVALID_TYPE"),
        ([{"attributes": {"type": "Contact"}}], "INVALID_INPUT"),
        ([{"attributes": {}}], "INVALID_INPUT"),
        ([{"attributes": None}], "INVALID_INPUT"),
        (["row"], "JSON_PARSER_ERROR"),
        (None, "JSON_PARSER_ERROR"),
    ],
)
def test_a_malformed_upsert(api: Api, rows: Any, code: str) -> None:
    answer = api.call("PATCH", "/composite/sobjects/Task/Playbooks_Key__c", {"records": rows})
    assert error_of(answer)[:2] == (400, code)


def mixed(runs: int) -> dict[str, Any]:
    """That many runs of one type after another."""
    rows = []
    for number in range(runs):
        sobject = ("Account", "Contact")[number % 2]
        rows.append({"attributes": {"type": sobject}, ("Name", "LastName")[number % 2]: f"n{number}"})
    return {"records": rows}


def test_ten_chunks_pass_and_eleven_are_refused(sandbox: SandboxControl, api: Api) -> None:
    before = sandbox.stats()["rows"]["Account"]
    assert error_of(api.call("POST", "/composite/sobjects", mixed(11)))[:2] == (400, "LIMIT_EXCEEDED")
    assert sandbox.stats()["rows"]["Account"] == before
    results = api.call("POST", "/composite/sobjects", mixed(10)).json()
    assert [result["id"][:3] for result in results] == ["001", "003"] * 5


def test_updates(sandbox: SandboxControl, api: Api) -> None:
    ids = [result["id"] for result in api.upsert(keyed(3)).json()]
    sandbox.delete("Task", ids[2])
    rows = [
        {"Id": ids[0][:15], "Subject": "changed"},
        {"id": ids[1], "Status": "Bogus"},
        {"Id": ids[2], "Subject": "x"},
        {"Id": record_id("00T", 9999), "Subject": "x"},
        {"Id": record_id("003", 1), "Subject": "x"},
        {"Subject": "x"},
    ]
    results = api.call("PATCH", "/composite/sobjects", collection(rows)).json()
    assert results[0] == {"id": ids[0], "success": True, "errors": []}
    assert [row_error_of(result)[0] for result in results[1:]] == [
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
    ]
    assert [row["Subject"] for row in sandbox.rows("Task")] == ["changed", "Call 1", "Call 2"]


def test_one_id_twice_in_an_update(api: Api) -> None:
    task = api.create("Task", Subject="x")
    results = api.call("PATCH", "/composite/sobjects", collection([{"Id": task}, {"Id": task[:15]}])).json()
    assert [row_error_of(result)[:2] for result in results] == [
        ("DUPLICATE_VALUE", f"Duplicate id specified: {task}")
    ] * 2


def test_deletes(api: Api) -> None:
    ids = [result["id"] for result in api.upsert(keyed(2)).json()]
    answer = api.call("DELETE", "/composite/sobjects", params={"ids": f"{ids[0]},nonsense,{ids[1]},{ids[0]}"})
    first, wrong, second, again = answer.json()
    assert [first, second] == [{"id": one, "success": True, "errors": []} for one in ids]
    assert (row_error_of(wrong)[0], row_error_of(again)[0]) == ("MALFORMED_ID", "ENTITY_IS_DELETED")
    assert api.column("SELECT Id FROM Task") == []


def test_deletes_all_or_none(api: Api) -> None:
    task = api.create("Task", Subject="x")
    options = {"ids": f"{task},{record_id('00T', 9999)}", "allOrNone": "true"}
    results = api.call("DELETE", "/composite/sobjects", params=options).json()
    assert [row_error_of(result)[0] for result in results] == [ROLLED_BACK[0], "INVALID_CROSS_REFERENCE_KEY"]
    assert api.column("SELECT Id FROM Task") == [task]


def test_many_records_are_read_at_once(api: Api) -> None:
    task = api.create("Task", Subject="x")
    missing = record_id("00T", 9999)
    by_post = api.call("POST", "/composite/sobjects/Task", {"ids": [task, missing], "fields": ["Subject"]}).json()
    by_get = api.get("/composite/sobjects/Task", params={"ids": f"{task},{missing}", "fields": "Subject"}).json()
    assert by_post == by_get
    assert (by_post[0]["Subject"], by_post[1]) == ("x", None)


def test_upserts_of_the_same_keys_at_once_make_each_task_once(sandbox: SandboxControl) -> None:
    clients = [Api(sandbox.url) for _ in range(4)]
    answers: list[Any] = []
    threads = [
        Thread(target=lambda client=client: answers.append(client.upsert(keyed(100)).json())) for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    created = [sum(result["created"] for result in answer) for answer in answers]
    assert sorted(created) == [0, 0, 0, 100]
    stats = sandbox.stats()
    assert (stats["rows"]["Task"], stats["duplicates"], set(stats["keys"].values())) == (100, [], {1})
