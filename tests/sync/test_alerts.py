"""What admins and managers are told about the Access User (M23)."""

import pytest
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from sync import alerts
from sync.models import Connection
from teams import notice_emails
from teams.models import Notice, NoticeChoice, NoticeKind, Role, User
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    return ConnectionFactory.create(
        access_user_name="Ann Access (ann@example.com)", error_code="inactive_user", error_message="user is inactive"
    )


@pytest.fixture
def users() -> list[User]:
    """Two admins, a deactivated one, a manager and a rep."""
    roles = [(Role.ADMIN, True), (Role.ADMIN, True), (Role.ADMIN, False), (Role.MANAGER, True), (Role.REP, True)]
    return [
        User.objects.create_user(f"user{number}@example.com", name=f"User {number}", role=role, is_active=active)
        for number, (role, active) in enumerate(roles)
    ]


def recipients() -> list[list[str]]:
    return sorted(message.to for message in mail.outbox)


def test_m23_every_active_admin_is_told_in_one_e_mail_what_the_crm_said(
    connection: Connection,
    users: list[User],
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.SITE_URL = "https://playbooks.example.com"
    with django_capture_on_commit_callbacks(execute=True):
        alerts.connection_lost(connection)
    assert recipients() == [["user0@example.com"], ["user1@example.com"]]
    assert mail.outbox[0].subject == "Salesforce is disconnected: nothing syncs"
    lines = mail.outbox[0].body.splitlines()
    assert lines[0] == "Salesforce no longer lets the Access User Ann Access (ann@example.com) in:"
    assert lines[2] == "    inactive_user: user is inactive"
    assert lines[-3] == "https://playbooks.example.com/manager/"


def test_m23_managers_see_it_on_the_page_and_by_e_mail_if_they_chose_so(
    connection: Connection, users: list[User], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    NoticeChoice.objects.create(user=users[3], kind=NoticeKind.CONNECTION, on_page=True, by_email=True)
    NoticeChoice.objects.create(user=users[0], kind=NoticeKind.CONNECTION, on_page=True, by_email=False)
    with django_capture_on_commit_callbacks(execute=True):
        alerts.connection_lost(connection)
    assert recipients() == [["user1@example.com"], ["user3@example.com"]]
    assert set(Notice.objects.unread().values_list("user__email", flat=True)) == {
        "user0@example.com",
        "user1@example.com",
        "user3@example.com",
    }


def test_m23_one_e_mail_when_it_is_lost_and_one_when_it_is_back_each_time(
    connection: Connection, users: list[User], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for _time in range(2):
        for tell in (alerts.connection_lost, alerts.connection_lost, alerts.connection_back, alerts.connection_back):
            with django_capture_on_commit_callbacks(execute=True):
                tell(connection)
    lost, back = "Salesforce is disconnected: nothing syncs", "Salesforce is connected again"
    assert [message.subject for message in mail.outbox if message.to == ["user0@example.com"]] == [lost, back] * 2
    # What is over needs nobody any more.
    assert list(Notice.objects.unread().filter(user=users[0]).values_list("title", flat=True)) == [back]


def test_a_per_cent_sign_in_the_crm_s_words_is_no_format(connection: Connection, users: list[User]) -> None:
    connection.error_message = "100 %(x)s %d"
    alerts.connection_lost(connection)
    assert Notice.objects.all()[0].text.count("inactive_user: 100 %(x)s %d") == 1


def test_without_an_admin_it_is_logged(connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    alerts.connection_lost(connection)
    assert mail.outbox == []
    assert [record.message for record in caplog.records] == ["no active admin to alert"]


def test_a_mail_server_that_fails_does_not_stop_the_sync(
    connection: Connection,
    users: list[User],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    unused_port: int,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port
    with django_capture_on_commit_callbacks(execute=True):
        alerts.connection_lost(connection)
    assert [record.getMessage() for record in caplog.records] == ["e-mails not sent (ConnectionRefusedError)"]
    settings.EMAIL_BACKEND = backend
    assert notice_emails.send() == 0  # it was tried just now
    Notice.objects.filter(email_due_at__isnull=False).update(email_due_at="2026-01-01T00:00Z")
    assert notice_emails.send() == 2
    assert recipients() == [["user0@example.com"], ["user1@example.com"]]
