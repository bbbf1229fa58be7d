"""Connecting the Access User, losing it and getting it back."""

import os
import threading
import traceback

import pytest
from django.core import mail
from pytest_django import Settings

from sandbox.control import SandboxControl
from sync import connecting
from sync.enums import AuthFlow, ConnectionState, RecordKind, Slot
from sync.errors import NotConnectedError
from sync.models import Connection, OutboxRow
from teams.models import Role, User
from tests.factories import TaskFactory

# Transactions as in production: nothing is held over HTTP.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)


def lose(connection: Connection) -> None:
    assert connection.mark_disconnected("invalid_grant", "expired")


def test_connecting_keeps_who_the_access_user_is(salesforce_settings: Settings, sandbox: SandboxControl) -> None:
    report = connecting.connect()
    connection = Connection.objects.get()
    assert report.connection == connection
    assert (connection.state, connection.user) == (ConnectionState.CONNECTED, None)
    assert connection.auth_flow == AuthFlow.CLIENT_CREDENTIALS
    assert (connection.login_url, connection.instance_url) == (sandbox.url, sandbox.url)
    assert connection.access_user_name == "Playbooks Access User (access.user@northwind.example)"
    assert connection.access_user_id == sandbox.rows("User")[0]["Id"]
    assert connection.org_id == sandbox.rows("Organization")[0]["Id"]
    assert connection.task_schema == report.schema
    assert connection.schema_at is not None
    assert [access.name for access in report.objects][-1] == "Task"
    assert (connection.token_number, sandbox.stats()["token_calls"]) == (1, 1)


def test_connecting_again_renews_the_same_connection(connection: Connection, admin: User) -> None:
    again = connecting.connect().connection
    assert (again.pk, again.token_number) == (connection.pk, 2)
    assert again.access_token != connection.access_token
    assert mail.outbox == []


def test_m23_what_was_completed_before_is_asked_for(salesforce_settings: Settings) -> None:
    task = TaskFactory.create()
    connection = connecting.connect().connection
    assert [(row.task, row.connection) for row in OutboxRow.objects.all()] == [(task, connection)]


def test_another_org_is_refused(connection: Connection, sandbox: SandboxControl) -> None:
    Connection.objects.update(org_id="00D000000000001EAA")
    before = Connection.objects.values().get()
    with pytest.raises(NotConnectedError) as refusal:
        connecting.connect()
    assert str(refusal.value) == (
        f"SALESFORCE_LOGIN_URL leads to the org {connection.org_id}, but this installation is connected to "
        "00D000000000001EAA. Set it to that org; another org needs an installation of its own."
    )
    assert Connection.objects.values().get() == before


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "invalid_client"}, "invalid_client"),
        ({"kind": "api_disabled"}, "API_DISABLED_FOR_ORG"),
        (
            {"kind": "http_error", "status": 200, "body": "<html>", "match": {"path": "oauth2/token"}},
            "UNREADABLE_ANSWER",
        ),
        ({"kind": "http_error", "status": 200, "body": "<html>"}, "UNREADABLE_ANSWER"),
    ],
)
def test_a_refusal_is_one_line_and_stores_nothing(
    salesforce_settings: Settings, sandbox: SandboxControl, fault: dict[str, object], code: str
) -> None:
    sandbox.add_fault(**fault)  # type: ignore[arg-type]
    with pytest.raises(NotConnectedError) as refusal:
        connecting.connect()
    assert f"({code}: " in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert (refusal.value.__cause__, refusal.value.__context__) == (None, None)
    assert salesforce_settings.SALESFORCE_CLIENT_SECRET not in "".join(traceback.format_exception(refusal.value))
    assert not Connection.objects.exists()


def test_m23_reconnecting_brings_it_back_and_tells_once(
    connection: Connection, admin: User, sandbox: SandboxControl
) -> None:
    lose(connection)
    task = TaskFactory.create()
    assert [connecting.reconnect(connection) for _ in range(2)] == [True, True]
    connection.refresh_from_db()
    assert (connection.state, connection.error_code) == (ConnectionState.CONNECTED, "")
    assert connection.down_total.total_seconds() > 0
    assert [message.subject for message in mail.outbox] == ["Salesforce is connected again"]
    assert OutboxRow.objects.get().task == task
    assert connecting.gateway(connection).read_usage().limit == 100_000


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        ("inactive_user", "inactive_user", "user is inactive"),
        ("api_disabled", "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"),
    ],
)
def test_m23_it_is_not_back_until_the_api_answers(
    connection: Connection, admin: User, sandbox: SandboxControl, fault: str, code: str, message: str
) -> None:
    lose(connection)
    sandbox.add_fault(fault)
    assert not connecting.reconnect(connection)
    connection.refresh_from_db()
    assert (connection.state, connection.error_code) == (ConnectionState.DISCONNECTED, code)
    assert connection.error_message == message
    assert mail.outbox == []


def test_wrong_settings_keep_it_down(connection: Connection, salesforce_settings: Settings) -> None:
    lose(connection)
    salesforce_settings.SALESFORCE_CLIENT_ID = ""
    assert not connecting.reconnect(connection)
    connection.refresh_from_db()
    assert connection.error_code == "SETTINGS"
    assert (
        connection.error_message == "SALESFORCE_CLIENT_ID is not set. Set it to the consumer key of the connected app."
    )


def test_connecting_by_hand_brings_a_lost_one_back(connection: Connection, admin: User) -> None:
    lose(connection)
    assert connecting.connect().connection.state == ConnectionState.CONNECTED
    assert [message.subject for message in mail.outbox] == ["Salesforce is connected again"]


def test_m7_the_schema_is_kept_and_a_change_is_told(connection: Connection, sandbox: SandboxControl) -> None:
    crm = connecting.gateway(connection)
    assert not connecting.read_schema(connection, crm)
    sandbox.change_schema(fields=[{"object": "Task", "name": "Play_Step__c", "hidden": True}])
    assert connecting.read_schema(connection, crm)
    assert not connecting.read_schema(connection, crm)
    stored = Connection.objects.get().task_schema
    assert stored is not None
    assert stored.missing == (Slot.PLAY_STEP,)


def test_a_thread_has_one_gateway_of_its_own(connection: Connection) -> None:
    mine = connecting.gateway(connection)
    assert connecting.gateway(Connection.objects.get()) is mine
    others: list[object] = []
    thread = threading.Thread(target=lambda: others.append(connecting.gateway(connection)))
    thread.start()
    thread.join(10)
    assert len(others) == 1
    assert others[0] is not mine


def test_a_forked_process_has_a_gateway_of_its_own(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = connecting.gateway(connection)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert connecting.gateway(connection) is not mine


def test_m2_an_id_tells_its_kind(connection: Connection, sandbox: SandboxControl) -> None:
    (lead,) = sandbox.rows("Lead")
    assert connecting.kind_of(connection, lead["Id"]) == RecordKind.LEAD
    assert connecting.kind_of(connection, connection.access_user_id) is None
