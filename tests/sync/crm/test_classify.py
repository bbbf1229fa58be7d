"""Salesforce's error codes, by who acts next (M25)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.crm.classify import classify
from sync.enums import FailureMode as Mode

CODES: list[tuple[str, Mode]] = [
    ("UNABLE_TO_LOCK_ROW", Mode.TRANSIENT),
    ("SERVER_UNAVAILABLE", Mode.TRANSIENT),
    ("QUERY_TIMEOUT", Mode.TRANSIENT),
    ("UNKNOWN_EXCEPTION", Mode.TRANSIENT),
    ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", Mode.TRANSIENT),
    ("ALL_OR_NONE_OPERATION_ROLLED_BACK", Mode.FREE),
    ("PROCESSING_HALTED", Mode.FREE),
    ("REQUEST_LIMIT_EXCEEDED", Mode.LIMIT),
    ("LIMIT_EXCEEDED", Mode.LIMIT),
    ("EXCEEDED_ID_LIMIT", Mode.LIMIT),
    ("STORAGE_LIMIT_EXCEEDED", Mode.LIMIT),
    ("INVALID_SESSION_ID", Mode.SESSION),
    ("Bad_OAuth_Token", Mode.SESSION),
    ("invalid_token", Mode.SESSION),
    ("invalid_grant", Mode.CONNECTION),
    ("inactive_user", Mode.CONNECTION),
    ("invalid_client", Mode.CONNECTION),
    ("invalid_client_id", Mode.CONNECTION),
    ("API_CURRENTLY_DISABLED", Mode.CONNECTION),
    ("API_DISABLED_FOR_ORG", Mode.CONNECTION),
    ("INSUFFICIENT_ACCESS", Mode.PERMISSION),
    ("INSUFFICIENT_ACCESS_OR_READONLY", Mode.PERMISSION),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", Mode.PERMISSION),
    ("TXN_SECURITY_NO_ACCESS", Mode.PERMISSION),
    ("INACTIVE_OWNER_OR_USER", Mode.PERMISSION),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", Mode.CONFIGURATION),
    ("REQUIRED_FIELD_MISSING", Mode.CONFIGURATION),
    ("INVALID_FIELD", Mode.CONFIGURATION),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", Mode.CONFIGURATION),
    ("INVALID_TYPE", Mode.CONFIGURATION),
    ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", Mode.CONFIGURATION),
    ("DUPLICATES_DETECTED", Mode.CONFIGURATION),
    ("STRING_TOO_LONG", Mode.DATA),
    ("FIELD_INTEGRITY_EXCEPTION", Mode.DATA),
    ("INVALID_CROSS_REFERENCE_KEY", Mode.DATA),
    ("MALFORMED_ID", Mode.DATA),
    ("ENTITY_IS_DELETED", Mode.RELINK),
    ("CANNOT_UPDATE_CONVERTED_LEAD", Mode.RELINK),
    ("SOMETHING_NEW", Mode.OTHER),
    ("", Mode.OTHER),
]


@pytest.mark.parametrize(("code", "mode"), CODES)
def test_m25_a_code_has_a_class(code: str, mode: Mode) -> None:
    assert classify(code, "whatever Salesforce wrote") == mode


def trigger(message: str) -> str:
    return f"TaskTrigger: execution of BeforeInsert caused by: System.DmlException: {message}"


@pytest.mark.parametrize("code", ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER"])
@pytest.mark.parametrize(
    ("message", "mode"),
    [
        (trigger("first error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"), Mode.TRANSIENT),
        (trigger("QUERY_TIMEOUT, Your query request was running for too long."), Mode.TRANSIENT),
        (trigger("System.LimitException: Too many SOQL queries: 101"), Mode.TOO_BIG),
        (trigger("Too many DML statements: 151"), Mode.TOO_BIG),
        (trigger("Too many query rows: 50001"), Mode.TOO_BIG),
        (trigger("Apex CPU time limit exceeded"), Mode.TOO_BIG),
        (trigger("Apex heap size too large: 6054023"), Mode.TOO_BIG),
        (trigger("System.NullPointerException: Attempt to de-reference a null object"), Mode.OTHER),
        (trigger("ENTITY_IS_DELETED, entity is deleted"), Mode.OTHER),
    ],
)
def test_the_org_s_own_automation_is_judged_by_what_its_message_holds(code: str, message: str, mode: Mode) -> None:
    assert classify(code, message) == mode


def test_a_limit_can_hide_in_an_unknown_exception() -> None:
    assert classify("UNKNOWN_EXCEPTION", "System.LimitException: Too many SOQL queries: 101") == Mode.TOO_BIG


def test_a_rule_that_speaks_of_limits_is_still_a_rule() -> None:
    message = "Too many SOQL queries in the description, says our rule."
    assert classify("FIELD_CUSTOM_VALIDATION_EXCEPTION", message) == Mode.CONFIGURATION


DUPLICATE = "duplicate value found: {} duplicates value on record with id: 00T5e00000AbCdE"


@pytest.mark.parametrize(
    ("message", "fields", "mode"),
    [
        (DUPLICATE.format("Playbooks_Key__c"), (), Mode.DONE_ALREADY),
        ("duplicate value found", ("Playbooks_Key__c",), Mode.DONE_ALREADY),
        (DUPLICATE.format("Invoice_Number__c"), (), Mode.CONFIGURATION),
        ("duplicate value found: <unknown> duplicates value on record with id: <unknown>", (), Mode.CONFIGURATION),
    ],
)
def test_b1_only_a_duplicate_of_our_own_key_is_success(message: str, fields: tuple[str, ...], mode: Mode) -> None:
    assert classify("DUPLICATE_VALUE", message, fields=fields, key_field="Playbooks_Key__c") == mode


def test_b1_without_a_key_field_no_duplicate_is_ours() -> None:
    assert classify("DUPLICATE_VALUE", DUPLICATE.format("Playbooks_Key__c")) == Mode.CONFIGURATION


@pytest.mark.parametrize(
    ("status", "mode"),
    [
        (401, Mode.SESSION),
        (406, Mode.TRANSIENT),
        (420, Mode.TRANSIENT),
        (429, Mode.TRANSIENT),
        (500, Mode.TRANSIENT),
        (503, Mode.TRANSIENT),
        (400, Mode.OTHER),
        (403, Mode.OTHER),
        (404, Mode.OTHER),
    ],
)
def test_the_status_decides_only_where_the_code_is_unknown(status: int, mode: Mode) -> None:
    assert classify(f"HTTP_{status}", "", http_status=status) == mode
    assert classify("STRING_TOO_LONG", "", http_status=status) == Mode.DATA


def test_a_busy_log_in_is_not_a_lost_access_user() -> None:
    assert classify("invalid_grant", "login rate exceeded") == Mode.TRANSIENT


def test_a_key_field_that_vanished_is_a_matter_of_set_up() -> None:
    message = "Provided external ID field does not exist or is not accessible: Playbooks_Key__c"
    assert classify("NOT_FOUND", message, http_status=404) == Mode.CONFIGURATION
    assert classify("NOT_FOUND", "The requested resource does not exist", http_status=404) == Mode.OTHER


@given(code=st.text(), message=st.text(), status=st.none() | st.integers(0, 999))
def test_whatever_comes_has_a_class(code: str, message: str, status: int | None) -> None:
    assert classify(code, message, http_status=status) in Mode
