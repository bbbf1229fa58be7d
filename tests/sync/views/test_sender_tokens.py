"""Tokens: shown once, kept as a fingerprint, revoked for good."""

import uuid
from datetime import timedelta

import pytest
from auditlog.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from sync.models import ApiToken, Sender
from sync.models.sender import digest_of
from tests.people import People, logged_in

LIST = "/manager/settings/api/"


@pytest.fixture
def admin(people: People) -> Client:
    return logged_in(people.admin)


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender.objects.create(name="Dialer")


def issue(client: Client, sender: Sender, **values: object) -> str:
    sent = {"token": uuid.uuid4(), "days": 30} | values
    response = client.post(f"{LIST}{sender.uuid}/tokens/", sent)
    assert response.status_code == 200, response.content.decode()
    assert "no-store" in response["Cache-Control"]
    text: str = response.context["text"]
    assert text in response.content.decode()
    return text


def test_b8_token_is_shown_once_and_kept_as_a_fingerprint(admin: Client, people: People, sender: Sender) -> None:
    text = issue(admin, sender)
    token = ApiToken.objects.get()
    assert token.digest == digest_of(text)
    assert token.created_by == people.admin
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)
    page = admin.get(f"{LIST}{sender.uuid}/").content.decode()
    assert text not in page
    assert str(token) in page
    kept = str(list(LogEntry.objects.values_list("changes", "object_repr"))) + str(
        [session.get_decoded() for session in Session.objects.all()]
    )
    assert text not in kept
    assert text[10:] not in kept


def test_a_token_may_never_end(admin: Client, sender: Sender) -> None:
    issue(admin, sender, days=0)
    assert ApiToken.objects.get().expires_at is None


def test_the_same_form_twice_issues_one_token(admin: Client, sender: Sender) -> None:
    form = {"token": uuid.uuid4(), "days": 30}
    issue(admin, sender, **form)
    response = admin.post(f"{LIST}{sender.uuid}/tokens/", form, follow=True)
    assert "was issued already" in response.content.decode()
    assert ApiToken.objects.count() == 1


def test_a_term_that_is_not_offered_is_said_at_its_field(admin: Client, sender: Sender) -> None:
    response = admin.post(f"{LIST}{sender.uuid}/tokens/", {"token": uuid.uuid4(), "days": 9})
    assert response.status_code == 422
    assert "days" in response.context["token_form"].errors
    assert not ApiToken.objects.exists()


def test_what_has_ended_is_not_offered_to_be_revoked(admin: Client, sender: Sender) -> None:
    issue(admin, sender)
    address = f"{LIST}{sender.uuid}/"
    revoke = f"{address}tokens/{ApiToken.objects.get().uuid}/revoke/"
    assert revoke in admin.get(address).content.decode()
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(days=1))
    page = admin.get(address).content.decode()
    assert (revoke in page, ">Ended<" in page) == (False, True)


def test_b8_token_is_revoked_after_a_question(admin: Client, people: People, sender: Sender) -> None:
    issue(admin, sender)
    token = ApiToken.objects.get()
    address = f"{LIST}{sender.uuid}/tokens/{token.uuid}/revoke/"
    assert "can't be undone" in admin.get(address).content.decode()
    assert ApiToken.objects.usable(timezone.now()).exists()
    assert admin.post(address).status_code == 302
    assert not ApiToken.objects.usable(timezone.now()).exists()
    assert LogEntry.objects.get_for_object(token).first().actor == people.admin
    assert "was revoked already" in admin.post(address, follow=True).content.decode()


def test_a_token_of_another_sender_is_not_found(admin: Client, sender: Sender) -> None:
    other = Sender.objects.create(name="Other")
    token, _text = ApiToken.issue(other)
    assert admin.post(f"{LIST}{sender.uuid}/tokens/{token.uuid}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None
