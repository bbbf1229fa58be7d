from typing import Any

import pytest

from sandbox.control import SandboxControl
from sandbox.ids import record_id
from tests.sandbox.api import Api, error_of

NOBODY = record_id("00T", 999_999)


def test_create_read_update_delete(api: Api, contact: str) -> None:
    answer = api.call("POST", "/sobjects/Task", {"Subject": "Call", "WhoId": contact[:15]})
    made = answer.json()
    assert (answer.status_code, made["success"], made["errors"]) == (201, True, [])
    assert answer.headers["Location"] == f"/services/data/v62.0/sobjects/Task/{made['id']}"

    task = api.get(f"/sobjects/Task/{made['id']}").json()
    assert (task["Subject"], task["WhoId"], task["Status"], task["Priority"]) == (
        "Call",
        contact,
        "Not Started",
        "Normal",
    )
    assert (task["IsClosed"], task["IsDeleted"], task["Description"]) == (False, False, None)
    assert task["CreatedDate"] == task["LastModifiedDate"] == task["SystemModstamp"]

    answer = api.call("PATCH", f"/sobjects/Task/{made['id'][:15]}", {"Status": "Completed"})
    assert (answer.status_code, answer.content) == (204, b"")
    fields = {"fields": "Status, IsClosed"}
    changed = api.get(f"/sobjects/Task/{made['id']}", params=fields).json()
    assert (set(changed), changed["Status"], changed["IsClosed"]) == (
        {"attributes", "Status", "IsClosed"},
        "Completed",
        True,
    )

    assert api.call("DELETE", f"/sobjects/Task/{made['id']}").status_code == 204
    assert error_of(api.get(f"/sobjects/Task/{made['id']}")) == (404, "ENTITY_IS_DELETED", "entity is deleted")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/sobjects/Task/{NOBODY}", 404, "NOT_FOUND"),
        ("PATCH", f"/sobjects/Task/{NOBODY}", 404, "INVALID_CROSS_REFERENCE_KEY"),
        ("DELETE", f"/sobjects/Task/{NOBODY}", 404, "INVALID_CROSS_REFERENCE_KEY"),
        ("GET", "/sobjects/Task/somebody", 404, "NOT_FOUND"),
        ("PATCH", "/sobjects/Task/somebody", 400, "MALFORMED_ID"),
        ("DELETE", f"/sobjects/Contact/{NOBODY}", 400, "MALFORMED_ID"),
        ("GET", "/sobjects/Nothing__c/1", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Task/Playbooks_Key__c/none", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Task/Subject/none", 404, "NOT_FOUND"),
        ("GET", "/wave/reports", 404, "NOT_FOUND"),
        ("PUT", f"/sobjects/Task/{NOBODY}", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/sobjects/Task", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/query", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_what_is_not_there(api: Api, method: str, path: str, status: int, code: str) -> None:
    assert error_of(api.call(method, path, {"Subject": "x"}))[:2] == (status, code)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_deleted_record_stays_deleted(sandbox: SandboxControl, api: Api, method: str) -> None:
    task = api.create("Task", Subject="Gone")
    sandbox.delete("Task", task)
    answer = api.call(method, f"/sobjects/Task/{task}", {"Subject": "Back"})
    assert error_of(answer) == (404, "ENTITY_IS_DELETED", "entity is deleted")


def test_upsert_by_external_id(api: Api) -> None:
    path = "/sobjects/Task/Playbooks_Key__c/Key%2F1"
    first = api.call("PATCH", path, {"Subject": "One"})
    second = api.call("PATCH", "/sobjects/Task/Playbooks_Key__c/KEY%2F1", {"Subject": "Two"})
    assert [(one.status_code, one.json()["created"]) for one in (first, second)] == [(201, True), (200, False)]
    assert first.json()["id"] == second.json()["id"]
    found = api.get(path).json()
    assert (found["Playbooks_Key__c"], found["Subject"]) == ("Key/1", "Two")
    assert api.call("DELETE", path).status_code == 204
    assert api.get(path).status_code == 404


def test_the_external_id_does_not_stand_in_the_body(api: Api) -> None:
    answer = api.call("PATCH", "/sobjects/Task/Playbooks_Key__c/k1", {"Playbooks_Key__c": "k1"})
    message = "The Playbooks_Key__c field should not be specified in the sobject data."
    assert error_of(answer) == (400, "INVALID_FIELD", message)


def test_several_matches_answer_300(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(fields=[{"object": "Task", "name": "Playbooks_Key__c", "unique": False}])
    ids = [api.create("Task", Subject="x", Playbooks_Key__c="same") for _ in range(2)]
    answer = api.call("PATCH", "/sobjects/Task/Playbooks_Key__c/same", {"Subject": "y"})
    assert (answer.status_code, answer.json()) == (300, [f"/services/data/v62.0/sobjects/Task/{one}" for one in ids])


@pytest.mark.parametrize(
    ("body", "code"), [("{", "JSON_PARSER_ERROR"), ("", "JSON_PARSER_ERROR"), ("[1]", "JSON_PARSER_ERROR")]
)
def test_a_body_that_is_no_object(api: Api, body: str, code: str) -> None:
    answer = api.session.post(f"{api.base}/sobjects/Task", data=body, timeout=10)
    assert error_of(answer)[:2] == (400, code)


@pytest.mark.parametrize("token", ["Bearer nonsense", "Basic abc", ""])
def test_no_session(api: Api, token: str) -> None:
    api.session.headers["Authorization"] = token
    answer = api.get("/limits")
    assert error_of(answer) == (401, "INVALID_SESSION_ID", "Session expired or invalid")
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=")


def test_limits_count_calls(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(limits={"daily_max": 1000, "daily_used": 400})
    answer = api.get("/limits")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=401/1000"
    assert answer.json()["DailyApiRequests"] == {"Max": 1000, "Remaining": 599}
    assert len(answer.headers["Sforce-Request-Id"]) == 32


def test_the_day_is_used_up(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(limits={"daily_max": 2})
    statuses = [api.get("/limits").status_code for _ in range(3)]
    assert statuses == [200, 200, 403]
    answer = api.get("/limits")
    assert error_of(answer) == (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=4/2"


PERMISSIONS: list[tuple[dict[str, bool], str, str]] = [
    ({"create": False}, "POST", "/sobjects/Task"),
    ({"edit": False}, "PATCH", "/sobjects/Task/{}"),
    ({"delete": False}, "DELETE", "/sobjects/Task/{}"),
]


@pytest.mark.parametrize(("permissions", "method", "path"), PERMISSIONS)
def test_the_access_users_permissions(
    sandbox: SandboxControl, api: Api, permissions: dict[str, bool], method: str, path: str
) -> None:
    task = api.create("Task", Subject="x")
    sandbox.change_schema(permissions={"Task": permissions})
    answer = api.call(method, path.format(task), {"Subject": "y"})
    message = "insufficient access rights on object id"
    assert error_of(answer) == (400, "INSUFFICIENT_ACCESS_OR_READONLY", message)
    described = api.get("/sobjects/Task/describe").json()
    flag = {"create": "createable", "edit": "updateable", "delete": "deletable"}
    assert [described[flag[name]] for name in permissions] == [False]


def test_without_read_permission_there_is_no_such_object(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(permissions={"Case": {"read": False}})
    assert error_of(api.query("SELECT Id FROM Case"))[1] == "INVALID_TYPE"
    assert api.get("/sobjects/Case/describe").status_code == 404
    names: list[Any] = [one["name"] for one in api.get("/sobjects").json()["sobjects"]]
    assert "Case" not in names


def test_a_conditional_edit_is_refused_rather_than_made_without_its_condition(
    sandbox: SandboxControl, api: Api
) -> None:
    task = api.create("Task", Subject="Before")
    headers = {"If-Unmodified-Since": "Tue, 10 Aug 2010 00:00:00 GMT"}
    refused = (400, "INVALID_INPUT", "The header 'if-unmodified-since' is not supported")
    path = f"/sobjects/Task/{task}"
    assert error_of(api.call("PATCH", path, {"Subject": "After"}, headers=headers)) == refused
    part = {"method": "PATCH", "url": f"/services/data/v62.0{path}", "referenceId": "a", "httpHeaders": headers}
    answer = api.call("POST", "/composite", {"compositeRequest": [{**part, "body": {"Subject": "After"}}]}).json()
    assert answer["compositeResponse"][0]["body"][0]["errorCode"] == "INVALID_INPUT"
    assert sandbox.row("Task", task)["Subject"] == "Before"
