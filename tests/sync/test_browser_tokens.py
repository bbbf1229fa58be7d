"""A connection that was made in the browser renews by its refresh token: one process for all, the newest kept."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.db import connection as database

from sandbox.control import SandboxControl
from sync import connecting, tokens
from sync.crm import oauth
from sync.crm.oauth import Login, TokenAnswer
from sync.enums import AuthFlow, ConnectionState
from sync.errors import CrmError
from sync.models import Connection
from sync.tokens import StoredTokens
from teams.models import Role, User
from tests.sync.views.conftest import refresh_tokens_work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)


@pytest.fixture
def in_browser(connection: Connection, sandbox: SandboxControl) -> Connection:
    """The connection, as though it had been made in the browser."""
    Connection.objects.update(auth_flow=AuthFlow.WEB_SERVER, refresh_token=sandbox.refresh_token())
    return Connection.objects.get()


def renew(connection: Connection) -> None:
    source = StoredTokens(connection)
    source.renew(source.get())


def test_a_rotated_refresh_token_is_kept(in_browser: Connection, sandbox: SandboxControl) -> None:
    renew(in_browser)
    now = Connection.objects.get()
    assert (now.token_number, now.refresh_token == in_browser.refresh_token) == (in_browser.token_number + 1, False)
    renew(now)
    assert refresh_tokens_work(sandbox, Connection.objects.get().refresh_token)


def test_m23_a_lost_one_is_renewed_by_one_of_many(in_browser: Connection, sandbox: SandboxControl) -> None:
    in_browser.mark_disconnected("API_DISABLED_FOR_ORG", "off")
    calls = sandbox.stats()["token_calls"]

    # Each has seen it lost; whoever comes late finds what the first one got.
    seen_lost = [Connection.objects.get() for _ in range(4)]

    def attempt(number: int) -> bool:
        try:
            return connecting.reconnect(seen_lost[number])
        finally:
            database.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(attempt, range(4)))
    assert sandbox.stats()["token_calls"] - calls == 1
    now = Connection.objects.get()
    assert now.state == ConnectionState.CONNECTED
    assert refresh_tokens_work(sandbox, now.refresh_token)


def test_a_refused_refresh_token_marks_it_lost_once(in_browser: Connection, sandbox: SandboxControl) -> None:
    sandbox.expire_sessions(refresh_tokens=True)
    with pytest.raises(CrmError):
        renew(in_browser)
    now = Connection.objects.get()
    assert (now.state, now.error_code, now.disconnected_by) == (ConnectionState.DISCONNECTED, "invalid_grant", None)
    assert not connecting.reconnect(now)
    assert Connection.objects.get().token_lease_until is None


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen between the CRM's answer and its being kept."""
    real = oauth.request_token

    def ask(login: Login, timeout: float) -> TokenAnswer:
        try:
            return real(login, timeout)
        finally:
            happens()

    monkeypatch.setattr(tokens, "request_token", ask)


def test_a_token_that_comes_after_disconnecting_is_not_kept_but_revoked(
    in_browser: Connection, sandbox: SandboxControl, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: connecting.disconnect(Connection.objects.get(), admin))
    with pytest.raises(CrmError) as failure:
        renew(in_browser)
    assert failure.value.code == "DISCONNECTED"
    now = Connection.objects.get()
    assert (now.disconnected_by, now.access_token, now.refresh_token) == (admin, "", "")
    assert [each["path"] for each in sandbox.requests()][-1] == "/services/oauth2/revoke"


def test_the_end_of_an_older_log_in_says_nothing_of_the_newer_one(
    in_browser: Connection, sandbox: SandboxControl, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reconnects while another process is refused by the refresh token that this revoked."""
    sandbox.expire_sessions(refresh_tokens=True)

    def reconnected() -> Any:
        monkeypatch.undo()
        return connecting.connect()

    meanwhile(monkeypatch, reconnected)
    renew(in_browser)
    now = Connection.objects.get()
    assert (now.state, now.auth_flow) == (ConnectionState.CONNECTED, AuthFlow.CLIENT_CREDENTIALS)
    assert mail.outbox == []


def test_a_reconnection_that_ends_after_disconnecting_changes_nothing(
    in_browser: Connection, sandbox: SandboxControl, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_browser.mark_disconnected("API_DISABLED_FOR_ORG", "off")
    meanwhile(monkeypatch, lambda: connecting.disconnect(Connection.objects.get(), admin))
    assert not connecting.reconnect(in_browser)
    now = Connection.objects.get()
    assert (now.state, now.disconnected_by, now.refresh_token) == (ConnectionState.DISCONNECTED, admin, "")
