"""Notices: whom they reach where, once a cause, and e-mails that never break their sender."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from teams import notice_emails, notices
from teams.models import Notice, NoticeChoice, NoticeKind, Role, User
from teams.notice_choices import Channels, choices_of, choose, default_channels
from tests.people import People, people

__all__ = ["people"]

ERRORS = NoticeKind.ERRORS


def choice(user: User, on_page: bool, by_email: bool, kind: NoticeKind = ERRORS) -> None:
    NoticeChoice.objects.create(user=user, kind=kind, on_page=on_page, by_email=by_email)


def unread(user: User) -> list[str]:
    return list(Notice.objects.visible_to(user).unread().values_list("title", flat=True))


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("role", Role)
def test_until_someone_chooses_all_is_on_the_page_and_a_lost_connection_by_e_mail_to_admins(
    role: Role, kind: NoticeKind
) -> None:
    by_email = (role, kind) == (Role.ADMIN, NoticeKind.CONNECTION)
    assert default_channels(role, kind) == Channels(on_page=True, by_email=by_email)


def test_choices_hold_what_was_chosen_and_the_defaults_of_the_rest(people: People) -> None:
    choose(people.manager, {ERRORS: Channels(on_page=False, by_email=True)})
    choose(people.manager, {ERRORS: Channels(on_page=True, by_email=True)})
    chosen = choices_of(people.manager)
    assert chosen.pop(ERRORS) == Channels(on_page=True, by_email=True)
    assert set(chosen.values()) == {Channels(on_page=True, by_email=False)}
    assert list(choices_of(people.rep)) == [NoticeKind.FILE_READY]


@pytest.mark.parametrize(
    ("on_page", "by_email", "told"), [(True, False, 1), (True, True, 1), (False, True, 1), (False, False, 0)]
)
def test_a_notice_goes_where_its_user_chose(
    people: People,
    on_page: bool,
    by_email: bool,
    told: int,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    choice(people.manager, on_page, by_email)
    with django_capture_on_commit_callbacks(execute=True):
        assert notices.tell([people.manager], ERRORS, title="T") == told
    assert unread(people.manager) == ["T"] * on_page
    assert [message.to for message in mail.outbox] == [[people.manager.email]] * by_email


def test_once_per_cause_while_unread(people: People) -> None:
    tell = [(ERRORS, "a"), (ERRORS, "a"), (ERRORS, "b"), (NoticeKind.CRM_USERS, "a"), (ERRORS, ""), (ERRORS, "")]
    counts = [notices.tell([people.admin], kind, title="T", key=key) for kind, key in tell]
    assert counts == [1, 0, 1, 1, 1, 1]
    notices.read(people.admin)
    assert notices.tell([people.admin], ERRORS, title="T", key="a") == 1


def test_a_cause_that_is_gone_can_come_back(people: People) -> None:
    notices.tell([people.admin, people.manager], ERRORS, title="T", key="a")
    assert notices.end(ERRORS, ["a"]) == 2
    assert notices.tell([people.admin], ERRORS, title="again", key="a") == 1
    assert (unread(people.admin), unread(people.manager)) == (["again"], [])


def test_what_goes_by_e_mail_alone_is_told_again_when_its_cause_comes_back(
    people: People, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    choice(people.manager, on_page=False, by_email=True)
    for _time in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            notices.tell([people.manager], ERRORS, title="T", key="a")
    assert len(mail.outbox) == 2


def test_whoever_is_deactivated_is_not_told(people: People) -> None:
    people.manager.is_active = False
    people.manager.save()
    assert notices.tell([people.manager], ERRORS, title="T") == 0


@pytest.mark.parametrize("count", [3, 30])
def test_telling_many_takes_the_same_queries(
    db: None, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    users = [User.objects.create_user(f"u{number}@example.com", name="U") for number in range(count)]
    with django_assert_num_queries(3):
        assert notices.tell(users, NoticeKind.FILE_READY, title="T") == count


def test_an_e_mail_says_what_where_and_how_to_choose(
    people: People, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.SITE_URL = "https://playbooks.example.com"
    choice(people.manager, on_page=True, by_email=True)
    with django_capture_on_commit_callbacks(execute=True):
        notices.tell([people.manager], ERRORS, title="Two\r\nlines: x", text="Why.", path="/manager/")
    [message] = mail.outbox
    assert message.subject == "Two lines: x"
    assert message.body.split("\n\n") == [
        "Why.",
        "https://playbooks.example.com/manager/",
        "What you are told, and how, is yours to choose: https://playbooks.example.com/settings/notices/\n",
    ]
    assert Notice.objects.get().emailed_at is not None


def test_no_e_mail_goes_out_of_a_transaction_that_is_rolled_back(people: People) -> None:
    choice(people.manager, on_page=True, by_email=True)
    with transaction.atomic():
        notices.tell([people.manager], ERRORS, title="T")
        transaction.set_rollback(True)
    assert (mail.outbox, Notice.objects.count()) == ([], 0)


@pytest.fixture
def owed(people: People) -> Notice:
    """A notice whose e-mail could not be sent at once."""
    choice(people.manager, on_page=True, by_email=True)
    notices.tell([people.manager], ERRORS, title="T", text="contents")
    return Notice.objects.get()


def test_an_e_mail_that_failed_is_sent_later_and_logged_without_contents(
    owed: Notice, settings: Settings, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port
    assert notice_emails.send() == 0
    assert [record.getMessage() for record in caplog.records] == ["e-mails not sent (ConnectionRefusedError)"]
    settings.EMAIL_BACKEND = backend
    assert notice_emails.send() == 0  # not before its time
    Notice.objects.update(email_due_at=timezone.now() - timedelta(seconds=1))
    assert notice_emails.send() == 1
    assert notice_emails.send() == 0
    assert [message.subject for message in mail.outbox] == ["T"]


@pytest.mark.parametrize(
    "changes",
    [
        {"read_at": timezone.now()},
        {"created_at": timezone.now() - notice_emails.GIVE_UP},
        {"email_due_at": None},
    ],
)
def test_an_e_mail_that_helps_nobody_is_not_sent(owed: Notice, changes: dict[str, object]) -> None:
    Notice.objects.update(**changes)
    assert notice_emails.send() == 0
    assert mail.outbox == []


def test_one_address_that_is_refused_does_not_keep_the_others(
    people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for user in (people.manager, people.other_manager):
        choice(user, on_page=True, by_email=True)
    notices.tell([people.manager, people.other_manager], ERRORS, title="T")
    User.objects.filter(pk=people.manager.pk).update(email="mia@exa\nmple.com")  # a header of its own
    assert notice_emails.send() == 1
    assert [message.to for message in mail.outbox] == [[people.other_manager.email]]
    assert [record.getMessage() for record in caplog.records] == ["e-mail not sent (BadHeaderError)"]


def test_tidy_forgets_what_was_read_long_ago(people: People) -> None:
    now = timezone.now()
    for title, read_at in (
        ("old", now - timedelta(days=91)),
        ("young", now - timedelta(days=89)),
        ("unread", None),
    ):
        notices.tell([people.admin], ERRORS, title=title)
        Notice.objects.filter(title=title).update(read_at=read_at, created_at=now - timedelta(days=100))
    assert notices.forget(now) == 1
    assert set(Notice.objects.values_list("title", flat=True)) == {"young", "unread"}
