"""What errors mean, and where they are mended (M25)."""

import pytest

from sync.crm import classify
from sync.crm.remedies import _OURS, _REMEDIES, actor_of, remedy_for, speaker
from sync.enums import Actor, FailureMode

# The codes of docs/salesforce.md that a task can be refused with, in their modes.
SHOWN = [
    (FailureMode.CONFIGURATION, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    (FailureMode.CONFIGURATION, "REQUIRED_FIELD_MISSING"),
    (FailureMode.CONFIGURATION, "INVALID_FIELD"),
    (FailureMode.CONFIGURATION, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    (FailureMode.CONFIGURATION, "INVALID_TYPE"),
    (FailureMode.CONFIGURATION, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    (FailureMode.CONFIGURATION, "DUPLICATES_DETECTED"),
    (FailureMode.CONFIGURATION, "DUPLICATE_VALUE"),
    (FailureMode.PERMISSION, "INSUFFICIENT_ACCESS_OR_READONLY"),
    (FailureMode.PERMISSION, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
    (FailureMode.PERMISSION, "TXN_SECURITY_NO_ACCESS"),
    (FailureMode.PERMISSION, "INACTIVE_OWNER_OR_USER"),
    (FailureMode.OTHER, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
    (FailureMode.DATA, "STRING_TOO_LONG"),
    (FailureMode.DATA, "FIELD_INTEGRITY_EXCEPTION"),
    (FailureMode.DATA, "INVALID_CROSS_REFERENCE_KEY"),
    (FailureMode.DATA, "MALFORMED_ID"),
    (FailureMode.RELINK, "ENTITY_IS_DELETED"),
    (FailureMode.LIMIT, "REQUEST_LIMIT_EXCEEDED"),
    (FailureMode.LIMIT, "STORAGE_LIMIT_EXCEEDED"),
    (FailureMode.TRANSIENT, "UNABLE_TO_LOCK_ROW"),
]


def general(mode: FailureMode) -> object:
    return remedy_for(mode, "A_CODE_THAT_NOBODY_KNOWS", "")


@pytest.mark.parametrize(("mode", "code"), SHOWN)
def test_m25_each_known_code_says_more_than_its_mode(mode: FailureMode, code: str) -> None:
    remedy = remedy_for(mode, code, "")
    assert str(remedy.meaning) != ""
    assert str(remedy.remedy) != ""
    assert code == "REQUEST_LIMIT_EXCEEDED" or remedy != general(mode)


@pytest.mark.parametrize("mode", FailureMode)
def test_m25_each_mode_explains_codes_that_nobody_knows(mode: FailureMode) -> None:
    remedy = remedy_for(mode, "A_CODE_THAT_NOBODY_KNOWS", "")
    assert str(remedy.meaning) != ""
    assert str(remedy.remedy) != ""


@pytest.mark.parametrize(
    ("mode", "code", "message", "meaning"),
    [
        (
            "limit",
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
            "Your org has used up its API calls of the last 24 hours. All integrations of the org share them.",
        ),
        (
            "limit",
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
            "Too many long requests ran in your org at the same time.",
        ),
        (
            "transient",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "TaskTrigger: execution of BeforeInsert caused by: UNABLE_TO_LOCK_ROW",
            "The CRM was busy or out of reach for a moment.",
        ),
        (
            "too_big",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "TaskTrigger: System.LimitException: Too many SOQL queries: 101",
            "Your org's own triggers can't cope with so many Tasks at once, and with this one not even alone.",
        ),
        (
            "permission",
            "INSUFFICIENT_ACCESS",
            "",
            "The Access User may not edit this Task or the record that it belongs to.",
        ),
        ("", "", "", "Playbooks doesn't know this error. Its words are the CRM's own."),
        ("no-such-mode", "X", "", "Playbooks doesn't know this error. Its words are the CRM's own."),
    ],
)
def test_m25_the_message_and_the_mode_decide_where_one_code_means_two_things(
    mode: str, code: str, message: str, meaning: str
) -> None:
    assert str(remedy_for(mode, code, message).meaning) == meaning


def test_every_code_of_the_gateways_table_that_can_refuse_a_row_has_words_of_its_own() -> None:
    refusing = {FailureMode.PERMISSION, FailureMode.CONFIGURATION, FailureMode.DATA, FailureMode.RELINK}
    codes = {code for code, mode in classify._CODES.items() if mode in refusing}
    assert codes - set(_REMEDIES) == set()


@pytest.mark.parametrize(
    ("mode", "actor"),
    [("data", Actor.REP), ("configuration", Actor.ADMIN), ("transient", Actor.NOBODY), ("", Actor.ADMIN)],
)
def test_m25_who_can_mend_it(mode: str, actor: Actor) -> None:
    assert actor_of(mode) == actor


def test_whose_words_a_code_is() -> None:
    assert [str(speaker(code)) for code in ("RECORD_NOT_FOUND", "STRING_TOO_LONG")] == [
        "Playbooks says",
        "The CRM says",
    ]
    assert not {code for _mode, code in SHOWN} & _OURS
