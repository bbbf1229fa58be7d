"""The second factor: who needs one, setting one up, using it, losing it."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from auditlog.models import LogEntry
from cryptography.fernet import Fernet
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from teams.models import Organisation, Role, SecondFactor, User
from teams.second_factor import (
    encrypt_anew,
    forget,
    has_second_factor,
    is_required_of,
    roles_that_need_one,
    without_second_factor,
)
from tests.people import People, logged_in
from tests.teams.logging_in import code_now, give_app, log_in

ACTIVATE = "/accounts/2fa/totp/activate/"
AUTHENTICATE = "/accounts/2fa/authenticate/"


def require(requirement: SecondFactor) -> None:
    Organisation.load()
    Organisation.objects.update(second_factor=requirement)


def secret_on(response: HttpResponse) -> str:
    [secret] = re.findall(r'<dd class="pb-mono">(\w+)</dd>', response.content.decode())
    return str(secret)


@pytest.mark.parametrize(
    ("requirement", "roles"),
    [
        (SecondFactor.OPTIONAL, []),
        (SecondFactor.ADMINS, [Role.ADMIN]),
        (SecondFactor.MANAGERS, [Role.MANAGER, Role.ADMIN]),
        (SecondFactor.EVERYONE, [Role.REP, Role.MANAGER, Role.ADMIN]),
    ],
)
def test_requirement_names_roles(requirement: SecondFactor, roles: list[Role]) -> None:
    assert list(roles_that_need_one(requirement)) == roles
    for role in Role:
        assert is_required_of(User(role=role), Organisation(second_factor=requirement)) == (role in roles)


@pytest.mark.parametrize("url", ["/manager/", "/manager/sync/task/", "/settings/profile/", "/", "/notices/"])
def test_who_needs_one_sets_it_up_before_anything_else(people: People, url: str) -> None:
    require(SecondFactor.MANAGERS)
    client = logged_in(people.manager)
    assert client.get(url)["Location"] == "/accounts/2fa/"
    assert client.post(url).status_code == 403
    page = client.get("/accounts/2fa/")
    assert page.content.decode().count("Your role needs a second factor.") == 1
    assert logged_in(people.rep).get("/settings/profile/").status_code == 200


def test_who_needs_one_may_still_log_out(people: People) -> None:
    require(SecondFactor.EVERYONE)
    assert logged_in(people.rep).post("/logout/")["Location"] == "/accounts/login/"


def test_set_up_then_everything_is_open_and_the_next_log_in_asks(people: People) -> None:
    require(SecondFactor.EVERYONE)
    client = Client()
    log_in("rosa@example.com", client=client)
    secret = secret_on(client.get(ACTIVATE))  # type: ignore[arg-type]
    assert client.post(ACTIVATE, {"code": "000000"}).context["form"].errors != {}
    assert client.post(ACTIVATE, {"code": code_now(secret)})["Location"] == "/accounts/2fa/recovery-codes/"
    assert len(client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]) == 10
    assert client.get("/settings/profile/").status_code == 200
    later = Client()
    assert log_in("rosa@example.com", client=later)["Location"] == AUTHENTICATE
    assert later.get("/settings/profile/").status_code == 302


def test_log_in_asks_whoever_has_one_and_takes_each_code_once(people: People) -> None:
    secret = give_app(people.rep)
    first, second = Client(), Client()
    for client in (first, second):
        log_in("rosa@example.com", client=client)
    code = code_now(secret)
    assert first.post(AUTHENTICATE, {"code": "123"}).status_code == 200
    assert first.get("/settings/profile/").status_code == 302
    assert first.post(AUTHENTICATE, {"code": code})["Location"] == "/"
    assert first.get("/settings/profile/").status_code == 200
    assert second.post(AUTHENTICATE, {"code": code}).context["form"].errors == {
        "code": ["This code is wrong, or was used already. Wait for the next one."]
    }


def test_log_in_wrong_codes_are_throttled(people: People) -> None:
    secret = give_app(people.rep)
    client = Client()
    log_in("rosa@example.com", client=client)
    for _ in range(5):
        client.post(AUTHENTICATE, {"code": "000000"})
    answer = client.post(AUTHENTICATE, {"code": code_now(secret)})
    assert answer.context["form"].errors == {
        "code": ["Too many wrong tries. Wait five minutes, or ask for a new password."]
    }


def test_log_in_with_a_recovery_code_works_once(people: People) -> None:
    give_app(people.rep)
    [code, *_others] = RecoveryCodes.activate(people.rep).get_unused_codes()
    outcomes = []
    for _ in range(2):
        client = Client()
        log_in("rosa@example.com", client=client)
        outcomes.append(client.post(AUTHENTICATE, {"code": code}).status_code)
    assert outcomes == [302, 200]


def test_deactivated_between_password_and_code_gets_nowhere(people: People) -> None:
    secret = give_app(people.rep)
    client = Client()
    log_in("rosa@example.com", client=client)
    User.objects.filter(pk=people.rep.pk).update(is_active=False)
    client.post(AUTHENTICATE, {"code": code_now(secret)})
    assert client.get("/settings/profile/").status_code == 302


def test_changing_it_needs_the_password_of_these_minutes(people: People) -> None:
    client = logged_in(people.rep)  # a session of unknown age
    assert client.get(ACTIVATE)["Location"] == f"/accounts/reauthenticate/?next={ACTIVATE.replace('/', '%2F')}"
    fresh = Client()
    log_in("rosa@example.com", client=fresh)
    assert fresh.get(ACTIVATE).status_code == 200


def test_the_only_one_stays_while_it_is_required(people: People) -> None:
    give_app(people.manager)
    client = Client()
    secret_client = log_in("mia@example.com", client=client)
    assert secret_client["Location"] == AUTHENTICATE
    authenticator = Authenticator.objects.get(user=people.manager)
    forget(people.manager)
    client = Client()
    log_in("mia@example.com", client=client)
    authenticator.save(force_insert=True)
    require(SecondFactor.MANAGERS)
    client.post("/accounts/2fa/totp/deactivate/")
    assert has_second_factor(people.manager)
    require(SecondFactor.ADMINS)
    assert client.post("/accounts/2fa/totp/deactivate/")["Location"] == "/accounts/2fa/"
    assert not has_second_factor(people.manager)
    assert [message.subject for message in mail.outbox] == ["The authenticator app was removed from your log-in"]


def test_the_only_passkey_stays_while_it_is_required(people: People) -> None:
    client = Client()
    log_in("mia@example.com", client=client)
    kind, data = Authenticator.Type.WEBAUTHN, {"name": "Key", "credential": {}}
    passkey = Authenticator.objects.create(user=people.manager, type=kind, data=data)
    url = f"/accounts/2fa/passkeys/{passkey.pk}/remove/"
    require(SecondFactor.MANAGERS)
    response = client.post(url, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "Your role needs a second factor, and this is the only one. Add another one first."
    ]
    assert has_second_factor(people.manager)
    assert logged_in(people.rep).post(url).status_code == 404
    require(SecondFactor.ADMINS)
    assert client.post(url)["Location"] == "/accounts/2fa/passkeys/"
    assert not has_second_factor(people.manager)


def test_forgotten_is_asked_anew(people: People) -> None:
    require(SecondFactor.EVERYONE)
    give_app(people.rep)
    RecoveryCodes.activate(people.rep)
    assert logged_in(people.rep).get("/settings/profile/").status_code == 200
    assert forget(people.rep, people.admin) is True
    assert logged_in(people.rep).get("/settings/profile/")["Location"] == "/accounts/2fa/"


def test_without_counts_the_active_of_these_roles(people: People) -> None:
    assert without_second_factor([Role.MANAGER]) == 3
    give_app(people.manager)
    User.objects.filter(pk=people.colleague.pk).update(is_active=False)
    assert without_second_factor([Role.MANAGER, Role.ADMIN]) == 2
    assert without_second_factor([]) == 0


def test_organisations_page_warns_who_will_be_asked(people: People) -> None:
    client = logged_in(people.admin)
    url = "/manager/teams/organisation/1/change/"
    assert client.get(url).content.decode().count("at present: admins 1, managers 3, reps 2.") == 1
    data = {"name": "N", "time_zone": "UTC", "phone_region": "US", "second_factor": "managers"}
    response = client.post(url, data, follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/2fa/"
    assert response.content.decode().count("4 users have no second factor yet") == 1


def test_secrets_are_encrypted_and_move_to_a_new_key(people: People, settings: Settings) -> None:
    secret = give_app(people.rep)
    code = RecoveryCodes.activate(people.rep).get_unused_codes()[0]
    stored = [str(authenticator.data) for authenticator in Authenticator.objects.all()]
    assert [text.count(secret) for text in stored] == [0, 0]
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]
    assert encrypt_anew() == 2
    settings.ENCRYPTION_KEYS = [new]
    totp = Authenticator.objects.get(type=Authenticator.Type.TOTP).wrap()
    assert totp.validate_code(code_now(secret))
    assert Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()[0] == code
    settings.ENCRYPTION_KEYS = [old]
    with pytest.raises(ImproperlyConfigured):
        totp.validate_code(code_now(secret))


def test_requirement_costs_one_query_and_none_where_there_is_none(people: People) -> None:
    give_app(people.rep)
    client = logged_in(people.rep)
    counts = []
    for requirement in (SecondFactor.OPTIONAL, SecondFactor.EVERYONE):
        require(requirement)
        client.get("/")
        with CaptureQueriesContext(connection) as captured:
            client.get("/")
        counts.append(len(captured))
    assert counts[1] - counts[0] == 1


def test_forget_on_the_server(people: People, capsys: pytest.CaptureFixture[str]) -> None:
    give_app(people.admin)
    call_command("forget_second_factor", "ADA@example.com")
    call_command("forget_second_factor", "ada@example.com")
    assert capsys.readouterr().out.splitlines() == [
        "Ada Admin can log in with the password alone, and set up a new one.",
        "Ada Admin has no second factor.",
    ]
    with pytest.raises(CommandError, match="No user has the address"):
        call_command("forget_second_factor", "x@example.com")


def test_admins_take_it_away_and_managers_may_not(people: People) -> None:
    """A manager who could would log in as a rep, with a new password."""
    give_app(people.rep)
    data = {"action": "forget_second_factor", ACTION_CHECKBOX_NAME: [people.rep.pk]}
    logged_in(people.manager).post("/manager/teams/user/", data)
    assert has_second_factor(people.rep)
    response = logged_in(people.admin).post("/manager/teams/user/", data, follow=True)
    assert [str(message) for message in response.context["messages"]] == ["1 user has no second factor any more."]
    assert not has_second_factor(people.rep)
    entry = LogEntry.objects.get(object_pk=str(people.rep.pk), changes__has_key="second_factor")
    assert (entry.actor, entry.changes) == (people.admin, {"second_factor": ["set up", "taken away"]})


def test_ones_own_changes_stand_in_the_audit(people: People) -> None:
    give_app(people.rep)
    forget(people.rep)
    client = Client()
    log_in("rosa@example.com", client=client)
    give_app(people.rep)
    client.post("/accounts/2fa/totp/deactivate/")
    entry = LogEntry.objects.filter(object_pk=str(people.rep.pk)).latest("pk")
    assert (entry.actor, entry.changes) == (people.rep, {"second_factor": ["TOTP Authenticator", ""]})
