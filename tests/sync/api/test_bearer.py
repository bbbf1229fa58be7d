"""Who is let in: a token of an active sender, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.models import ApiToken, Sender
from tests.people import People, logged_in
from tests.sync.api.conftest import Dialer, call

pytestmark = pytest.mark.django_db


def test_a_token_lets_in(dialer: Dialer) -> None:
    assert dialer.get() == {"items": [], "next": None}
    for words in (f"bearer {dialer.text}", f"Bearer  {dialer.text} "):
        assert Client(headers={"Authorization": words}).get("/api/v1/tasks").status_code == 200


@pytest.mark.parametrize(
    "words", ["", "Bearer", "Bearer ", "Bearer pbk_wrong", "Basic {token}", "{token}", "Bearer {token}x", "Bearer \xff"]
)
def test_anything_else_is_refused(dialer: Dialer, words: str) -> None:
    client = Client(headers={"Authorization": words.format(token=dialer.text)})
    for address in ("/api/v1/tasks", "/api/v1/tasks/00000000-0000-0000-0000-000000000000"):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
        assert answer["WWW-Authenticate"] == 'Bearer realm="Playbooks"'
        assert answer.json()["code"] == "unauthorized"
    assert client.post("/api/v1/tasks", "{", content_type="text/plain").status_code == 401


def _revoke(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())


def _expire(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())


def _switch_off(token: ApiToken) -> None:
    Sender.objects.filter(pk=token.sender_id).update(is_active=False)


@pytest.mark.parametrize("end", [_revoke, _expire, _switch_off])
def test_a_token_that_has_ended_is_refused_at_once(dialer: Dialer, end: Any) -> None:
    dialer.get()
    end(dialer.token)
    assert dialer.get(status=401)["code"] == "unauthorized"


def test_sessions_count_for_nothing(people: People) -> None:
    """So no page of another site can do anything with a browser that is logged in here."""
    client = logged_in(people.admin)
    assert client.get("/api/v1/tasks").status_code == 401
    answer = client.post("/api/v1/tasks", "{}", content_type="application/json")
    assert answer.status_code == 401
    assert not answer.cookies


def test_with_a_token_a_session_does_no_harm(dialer: Dialer, people: People) -> None:
    """Nobody is sent to set up a second factor, and no form's token is asked for."""
    dialer.client.force_login(people.admin)
    strict = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {dialer.text}"})
    strict.cookies = dialer.client.cookies
    answer = strict.post("/api/v1/tasks", call(people.rep), content_type="application/json")
    assert answer.status_code == 202
    assert "Set-Cookie" not in answer.headers


def test_the_last_use_is_written_once_a_minute(dialer: Dialer) -> None:
    now = timezone.now().replace(second=0)
    with time_machine.travel(now, tick=False) as moving:
        dialer.get()
        with CaptureQueriesContext(database) as queries:
            dialer.get()
        assert not any("UPDATE" in query["sql"] for query in queries)
        assert ApiToken.objects.get().last_used_at == now
        moving.shift(timedelta(seconds=61))
        dialer.get()
        assert ApiToken.objects.get().last_used_at == now + timedelta(seconds=61)
