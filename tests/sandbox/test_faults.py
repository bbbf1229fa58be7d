import time
from typing import Any

import pytest
import requests

from sandbox.control import ControlError, SandboxControl
from tests.sandbox.api import Api, ask_token, error_of, keyed, row_error_of

TOO_MANY = "TaskTrigger: System.LimitException: Too many SOQL queries: 101"


def dropped(call: Any) -> bool:
    """Whether the connection broke instead of an answer."""
    try:
        call()
    except requests.ConnectionError:
        return True
    return False


@pytest.mark.parametrize(("kind", "written"), [("drop_before_commit", 0), ("drop_after_commit", 2)])
def test_a_dropped_connection(sandbox: SandboxControl, api: Api, kind: str, written: int) -> None:
    sandbox.add_fault(kind, times=1)
    assert dropped(lambda: api.upsert(keyed(2))) is True
    assert sandbox.stats()["rows"]["Task"] == written
    assert sandbox.requests()[-1]["status"] == 0
    assert api.upsert(keyed(2)).status_code == 200
    assert sandbox.stats()["keys"] == {"key-0": 1, "key-1": 1}


def test_a_late_answer(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault("answer_late", ms=600, times=1)
    with pytest.raises(requests.Timeout):
        api.session.patch(f"{api.base}/sobjects/Task/Playbooks_Key__c/late", json={"Subject": "x"}, timeout=0.3)
    assert sandbox.stats()["keys"] == {"late": 1}


def test_latency_is_added(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault("latency", ms=200, match={"path": "/limits"})
    began = time.monotonic()
    assert api.get("/limits").status_code == 200
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "body", "written"),
    [
        ({"status": 503}, 503, None, "", 0),
        ({"status": 420, "body": "Slow down", "content_type": "text/plain"}, 420, "text/plain", "Slow down", 0),
        ({"status": 502, "body": "<h1>Bad</h1>"}, 502, "text/html;charset=UTF-8", "<h1>Bad</h1>", 0),
        (
            {"status": 200, "body": "<h1>Hm</h1>", "after_commit": True},
            200,
            "text/html;charset=UTF-8",
            "<h1>Hm</h1>",
            1,
        ),
        (
            {"status": 500, "body": [{"errorCode": "X"}]},
            500,
            "application/json;charset=UTF-8",
            '[{"errorCode":"X"}]',
            0,
        ),
    ],
)
def test_any_http_error(
    sandbox: SandboxControl,
    api: Api,
    fault: dict[str, Any],
    status: int,
    content_type: str | None,
    body: str,
    written: int,
) -> None:
    sandbox.add_fault("http_error", **fault)
    answer = api.upsert(keyed(1))
    assert (answer.status_code, answer.headers.get("Content-Type"), answer.text) == (status, content_type, body)
    assert sandbox.stats()["rows"]["Task"] == written
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/100000"


@pytest.mark.parametrize(
    ("kind", "status", "code", "message"),
    [
        ("api_disabled", 403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"),
        ("limit_day", 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        (
            "limit_concurrent",
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ),
    ],
)
def test_the_whole_call_is_refused(
    sandbox: SandboxControl, api: Api, kind: str, status: int, code: str, message: str
) -> None:
    fault = sandbox.add_fault(kind)
    for _ in range(2):
        assert error_of(api.upsert(keyed(1))) == (status, code, message)
    sandbox.remove_fault(fault["id"])
    assert api.upsert(keyed(1)).status_code == 200
    sandbox.add_fault(kind, code="OTHER", message="In other words")
    assert error_of(api.get("/limits")) == (status, "OTHER", "In other words")


def test_sessions_end_once(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault("invalid_session")
    assert error_of(api.get("/limits"))[:2] == (401, "INVALID_SESSION_ID")
    assert api.get("/limits").status_code == 401
    api.login()
    assert api.get("/limits").status_code == 200


@pytest.mark.parametrize(
    ("kind", "description"),
    [
        ("invalid_grant", "expired access/refresh token"),
        ("inactive_user", "user is inactive"),
        ("invalid_client", "invalid client credentials"),
    ],
)
def test_no_token(sandbox: SandboxControl, kind: str, description: str) -> None:
    sandbox.add_fault(kind, times=1)
    answer = ask_token(sandbox.url)
    assert (answer.status_code, answer.json()) == (400, {"error": kind, "error_description": description})
    assert ask_token(sandbox.url).status_code == 200


def test_a_poison_row_breaks_its_whole_call(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault("poison", contains="Call 2")
    assert error_of(api.upsert(keyed(3)))[:2] == (500, "UNKNOWN_EXCEPTION")
    assert sandbox.stats()["rows"]["Task"] == 0
    assert api.upsert(keyed(2)).status_code == 200


def test_triggers_break_above_a_number_of_rows(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault("trigger_limit", above=50)
    results = api.upsert(keyed(51)).json()
    assert {row_error_of(result)[:2] for result in results} == {("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", TOO_MANY)}
    assert [result["success"] for result in api.upsert(keyed(50)).json()] == [True] * 50


def test_locked_rows_are_drawn_from_a_seed(sandbox: SandboxControl, api: Api) -> None:
    drawn = []
    for _ in range(2):
        sandbox.reset()
        api.login()
        sandbox.add_fault("lock_row", probability=0.3, seed=7)
        results = api.upsert(keyed(100)).json()
        drawn.append([result["success"] for result in results])
    assert drawn[0] == drawn[1]
    assert 10 < drawn[0].count(False) < 50
    codes = {row_error_of(result)[0] for result in results if not result["success"]}
    assert codes == {"UNABLE_TO_LOCK_ROW"}


def test_rows_that_match_are_refused(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault(
        "row_error",
        statusCode="DUPLICATES_DETECTED",
        message="Use one of these records?",
        fields=["Subject"],
        match={"object": "Task", "row": {"field": "Subject", "equals": "Call 1"}},
    )
    first, second = api.upsert(keyed(2)).json()
    assert first["success"] is True
    assert row_error_of(second) == ("DUPLICATES_DETECTED", "Use one of these records?", ["Subject"])
    single = api.call("POST", "/sobjects/Task", {"Subject": "Call 1"})
    assert error_of(single) == (400, "DUPLICATES_DETECTED", "Use one of these records?")


def test_processing_halted(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault("processing_halted", times=2)
    results = api.upsert(keyed(3)).json()
    assert [row_error_of(result)[0] for result in results[:2]] == ["PROCESSING_HALTED"] * 2
    assert results[2]["success"] is True


def test_the_instance_moves(sandbox: SandboxControl, api: Api) -> None:
    moved = sandbox.add_fault("instance_url_moves")["instance_url"]
    assert moved != sandbox.url
    assert api.get("/limits").status_code == 401
    token = api.login()
    assert token["instance_url"] == moved
    assert api.get("/limits").status_code == 401
    assert api.session.get(f"{moved}/services/data/v62.0/limits", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("match", "fires"),
    [
        ({}, True),
        ({"method": "patch"}, True),
        ({"method": "POST"}, False),
        ({"path": "composite/sobjects/Task"}, True),
        ({"path": "/query"}, False),
        ({"object": "Task"}, True),
        ({"object": "Contact"}, False),
        ({"min_rows": 2}, True),
        ({"min_rows": 3}, False),
        ({"row": {"field": "Subject", "equals": "call 1"}}, True),
        ({"row": {"field": "Subject", "equals": "call 2"}}, False),
    ],
)
def test_what_a_fault_matches(sandbox: SandboxControl, api: Api, match: dict[str, Any], fires: bool) -> None:
    sandbox.add_fault("http_error", status=503, match=match)
    assert (api.upsert(keyed(2)).status_code == 503) is fires
    assert sandbox.faults()[0]["fired"] == int(fires)


def test_faults_leave_the_login_alone_unless_they_name_it(sandbox: SandboxControl) -> None:
    sandbox.add_fault("http_error", status=503)
    assert ask_token(sandbox.url).status_code == 200
    sandbox.add_fault("http_error", status=502, match={"path": "/services/oauth2/token"})
    assert ask_token(sandbox.url).status_code == 502


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "earthquake"}, "unknown kind 'earthquake'"),
        ({"kind": "latency", "match": {"colour": "red"}}, "unknown match colour"),
        ({"kind": "http_error", "stauts": 503}, "unknown parameter stauts of http_error"),
        ({"kind": "row_error", "match": {"row": {"field": "Subject", "rhymes": "x"}}}, "unknown test 'rhymes'"),
    ],
)
def test_a_fault_nobody_understands(sandbox: SandboxControl, fault: dict[str, Any], message: str) -> None:
    with pytest.raises(ControlError, match=message):
        sandbox.add_fault(**fault)
    assert sandbox.faults() == []
