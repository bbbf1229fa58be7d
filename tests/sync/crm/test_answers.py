"""Reading Salesforce's answers."""

import json
from typing import Any

import pytest

from sync.crm.answers import request_error, row_results, usage_of
from sync.crm.base import RowResult, Usage
from sync.enums import FailureMode
from sync.errors import CrmError, RowError

KEY = "Playbooks_Key__c"
ID_15, ID_18 = "00T5e00000AbCdE", "00T5e00000AbCdEEAV"


@pytest.mark.parametrize(
    ("status", "body", "code", "message", "fields"),
    [
        (
            400,
            b'[{"message": "No such column", "errorCode": "INVALID_FIELD", "fields": ["X__c"]}]',
            "INVALID_FIELD",
            "No such column",
            ("X__c",),
        ),
        (400, b'{"error": "invalid_grant", "error_description": "expired"}', "invalid_grant", "expired", ()),
        (403, b"Bad_OAuth_Token", "Bad_OAuth_Token", "Bad_OAuth_Token", ()),
        (503, b"<html>Oops</html>", "HTTP_503", "The CRM answered HTTP 503 without saying why.", ()),
        (420, b"", "HTTP_420", "The CRM answered HTTP 420 without saying why.", ()),
        (400, b"[]", "HTTP_400", "The CRM answered HTTP 400 without saying why.", ()),
        (400, b'[{"errorCode": null}]', "HTTP_400", "The CRM answered HTTP 400 without saying why.", ()),
        (400, b'["x"]', "HTTP_400", "The CRM answered HTTP 400 without saying why.", ()),
        (400, b"\xff\xfe", "HTTP_400", "The CRM answered HTTP 400 without saying why.", ()),
        (400, b'[{"errorCode": "X", "message": "a\\u0000b", "fields": null}]', "X", "a\ufffdb", ()),
    ],
)
def test_m21_the_crm_s_exact_words_are_kept(
    status: int, body: bytes, code: str, message: str, fields: tuple[str, ...]
) -> None:
    error = request_error(status, body, "request-1")
    assert (error.code, error.message, error.fields) == (code, message, fields)
    assert (error.http_status, error.request_id) == (status, "request-1")
    assert str(error) == code


@pytest.mark.parametrize(
    ("status", "unknown"),
    [(status, False) for status in (400, 401, 403, 404, 420, 429)]
    + [(status, True) for status in (408, 500, 502, 503, 504)],
)
def test_b1_only_a_status_that_is_no_refusal_leaves_the_outcome_open(status: int, unknown: bool) -> None:
    assert request_error(status, b"").outcome_unknown is unknown


def test_rows_are_answered_in_their_order() -> None:
    refusal = {"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [X]", "fields": ["X"]}
    data = [
        {"id": ID_15, "success": True, "errors": [], "created": True},
        {"success": False, "errors": [refusal]},
        {"id": ID_18, "success": True, "errors": [], "created": False},
        {"success": False, "errors": []},
        {"success": False, "errors": None},
    ]
    assert row_results(data, 5, 200, "r", key_field=KEY) == (
        RowResult(crm_id=ID_18, created=True),
        RowResult(
            error=RowError(
                FailureMode.CONFIGURATION, "REQUIRED_FIELD_MISSING", "Required fields are missing: [X]", ("X",)
            )
        ),
        RowResult(crm_id=ID_18, created=False),
        RowResult(error=RowError(FailureMode.OTHER, "NO_ERROR_CODE", "")),
        RowResult(error=RowError(FailureMode.OTHER, "NO_ERROR_CODE", "")),
    )


def test_a_create_s_rows_are_created_without_saying_so() -> None:
    data = [{"id": ID_18, "success": True, "errors": []}]
    assert row_results(data, 1, 201, "r", created=True) == (RowResult(crm_id=ID_18, created=True),)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        "ok",
        [],
        [{"id": ID_18, "success": True, "errors": []}] * 2,
        [{}],
        [None],
        [{"success": True, "errors": []}],
        [{"id": "no id", "success": True, "errors": []}],
        [{"id": None, "success": True, "errors": []}],
    ],
    ids=lambda data: json.dumps(data)[:40],
)
def test_b1_an_answer_that_does_not_fit_the_rows_leaves_the_outcome_open(data: Any) -> None:
    with pytest.raises(CrmError) as refusal:
        row_results(data, 1, 200, "request-1")
    error = refusal.value
    assert (error.code, error.mode, error.outcome_unknown) == ("UNREADABLE_ANSWER", FailureMode.TRANSIENT, True)
    assert (error.http_status, error.request_id) == (200, "request-1")


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)", Usage(25, 5000)),
        ("per-app-api-usage=17/250(appName=sample); api-usage=25/5000", Usage(25, 5000)),
        ("per-app-api-usage=17/250(appName=sample)", None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_b3_the_usage_header_is_read(header: str, usage: Usage | None) -> None:
    assert usage_of({"Sforce-Limit-Info": header}) == usage
