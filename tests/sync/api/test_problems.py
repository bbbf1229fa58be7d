"""Whatever goes wrong below /api/ is said as problem+json."""

import json
from typing import Any

import pytest
from django.test import Client

from sync.api import bodies, receiving
from sync.models import Task
from tests.people import People
from tests.sync.api.conftest import Dialer, call

pytestmark = pytest.mark.django_db

KEYS = {"type", "title", "status", "code", "detail"}


def problem(answer: Any) -> Any:
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() >= KEYS
    assert body["status"] == answer.status_code
    return body


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1", "/api/v1/", "/api/v1/tasks/", "/api/v1/tasks/5", "/api/v2/tasks", "/api/%ff\n"]
)
def test_unknown_addresses(client: Client, address: str) -> None:
    for method in ("get", "post", "delete"):
        assert problem(getattr(client, method)(address))["code"] == "not_found"


def test_other_methods(dialer: Dialer) -> None:
    for method in ("put", "patch", "delete", "options", "head"):
        answer = getattr(dialer.client, method)("/api/v1/tasks")
        assert answer.status_code == 405
        assert set(answer["Allow"].split(", ")) == {"GET", "POST"}
        if method != "head":
            assert problem(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b'{"key": "\xff"}', 400, "malformed"),
        (b"\xff\xfe{\x00}\x00", 400, "malformed"),
        (b"[NaN]", 400, "malformed"),
        (b'{"call": {"duration_seconds": -Infinity}}', 400, "malformed"),
        (b"[" + b"9" * 5000 + b"]", 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "malformed"),
        (b"[{},]", 400, "malformed"),
        (b"null", 422, "invalid"),
        (b'"text"', 422, "invalid"),
        (b"5", 422, "invalid"),
        (b"1e999", 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b"[" + b"{}," * 1000 + b"{}]", 413, "too_many_tasks"),
    ],
)
def test_bodies_that_make_no_sense(dialer: Dialer, body: bytes, status: int, code: str) -> None:
    answer = dialer.client.post("/api/v1/tasks", body, CONTENT_TYPE="application/json", content_type="application/json")
    assert answer.status_code == status, answer.content
    assert problem(answer)["code"] == code


def test_an_empty_list_is_no_error(dialer: Dialer) -> None:
    assert dialer.post([]) == []


def test_a_body_that_is_too_large(dialer: Dialer, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps(call(people.rep))
    monkeypatch.setattr(bodies, "MOST_BYTES", len(body))
    dialer.post(call(people.rep))
    answer = dialer.client.post("/api/v1/tasks", body + " ", content_type="application/json")
    assert problem(answer)["code"] == "content_too_large"
    # A header that says less than there is doesn't help.
    answer = dialer.client.post("/api/v1/tasks", body + " ", content_type="application/json", CONTENT_LENGTH="x")
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_kind(dialer: Dialer, kind: str) -> None:
    answer = dialer.client.post("/api/v1/tasks", b"{}", content_type=kind)
    assert problem(answer)["code"] == "unsupported_media_type"


def test_json_with_a_charset_is_json(dialer: Dialer, people: People) -> None:
    body = json.dumps(call(people.rep))
    answer = dialer.client.post("/api/v1/tasks", body, content_type="application/json; charset=utf-8")
    assert answer.status_code == 202


def test_an_error_nobody_expected(dialer: Dialer, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_found: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(receiving, "find_steps", fail)
    dialer.client.raise_request_exception = False
    answer = dialer.client.post("/api/v1/tasks", call(people.rep), content_type="application/json")
    assert problem(answer)["status"] == 500
    assert b"secret" not in answer.content
    assert not Task.objects.exists()


def test_errors_before_any_view(settings: Any) -> None:
    assert problem(Client(SERVER_NAME="evil.example").get("/api/v1/tasks"))["status"] == 400


def test_other_pages_keep_their_errors(client: Client) -> None:
    assert client.get("/apiary").headers["Content-Type"].startswith("text/html")
    assert client.get("/nowhere").headers["Content-Type"].startswith("text/html")
