"""Each kind of secret and of content, as libraries and people write them into texts."""

import json
import sqlite3
import time
import traceback

import pytest
import requests
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sync.enums import FailureMode
from sync.errors import CrmError
from sync.redaction import REMOVED, describe, describe_traceback, redact

SESSION = "00D5g000004ABCDEAU!AQcAQH0dMHZfz972Szmpkb58urFRkgeBGsxL_QJWwYMfAbUeeG7c1E6LYUfiDUkWe6H34r1AAwOR8B8fLEz6n04N"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjbGllbnQiLCJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJl-_x"
FERNET = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"session {SESSION} used", f"session {REMOVED} used"),
        (f"sid={SESSION.replace('!', '%21')}", f"sid={REMOVED}"),
        (f"'Authorization': 'Bearer {SESSION}'", f"'Authorization': {REMOVED}"),
        ("Authorization: OAuth abcdefgh12345", f"Authorization: {REMOVED} {REMOVED}"),
        ("sent Bearer abcdefgh.12345~x+/= to it", f"sent Bearer {REMOVED} to it"),
        (f"assertion {JWT}.", f"assertion {REMOVED}."),
        (f"key {FERNET}", f"key {REMOVED}"),
        ("stored gAAAAABkZ2hqa2xtbm9wcXJzdHV2d3h5ejEyMzQ1Njc4OTA=", f"stored {REMOVED}"),
        ("5Aep861TSESvWeug_xvFHRBTTbf_YrTWgEyjBJrfOr4", REMOVED),
        ("with pbk_gNI6MFQYRGpTnARE8-nYOmaEA1NY-ejHUyTLK_KqlFU.", f"with {REMOVED}."),
        ("with whsec_a2tra2tra2tra2tra2tra2tra2tra2tr/+a=", f"with {REMOVED}"),
        ("postgres://me:s3cret@db:5432/x", f"postgres://{REMOVED}@db:5432/x"),
        ("redis://:s3cret@cache:6379/0", f"redis://{REMOVED}@cache:6379/0"),
        ("grant_type=x&client_secret=abc123&client_id=me", f"grant_type=x&client_secret={REMOVED}&client_id=me"),
        ('{"access_token": "abc", "id": 7}', f'{{"access_token": {REMOVED}, "id": 7}}'),
        ("{'client_secret': 'it\\'s', 'a': 1}", f"{{'client_secret': {REMOVED}, 'a': 1}}"),
        ("password=hunter2 user=me", f"password={REMOVED} user=me"),
        ("Set-Cookie: sessionid=abc; Path=/", f"Set-Cookie: {REMOVED}; Path=/"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\nabc\n-----END PRIVATE KEY----- and on", f"{REMOVED} and on"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE cut off", REMOVED),
        ('{"Subject": "Call with Ann", "Status": "Done"}', f'{{"Subject": {REMOVED}, "Status": "Done"}}'),
        (r'{"Description": "a \"quoted\" word", "X": 1}', f'{{"Description": {REMOVED}, "X": 1}}'),
        ("subject='Call with Ann' kind=call", f"subject={REMOVED} kind=call"),
        ("body=b'<html>private</html>'", f"body={REMOVED}"),
        ('{"LastName": "Meyer", "Email": "a@b.c"}', f'{{"LastName": {REMOVED}, "Email": {REMOVED}}}'),
        (
            'https://x:443 "GET /services/data/v62.0/query?q=SELECT+Id+WHERE+Email=a@b.c HTTP/1.1" 200',
            f'https://x:443 "GET /services/data/v62.0/query?{REMOVED} HTTP/1.1" 200',
        ),
        ("with url: /query?q=SELECT+Id+WHERE+Email='a@b.c' (tried)", f"with url: /query?{REMOVED} (tried)"),
        (
            "SALESFORCE_CLIENT_SECRET=abc123 x_password: 'a b'",
            f"SALESFORCE_CLIENT_SECRET={REMOVED} x_password: {REMOVED}",
        ),
    ],
)
def test_redact_takes_out(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("part", ["a.", "a-", "/", "https://", "a_", '"', "'", "subject=", "token ", "?", "/?"])
def test_redact_takes_time_in_proportion_to_the_text(part: str) -> None:
    def seconds(times: int) -> float:
        started = time.process_time()
        redact(part * times)
        return time.process_time() - started

    # Ten times the text takes about ten times as long; it was a hundred times where a pattern was quadratic.
    assert seconds(20_000) < 40 * max(min(seconds(2_000) for _ in range(3)), 0.001)


@pytest.mark.parametrize(
    "text",
    [
        "task written",
        "Cluster 3f2a9c0d1e2b was started in process group 4711.",
        "What happened? Nobody knows.",
        "00D5g000004ABCDEAU is the org, 00T5g00000AbCdEFGH the Task",
        "REQUEST_LIMIT_EXCEEDED after 3 attempts (HTTP 403)",
        "key 0f8fad5bd9cb469fa16570867728950e",
        "Set SECRET_KEY in the environment",
        "https://example.my.salesforce.com/services/data/v62.0/composite/sobjects",
    ],
)
def test_redact_leaves_alone(text: str) -> None:
    assert redact(text) == text


def test_redact_takes_out_what_it_is_told() -> None:
    assert redact("it was opaque-value here", ["opaque-value"]) == f"it was {REMOVED} here"


def test_redact_cuts_long_texts() -> None:
    assert redact("x" * 4010) == f"{'x' * 4000}… (10 more characters)"


def test_redact_of_a_printed_traceback_keeps_where_and_drops_what() -> None:
    """As django-q2 writes a failed job: message, then traceback, in one text."""
    content = "Call with Ann\nwas not\n  File 'x'"
    try:
        try:
            json.loads(content)
        except ValueError as error:
            raise RuntimeError(content) from error
    except RuntimeError as error:
        text = f"Failed 'sync.jobs.deliver' (nine-may) - {error} : {traceback.format_exc()}"
    told = redact(text)
    assert "Ann" not in told
    assert "was not" not in told
    assert told.startswith("Failed 'sync.jobs.deliver' (nine-may)\n  File ")
    assert "in test_redact_of_a_printed_traceback_keeps_where_and_drops_what" in told
    assert told.splitlines()[-1] == "RuntimeError"
    assert "json.decoder.JSONDecodeError" in told.splitlines()
    assert redact(text.partition(" - ")[2]) == told.partition("\n")[2]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("Call with Ann"), "ValueError"),
        (KeyError("Ann"), "KeyError"),
        (TypeError("f() takes 0 positional arguments"), "TypeError: f() takes 0 positional arguments"),
        (requests.ConnectionError("/query?q=Ann"), "requests.exceptions.ConnectionError"),
        (
            SalesforceMalformedRequest("https://x/?q=Ann", 400, "Task", b"Ann"),
            "simple_salesforce.exceptions.SalesforceMalformedRequest",
        ),
        (IntegrityError("Key (subject)=(Ann) already exists"), "django.db.utils.IntegrityError"),
        (OperationalError("database is locked"), "django.db.utils.OperationalError: database is locked"),
        (
            OperationalError("connection to postgres://me:s3cret@db failed\nDETAIL: Ann"),
            f"django.db.utils.OperationalError: connection to postgres://{REMOVED}@db failed",
        ),
        (ValidationError({"subject": "Ann is too long"}), "django.core.exceptions.ValidationError"),
        (CrmError(FailureMode.DATA, "STRING_TOO_LONG", "Subject: Ann"), "sync.errors.CrmError: STRING_TOO_LONG"),
    ],
)
def test_describe_keeps_harmless_messages_only(error: Exception, expected: str) -> None:
    assert describe(error) == expected


def test_describe_traceback_shows_the_chain_without_messages() -> None:
    def insert() -> None:
        database = sqlite3.connect(":memory:")
        try:
            database.execute("SELECT * FROM nowhere")
        except sqlite3.OperationalError as error:
            raise ValueError("Call with Ann") from error
        finally:
            database.close()

    with pytest.raises(ValueError, match="Ann") as caught:
        insert()
    lines = describe_traceback(caught.value).splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads == [
        "Traceback (most recent call last):",
        "sqlite3.OperationalError",
        "Which was the cause of:",
        "Traceback (most recent call last):",
        "ValueError",
    ]


def test_describe_traceback_ends_where_causes_go_in_a_circle() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert describe_traceback(first).count("ValueError") == 2


def test_redact_of_a_key_that_was_just_made() -> None:
    for _ in range(50):
        assert redact(f"[{Fernet.generate_key().decode()}]") == f"[{REMOVED}]"
