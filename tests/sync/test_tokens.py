"""One token for all processes: one renews it, the others wait (M23)."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection as database
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from sandbox.control import SandboxControl
from sync import tokens as tokens_module
from sync.connecting import forget_gateways, gateway
from sync.crm.base import Usage
from sync.crm.oauth import Token
from sync.enums import ConnectionState, FailureMode
from sync.errors import CrmError
from sync.models import Connection
from sync.tokens import StoredTokens
from teams.models import Role, User

# Transactions as in production: what one thread or process commits, the others see.
pytestmark = pytest.mark.django_db(transaction=True)

USERS = 8


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)


def all_at_once(connection: Connection) -> list[Usage | CrmError]:
    """What eight threads get that use one ended session at the same moment."""
    together = threading.Barrier(USERS, timeout=30)

    def use(_number: int) -> Usage | CrmError:
        try:
            crm = gateway(Connection.objects.get(pk=connection.pk))
            together.wait()
            return crm.read_usage()
        except CrmError as error:
            return error
        finally:
            forget_gateways()
            database.close()

    with ThreadPoolExecutor(USERS) as threads:
        return list(threads.map(use, range(USERS)))


def test_m23_eight_threads_renew_an_ended_session_once(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.expire_sessions()
    before = sandbox.stats()["token_calls"]
    assert [type(answer) for answer in all_at_once(connection)] == [Usage] * USERS
    assert sandbox.stats()["token_calls"] - before == 1
    connection.refresh_from_db()
    assert (connection.token_number, connection.token_lease_until) == (2, None)


def test_m23_a_lost_access_user_is_asked_for_and_told_once(
    connection: Connection, sandbox: SandboxControl, admin: User
) -> None:
    sandbox.expire_sessions()
    sandbox.add_fault("invalid_grant")
    before = sandbox.stats()["token_calls"]
    answers = all_at_once(connection)
    assert [(each.mode, each.code) for each in answers if isinstance(each, CrmError)] == [
        (FailureMode.CONNECTION, "invalid_grant")
    ] * USERS
    assert sandbox.stats()["token_calls"] - before == 1
    connection.refresh_from_db()
    assert (connection.state, connection.error_code) == (ConnectionState.DISCONNECTED, "invalid_grant")
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]


SCRIPT = """
import sys
import django
django.setup()
from sync.connecting import gateway
from sync.models import Connection
crm = gateway(Connection.objects.get())
print("ready", flush=True)
sys.stdin.readline()
print(crm.read_usage().limit, flush=True)
"""


@pytest.fixture
def processes(connection: Connection) -> Iterator[list["subprocess.Popen[str]"]]:
    """Three processes on the test's database that hold the connection's token and wait for a line to use it."""
    settings_of = database.settings_dict
    url = f"sqlite:///{settings_of['NAME']}"
    if database.vendor == "postgresql":
        where = f"{settings_of['HOST']}:{settings_of['PORT'] or 5432}/{settings_of['NAME']}"
        url = f"postgres://{settings_of['USER']}:{settings_of['PASSWORD']}@{where}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "playbooks.settings",
        "DATABASE_URL": url,
        "SALESFORCE_LOGIN_URL": django_settings.SALESFORCE_LOGIN_URL,
        "SALESFORCE_CLIENT_ID": django_settings.SALESFORCE_CLIENT_ID,
        "SALESFORCE_CLIENT_SECRET": django_settings.SALESFORCE_CLIENT_SECRET,
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_m23_three_processes_renew_an_ended_session_once(
    processes: list["subprocess.Popen[str]"], sandbox: SandboxControl
) -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    sandbox.expire_sessions()
    before = sandbox.stats()["token_calls"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=30) for process in processes] == [("100000\n", "")] * 3
    assert sandbox.stats()["token_calls"] - before == 1


def renewed(connection: Connection) -> Token:
    source = StoredTokens(connection)
    return source.renew(source.get())


def test_a_token_that_somebody_else_renewed_is_taken_over(connection: Connection, sandbox: SandboxControl) -> None:
    stale = StoredTokens(Connection.objects.get())
    connection.store_token("newer", connection.instance_url)
    before = sandbox.stats()["token_calls"]
    assert stale.renew(stale.get()) == Token(2, "newer", connection.instance_url)
    assert sandbox.stats()["token_calls"] == before


def test_a_newer_token_is_learnt_from_an_instance_and_an_older_one_is_not(connection: Connection) -> None:
    source, stale = StoredTokens(connection), Connection.objects.get()
    connection.store_token("newer", connection.instance_url)
    source.learn(connection)
    source.learn(stale)
    assert source.get().access_token == "newer"


def test_a_claim_of_somebody_who_died_lapses(connection: Connection, sandbox: SandboxControl) -> None:
    Connection.objects.update(token_lease_until=timezone.now() + timedelta(seconds=0.4))
    assert renewed(connection).number == 2


def test_waiting_for_somebody_who_never_ends_is_bounded(
    connection: Connection, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SYNC_HTTP_TIMEOUT = 0.1
    monkeypatch.setattr(tokens_module, "_MARGIN", 0.1)
    Connection.objects.update(token_lease_until=timezone.now() + timedelta(minutes=5))
    with pytest.raises(CrmError) as failure:
        renewed(connection)
    assert (failure.value.mode, failure.value.code) == (FailureMode.TRANSIENT, "TOKEN_NOT_RENEWED")


def test_a_busy_log_in_is_given_up_and_tried_again(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("http_error", status=503, match={"path": "oauth2/token"}, times=1)
    with pytest.raises(CrmError) as failure:
        renewed(connection)
    assert (failure.value.mode, failure.value.outcome_unknown) == (FailureMode.TRANSIENT, False)
    connection.refresh_from_db()
    assert (connection.state, connection.token_lease_until) == (ConnectionState.CONNECTED, None)
    assert renewed(connection).number == 2


def test_another_org_s_token_is_not_used(connection: Connection, sandbox: SandboxControl, admin: User) -> None:
    Connection.objects.update(org_id="00D000000000001EAA")
    connection.refresh_from_db()
    with pytest.raises(CrmError) as failure:
        renewed(connection)
    assert (failure.value.mode, failure.value.code) == (FailureMode.CONNECTION, "OTHER_ORG")
    connection.refresh_from_db()
    assert (connection.state, connection.token_number) == (ConnectionState.DISCONNECTED, 1)
    assert len(mail.outbox) == 1


def test_wrong_settings_disconnect(connection: Connection, settings: Settings) -> None:
    settings.SALESFORCE_CLIENT_SECRET = ""
    with pytest.raises(CrmError) as failure:
        renewed(connection)
    assert (failure.value.mode, failure.value.code) == (FailureMode.CONNECTION, "SETTINGS")
    connection.refresh_from_db()
    assert connection.error_message.startswith("SALESFORCE_CLIENT_SECRET is not set.")


def test_the_moved_instance_is_followed(connection: Connection, sandbox: SandboxControl) -> None:
    moved = sandbox.url.replace("127.0.0.1", "localhost")
    Connection.objects.update(instance_url=moved)
    connection.refresh_from_db()
    crm = gateway(connection)
    sandbox.expire_sessions()
    assert crm.read_usage().limit == 100_000
    connection.refresh_from_db()
    assert connection.instance_url == sandbox.url


def test_no_token_is_renewed_inside_a_transaction(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.expire_sessions()
    with pytest.raises(RuntimeError), transaction.atomic():
        gateway(connection).read_usage()
