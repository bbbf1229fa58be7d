"""Inviting users from their page and from the list: whom, by whom, and what is said."""

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from teams.models import User
from tests.people import People, logged_in

USERS = "/manager/teams/user/"


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def invite(client: Client, user: User) -> Any:
    return client.post(f"{USERS}{user.uuid}/invite/", follow=True)


def act(client: Client, action: str, *users: User) -> Any:
    data = {"action": action, ACTION_CHECKBOX_NAME: [user.pk for user in users]}
    return client.post(USERS, data, follow=True)


def test_invite_from_the_users_page(people: People) -> None:
    LogEntry.objects.all().delete()
    response = invite(logged_in(people.manager), people.rep)
    assert said(response) == ["1 user was invited by e-mail."]
    assert [message.to for message in mail.outbox] == [["rosa@example.com"]]
    people.rep.refresh_from_db()
    assert people.rep.invited_at is not None
    entry = LogEntry.objects.get()
    assert (entry.actor, list(entry.changes)) == (people.manager, ["invited_at"])


def test_invite_is_refused_for_whom_one_may_not_change(people: People) -> None:
    client = logged_in(people.manager)
    assert invite(client, people.other_rep).status_code == 404
    assert invite(client, people.colleague).status_code == 403
    assert invite(logged_in(people.rep), people.rep).status_code == 403
    assert client.get(f"{USERS}{people.rep.uuid}/invite/").status_code == 405
    assert mail.outbox == []


def test_invite_chosen(people: People) -> None:
    response = act(logged_in(people.manager), "invite_chosen", people.rep, people.other_rep, people.colleague)
    assert said(response) == [
        "1 user was invited by e-mail.",
        "1 user was left as it was: you may not change this one.",
    ]
    assert [message.to for message in mail.outbox] == [["rosa@example.com"]]


def test_invite_at_most_fifty_at_once(people: People) -> None:
    users = User.objects.bulk_create(User(email=f"u{n}@x.example", name="U", team=people.north) for n in range(51))
    response = act(logged_in(people.admin), "invite_chosen", *users)
    assert said(response) == ["Nobody was invited: choose at most 50 users at once."]
    assert mail.outbox == []


def test_invite_deactivated_says_so(people: People) -> None:
    User.objects.filter(pk=people.rep.pk).update(is_active=False)
    assert said(invite(logged_in(people.admin), people.rep)) == ["Rosa Rep is deactivated. Activate them first."]


def test_invite_while_the_mail_server_is_away(people: People, settings: Settings, unused_port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port
    response = act(logged_in(people.admin), "invite_chosen", people.rep, people.other_rep)
    assert len(said(response)) == 1
    assert said(response)[0].startswith("The invitation to rosa@example.com could not be sent")
    people.rep.refresh_from_db()
    assert people.rep.invited_at is None


@pytest.mark.parametrize(("came", "word"), [(False, "Open"), (True, "Accepted")])
def test_invitation_is_shown(people: People, came: bool, word: str) -> None:
    now = timezone.now()
    User.objects.filter(pk=people.rep.pk).update(invited_at=now, last_login=now if came else None)
    page = logged_in(people.admin).get(f"{USERS}{people.rep.uuid}/change/").content.decode()
    assert word in page
    assert ("Invite again" in page) is not came


@pytest.mark.parametrize(("query", "names"), [("invited", ["Rosa Rep"]), ("uninvited", ["Sven Stranger"])])
def test_users_are_found_by_access(people: People, query: str, names: list[str]) -> None:
    User.objects.filter(pk=people.rep.pk).update(invited_at=timezone.now())
    User.objects.exclude(pk__in=[people.rep.pk, people.other_rep.pk]).update(last_login=timezone.now())
    found = logged_in(people.admin).get(f"{USERS}?access={query}&role__exact=rep").context["cl"].result_list
    assert [str(user) for user in found] == names


def test_user_is_added_without_a_password(people: People) -> None:
    client = logged_in(people.admin)
    data = {"name": "Nora", "email": "nora@example.com", "role": "rep", "team": people.north.pk}
    assert client.post(f"{USERS}add/", {**data, "password1": "", "password2": ""}).status_code == 302
    assert User.objects.get(email="nora@example.com").has_usable_password() is False
    half = {**data, "email": "olaf@example.com", "password1": "a brand new secret", "password2": ""}
    errors = client.post(f"{USERS}add/", half).context["adminform"].form.errors
    assert errors == {"password2": ["Enter the same password twice, or leave both empty."]}


def test_deactivation_of_many_is_noted_for_each(people: People) -> None:
    LogEntry.objects.all().delete()
    act(logged_in(people.admin), "deactivate", people.rep, people.other_rep)
    assert {(entry.actor, entry.object_repr, str(entry.changes)) for entry in LogEntry.objects.all()} == {
        (people.admin, "Rosa Rep", "{'is_active': ['True', 'False']}"),
        (people.admin, "Sven Stranger", "{'is_active': ['True', 'False']}"),
    }
