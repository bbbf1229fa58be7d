"""Salesforce's error codes, by who acts next. Pure; the table of docs/salesforce.md."""

import re

from sync.enums import FailureMode as Mode

_CODES: dict[str, Mode] = {
    **dict.fromkeys(
        (
            "UNABLE_TO_LOCK_ROW",
            "SERVER_UNAVAILABLE",
            "QUERY_TIMEOUT",
            "UNKNOWN_EXCEPTION",
            "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
            # The token endpoint's own words for "try again".
            "rate_limit_exceeded",
            "server_error",
            "temporarily_unavailable",
            "unknown_error",
        ),
        Mode.TRANSIENT,
    ),
    **dict.fromkeys(("ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"), Mode.FREE),
    **dict.fromkeys(
        ("REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "EXCEEDED_ID_LIMIT", "STORAGE_LIMIT_EXCEEDED"), Mode.LIMIT
    ),
    **dict.fromkeys(("INVALID_SESSION_ID", "Bad_OAuth_Token", "invalid_token"), Mode.SESSION),
    **dict.fromkeys(
        (
            "invalid_grant",
            "inactive_user",
            "inactive_org",
            "invalid_client",
            "invalid_client_id",
            "unauthorized_client",
            "invalid_app_access",
            "API_CURRENTLY_DISABLED",
            "API_DISABLED_FOR_ORG",
        ),
        Mode.CONNECTION,
    ),
    **dict.fromkeys(("TXN_SECURITY_NO_ACCESS", "INACTIVE_OWNER_OR_USER"), Mode.PERMISSION),
    **dict.fromkeys(
        (
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "REQUIRED_FIELD_MISSING",
            "INVALID_TYPE",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "DUPLICATES_DETECTED",
        ),
        Mode.CONFIGURATION,
    ),
    **dict.fromkeys(
        (
            "STRING_TOO_LONG",
            "FIELD_INTEGRITY_EXCEPTION",
            "INVALID_CROSS_REFERENCE_KEY",
            "MALFORMED_ID",
        ),
        Mode.DATA,
    ),
    **dict.fromkeys(("ENTITY_IS_DELETED", "CANNOT_UPDATE_CONVERTED_LEAD"), Mode.RELINK),
}
_PREFIXES = (("INSUFFICIENT_ACCESS", Mode.PERMISSION), ("INVALID_FIELD", Mode.CONFIGURATION))
_STATUSES = {401: Mode.SESSION, 406: Mode.TRANSIENT, 420: Mode.TRANSIENT, 429: Mode.TRANSIENT}

# The org's own triggers and flows: what went wrong in them stands in the message.
_AUTOMATION = ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER")
_NESTED_TRANSIENT = re.compile(
    r"UNABLE_TO_LOCK_ROW|SERVER_UNAVAILABLE|QUERY_TIMEOUT|INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
)
# Apex' governor limits, which count for all rows of a call together.
_APEX_LIMIT = re.compile(
    r"System\.LimitException|Too many (?:SOQL|DML|query|SOSL|queueable|future|callouts|script)"
    r"|CPU time limit exceeded|heap size too large",
    re.IGNORECASE,
)


def classify(
    code: str,
    message: str,
    *,
    http_status: int | None = None,
    fields: tuple[str, ...] = (),
    key_field: str = "",
) -> Mode:
    """Return who acts next on an error.

    `key_field` is the name of the field that carries our key: DUPLICATE_VALUE on it means that the row is in the CRM
    already. `http_status` decides only where the code is unknown. What nobody knows is OTHER.
    """
    if code == "DUPLICATE_VALUE":
        # Salesforce names the field in its sentence, and often leaves `fields` empty.
        own = key_field and (key_field in fields or key_field in message)
        return Mode.DONE_ALREADY if own else Mode.CONFIGURATION
    if code in _AUTOMATION or code == "UNKNOWN_EXCEPTION":
        if _APEX_LIMIT.search(message):
            return Mode.TOO_BIG
        if _NESTED_TRANSIENT.search(message):
            return Mode.TRANSIENT
    if code == "invalid_grant" and "login rate exceeded" in message.lower():
        return Mode.TRANSIENT
    if code == "NOT_FOUND" and "external id field" in message.lower():
        return Mode.CONFIGURATION  # the key field was removed or hidden since describe was read
    return _CODES.get(code) or _by_prefix(code) or _by_status(http_status)


def _by_prefix(code: str) -> Mode | None:
    return next((mode for prefix, mode in _PREFIXES if code.startswith(prefix)), None)


def _by_status(status: int | None) -> Mode:
    if status is not None and status >= 500:
        return Mode.TRANSIENT
    return _STATUSES.get(status or 0, Mode.OTHER)
