"""E-mails to admins about the Access User (M23)."""

import pytest
from django.core import mail
from pytest_django import Settings

from sync import alerts
from sync.models import Connection
from teams.models import Role, User
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    return ConnectionFactory.create(
        access_user_name="Ann Access (ann@example.com)", error_code="inactive_user", error_message="user is inactive"
    )


def make_users() -> None:
    for number, (role, active) in enumerate(
        [(Role.ADMIN, True), (Role.ADMIN, True), (Role.ADMIN, False), (Role.MANAGER, True), (Role.REP, True)]
    ):
        User.objects.create_user(f"user{number}@example.com", name=f"User {number}", role=role, is_active=active)


def test_m23_every_active_admin_is_told_in_one_e_mail_what_the_crm_said(
    connection: Connection, settings: Settings
) -> None:
    settings.SITE_URL = "https://playbooks.example.com"
    make_users()
    alerts.connection_lost(connection)
    (message,) = mail.outbox
    assert sorted(message.to) == ["user0@example.com", "user1@example.com"]
    assert message.subject == "Salesforce is disconnected: nothing syncs"
    lines = message.body.splitlines()
    assert lines[0] == "Salesforce no longer lets the Access User Ann Access (ann@example.com) in:"
    assert lines[2] == "    inactive_user: user is inactive"
    assert lines[-1] == "https://playbooks.example.com/manager/"


def test_m23_the_admins_are_told_that_it_is_back(connection: Connection) -> None:
    make_users()
    alerts.connection_back(connection)
    (message,) = mail.outbox
    assert message.subject == "Salesforce is connected again"
    assert message.body.startswith("Salesforce lets the Access User Ann Access (ann@example.com) in again.")


def test_a_per_cent_sign_in_the_crm_s_words_is_no_format(connection: Connection) -> None:
    make_users()
    connection.error_message = "100 %(x)s %d"
    alerts.connection_lost(connection)
    assert "inactive_user: 100 %(x)s %d" in mail.outbox[0].body


def test_without_an_admin_it_is_logged(connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    alerts.connection_lost(connection)
    assert mail.outbox == []
    assert [record.message for record in caplog.records] == ["no active admin to alert"]


def test_a_mail_server_that_fails_does_not_stop_the_sync(
    connection: Connection, settings: Settings, caplog: pytest.LogCaptureFixture, unused_port: int
) -> None:
    make_users()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port
    alerts.connection_lost(connection)
    assert [record.message for record in caplog.records] == ["alert not sent"]
