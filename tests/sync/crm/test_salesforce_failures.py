"""Calls that fail: ended sessions, refusals, answers that never came."""

import secrets
import traceback
from dataclasses import replace
from typing import Any

import pytest

from sandbox.control import SandboxControl
from sync.crm.base import TaskRow, TaskSchema
from sync.crm.salesforce import SalesforceCrm
from sync.enums import FailureMode as Mode
from sync.enums import RecordKind
from tests.sync.crm.conftest import Answering, FixedTokens, Tokens, http
from tests.sync.crm.rows import KEY_FIELD, calls, failure_of, key, rows

# Sessions


def test_an_ended_session_is_renewed_and_the_call_made_once_more(
    crm: SalesforceCrm, tokens: Tokens, schema: TaskSchema, sandbox: SandboxControl
) -> None:
    sandbox.expire_sessions()
    assert crm.write_tasks(rows(1), schema).results[0].created
    assert tokens.renewed == 1
    assert sandbox.stats()["token_calls"] == 2


def test_who_we_are_survives_an_ended_session_too(crm: SalesforceCrm, tokens: Tokens, sandbox: SandboxControl) -> None:
    sandbox.expire_sessions()
    assert crm.access_user().name == "Playbooks Access User"
    assert tokens.renewed == 1


def test_a_session_that_ends_for_ever_is_renewed_once(
    crm: SalesforceCrm, tokens: Tokens, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("invalid_session", times=None)
    error = failure_of(crm.read_usage)
    assert (error.mode, error.code, error.http_status) == (Mode.SESSION, "INVALID_SESSION_ID", 401)
    assert tokens.renewed == 1
    assert calls(sandbox) == {"GET limits": 2}


# Failures of a whole call


@pytest.mark.parametrize(
    ("fault", "mode", "code", "status", "unknown"),
    [
        ({"kind": "drop_before_commit"}, Mode.TRANSIENT, "CONNECTION_LOST", None, True),
        ({"kind": "drop_after_commit"}, Mode.TRANSIENT, "CONNECTION_LOST", None, True),
        ({"kind": "http_error", "status": 503}, Mode.TRANSIENT, "HTTP_503", 503, True),
        ({"kind": "http_error", "status": 500, "body": "<html/>"}, Mode.TRANSIENT, "HTTP_500", 500, True),
        (
            {"kind": "http_error", "status": 200, "body": "<html/>"},
            Mode.TRANSIENT,
            "UNREADABLE_ANSWER",
            200,
            True,
        ),
        ({"kind": "http_error", "status": 200, "body": ""}, Mode.TRANSIENT, "UNREADABLE_ANSWER", 200, True),
        ({"kind": "http_error", "status": 200, "body": "7"}, Mode.TRANSIENT, "UNREADABLE_ANSWER", 200, True),
        (
            {"kind": "http_error", "status": 200, "body": {"a": 1}},
            Mode.TRANSIENT,
            "UNREADABLE_ANSWER",
            200,
            True,
        ),
        ({"kind": "http_error", "status": 204, "body": ""}, Mode.TRANSIENT, "UNREADABLE_ANSWER", 204, True),
        ({"kind": "http_error", "status": 429, "body": "<html/>"}, Mode.TRANSIENT, "HTTP_429", 429, False),
        ({"kind": "http_error", "status": 406, "body": ""}, Mode.TRANSIENT, "HTTP_406", 406, False),
        ({"kind": "http_error", "status": 420, "body": ""}, Mode.TRANSIENT, "HTTP_420", 420, False),
        ({"kind": "http_error", "status": 403, "body": "<html/>"}, Mode.OTHER, "HTTP_403", 403, False),
        ({"kind": "limit_day"}, Mode.LIMIT, "REQUEST_LIMIT_EXCEEDED", 403, False),
        ({"kind": "limit_concurrent"}, Mode.LIMIT, "REQUEST_LIMIT_EXCEEDED", 403, False),
        ({"kind": "api_disabled"}, Mode.CONNECTION, "API_DISABLED_FOR_ORG", 403, False),
        ({"kind": "poison", "contains": "Task"}, Mode.TRANSIENT, "UNKNOWN_EXCEPTION", 500, True),
    ],
    ids=lambda value: "-".join(str(part) for part in value.values()) if isinstance(value, dict) else None,
)
def test_b1_a_call_that_fails_says_whether_it_may_have_been_carried_out(
    crm: SalesforceCrm,
    schema: TaskSchema,
    sandbox: SandboxControl,
    fault: dict[str, Any],
    mode: Mode,
    code: str,
    status: int | None,
    unknown: bool,
) -> None:
    sandbox.add_fault(**fault)
    before = sandbox.stats()["api_calls"]
    error = failure_of(lambda: crm.write_tasks(rows(2), schema))
    assert (error.mode, error.code, error.http_status, error.outcome_unknown) == (mode, code, status, unknown)
    assert bool(error.request_id) is (status is not None)
    assert sandbox.stats()["api_calls"] - before == 1  # nothing below the outbox tries again


def test_b1_a_late_answer_leaves_the_outcome_open(tokens: Tokens, schema: TaskSchema, sandbox: SandboxControl) -> None:
    sandbox.add_fault("answer_late", ms=1500, match={"method": "PATCH"}, times=1)
    hasty = SalesforceCrm(tokens, "62.0", timeout=0.3)
    error = failure_of(lambda: hasty.write_tasks(rows(1), schema))
    hasty.close()
    assert (error.code, error.outcome_unknown) == ("TIMEOUT", True)
    assert sandbox.stats()["rows"]["Task"] == 1


def test_m21_the_request_id_is_kept_of_a_refusal(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    sandbox.add_fault("limit_day", times=1)
    error = failure_of(crm.read_usage)
    assert error.request_id == sandbox.requests()[-1]["request_id"]
    assert error.message == "TotalRequests Limit exceeded."


def test_m7_a_field_that_the_org_lacks_refuses_in_salesforce_s_words(
    crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(fields=[{"object": "Task", "name": KEY_FIELD, "removed": True}])
    error = failure_of(lambda: crm.write_tasks(rows(1), schema))
    assert (error.mode, error.code, error.outcome_unknown) == (Mode.CONFIGURATION, "NOT_FOUND", False)


def test_a_page_without_end_is_left(answering: Answering) -> None:
    page = b'{"done": false, "records": [], "nextRecordsUrl": "/services/data/v62.0/query/01g"}'
    url = answering(http(200, page, "Content-Type: application/json"))
    crm = SalesforceCrm(FixedTokens(url), "62.0", 5)
    crm._describes["Account"] = {"fields": [{"name": "Id", "nameField": False, "custom": False, "type": "id"}]}
    error = failure_of(lambda: crm.fetch_records(RecordKind.ACCOUNT, ["001000000000000AAA"]))
    crm.close()
    assert error.code == "TOO_MANY_PAGES"


def test_pages_are_read_to_their_end(crm: SalesforceCrm, schema: TaskSchema, sandbox: SandboxControl) -> None:
    sandbox.add_all("Task", [{"Subject": "many", KEY_FIELD: key(1)} for _ in range(2500)])
    found = crm.find_tasks([key(1)], schema, [])
    assert len({task.crm_id for task in found[key(1)]}) == 2500


def test_the_address_moves_with_the_token(crm: SalesforceCrm, tokens: Tokens, sandbox: SandboxControl) -> None:
    crm.read_usage()
    moved = sandbox.url.replace("127.0.0.1", "localhost")
    tokens.token = replace(tokens.token, number=9, instance_url=moved)
    crm.read_usage()
    assert calls(sandbox) == {"GET limits": 2}


def test_no_token_address_or_content_stands_in_an_error(
    crm: SalesforceCrm, tokens: Tokens, schema: TaskSchema, sandbox: SandboxControl
) -> None:
    content = secrets.token_hex()
    sandbox.add_fault("http_error", status=400, body=[{"errorCode": "INVALID_FIELD", "message": content}])
    error = failure_of(lambda: crm.write_tasks([TaskRow(key(1), {"Subject": content})], schema))
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(tokens.token)
    assert error.message == content  # for the log of the task, where it belongs
    for secret in (content, tokens.token.access_token, sandbox.url.rpartition(":")[2] + "/"):
        assert secret not in told
