"""Inviting: a link to choose a password, once, for who is active."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from teams.invitations import CannotInviteError, invite
from teams.models import Role, User
from tests.people import People
from tests.teams.logging_in import log_in
from tests.teams.test_sign_in import NEW, choose, link_in


@pytest.fixture
def newcomer(people: People) -> User:
    return User.objects.create_user("nina@example.com", name="Nina New", role=Role.REP, team=people.north)


def test_invited_chooses_a_password_and_logs_in(people: People, newcomer: User) -> None:
    assert log_in("nina@example.com", "").status_code == 200
    invite(newcomer, people.manager)
    [message] = mail.outbox
    assert (message.to, message.subject) == (["nina@example.com"], "Your access to Playbooks")
    text = str(message.body)
    assert text.count("Mia Manager invites you to Playbooks.") == 1
    assert text.count("for 3 days.") == 1
    path = link_in(text)
    assert choose(path) == (302, "/accounts/password/reset/key/done/")
    assert log_in("nina@example.com", NEW)["Location"] == "/"
    assert choose(path, "somebody else's choice")[0] == 200


def test_invited_at_is_noted_once_the_mail_is_out(
    people: People, newcomer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> int:
        raise OSError("no mail server")

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        with pytest.raises(OSError, match="no mail server"):
            invite(newcomer)
    assert User.objects.filter(pk=newcomer.pk, invited_at=None).exists()
    invite(newcomer)
    assert User.objects.filter(pk=newcomer.pk, invited_at__lte=timezone.now()).exists()


def test_invitation_ends_and_can_be_had_anew_by_oneself(people: People, newcomer: User) -> None:
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        invite(newcomer)
        path = link_in(str(mail.outbox[0].body))
        clock.shift(timedelta(days=3, seconds=1))
        assert choose(path)[0] == 200
        Client().post("/accounts/password/reset/", {"email": "nina@example.com"})
        assert choose(link_in(str(mail.outbox[1].body)))[0] == 302


def test_invitation_of_an_old_address_ends(people: People, newcomer: User) -> None:
    invite(newcomer)
    User.objects.filter(pk=newcomer.pk).update(email="nora@example.com")
    assert choose(link_in(str(mail.outbox[0].body)))[0] == 200


def test_deactivated_are_not_invited(people: People) -> None:
    people.rep.is_active = False
    with pytest.raises(CannotInviteError, match="Rosa Rep is deactivated"):
        invite(people.rep)
    assert mail.outbox == []
