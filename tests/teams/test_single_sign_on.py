"""Single sign-on against a stand-in over HTTP: only who is a user already, only by an address that is vouched for."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from teams.models import Organisation, SecondFactor, User
from teams.single_sign_on import vouched_email
from tests.people import PASSWORD, People, logged_in
from tests.teams.identity_server import CLIENT_ID, SECRET, IdentityServer, running_identity_server
from tests.teams.logging_in import give_app, log_in

GOOGLE: dict[str, Any] = {"sub": "1", "email": "Rosa@example.com", "email_verified": True, "hd": "example.com"}
MICROSOFT: dict[str, Any] = {"id": "1", "mail": "Rosa@example.com", "userPrincipalName": "rosa@example.com"}
PERSONS: dict[str, dict[str, Any]] = {"google": GOOGLE, "microsoft": MICROSOFT}


@pytest.fixture
def identity(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityServer]:
    with running_identity_server() as server:
        app = {"client_id": CLIENT_ID, "secret": SECRET, "key": ""}
        graph = {"tenant": "our-tenant", "login_url": server.url, "graph_url": server.url}
        settings.SOCIALACCOUNT_PROVIDERS = {
            "google": {"APPS": [app], "SCOPE": ["email"], "OAUTH_PKCE_ENABLED": True},
            "microsoft": {"APPS": [app | {"settings": graph}], "OAUTH_PKCE_ENABLED": True},
        }
        monkeypatch.setattr(GoogleOAuth2Adapter, "authorize_url", f"{server.url}/auth")
        monkeypatch.setattr(GoogleOAuth2Adapter, "access_token_url", f"{server.url}/token")
        yield server


def sign_on(
    identity: IdentityServer, provider: str, client: Client, person: dict[str, Any] | None = None, query: str = ""
) -> HttpResponse:
    """Go to the provider, agree, and come back."""
    identity.person = PERSONS[provider] if person is None else person
    leaving = client.post(f"/accounts/{provider}/login/{query}")
    assert leaving.status_code == 200
    came_with = identity.consent(leaving["Refresh"].removeprefix("0; url="))
    response: HttpResponse = client.get(  # type: ignore[assignment]
        f"/accounts/{provider}/login/callback/", came_with
    )
    return response


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_user_is_let_in_and_keeps_the_password(people: People, identity: IdentityServer, provider: str) -> None:
    client = Client()
    assert sign_on(identity, provider, client)["Location"] == "/"
    assert client.get("/settings/profile/").context["email"] == "rosa@example.com"
    assert log_in("rosa@example.com", PASSWORD).status_code == 302
    assert (SocialAccount.objects.count(), EmailAddress.objects.count(), User.objects.count()) == (0, 0, 6)


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        ("google", {"email": "stranger@example.com"}),
        ("google", {"email_verified": False}),
        ("google", {"email_verified": "false"}),
        ("google", {"hd": None}),
        ("google", {"email": None}),
        ("microsoft", {"mail": "stranger@example.com"}),
        ("microsoft", {"userPrincipalName": "rosa_example.com#EXT#@other.onmicrosoft.com"}),
    ],
)
def test_stranger_stays_outside_and_no_user_is_made(
    people: People, identity: IdentityServer, provider: str, changes: dict[str, Any]
) -> None:
    client = Client()
    response = sign_on(identity, provider, client, {**PERSONS[provider], **changes})
    assert (response.status_code, response.templates[0].name) == (403, "socialaccount/unknown.html")  # type: ignore[attr-defined]
    assert client.get("/settings/profile/").status_code == 302
    assert User.objects.count() == 6


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_deactivated_stays_outside(people: People, identity: IdentityServer, provider: str) -> None:
    User.objects.filter(pk=people.rep.pk).update(is_active=False)
    assert sign_on(identity, provider, Client()).status_code == 403


def test_second_factor_is_asked_all_the_same(people: People, identity: IdentityServer) -> None:
    Organisation.objects.update(second_factor=SecondFactor.EVERYONE)
    client = Client()
    sign_on(identity, "google", client)
    assert client.get("/settings/profile/")["Location"] == "/accounts/2fa/"
    give_app(people.rep)
    assert sign_on(identity, "google", Client())["Location"] == "/accounts/2fa/authenticate/"


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_no_foreign_account_is_tied_to_whoever_is_logged_in(
    people: People, identity: IdentityServer, process: str
) -> None:
    response = sign_on(identity, "google", logged_in(people.admin), query=f"?process={process}")
    assert response.status_code == 403
    assert SocialAccount.objects.count() == 0


def test_answer_for_another_app_is_refused(people: People, identity: IdentityServer) -> None:
    identity.audience = "another-client"
    response = sign_on(identity, "google", Client())
    assert (response.status_code, response.templates[0].name) == (401, "socialaccount/authentication_error.html")  # type: ignore[attr-defined]


def test_answer_that_nobody_asked_for_is_refused(people: People, identity: IdentityServer) -> None:
    """A forged address (its state belongs to no session) logs nobody in."""
    client = Client()
    response = client.get("/accounts/google/login/callback/", {"code": "x", "state": "y"})
    assert response.status_code == 401
    assert client.get("/settings/profile/").status_code == 302


def test_who_stops_at_the_provider_is_told_so(people: People, identity: IdentityServer) -> None:
    client = Client()
    address = client.post("/accounts/google/login/")["Refresh"]
    state = identity.consent(address.removeprefix("0; url="))["state"]
    response = client.get("/accounts/google/login/callback/", {"error": "access_denied", "state": state}, follow=True)
    assert response.templates[0].name == "socialaccount/login_cancelled.html"


def test_buttons_stand_on_the_log_in_page_when_configured(people: People, identity: IdentityServer) -> None:
    html = Client().get("/accounts/login/").content.decode()
    assert [html.count(f"Log in with {name}") for name in ("Google", "Microsoft")] == [1, 1]
    assert Client().get("/accounts/google/login/").templates[0].name == "socialaccount/login.html"


def test_no_buttons_without_configuration(people: People) -> None:
    html = Client().get("/accounts/login/").content.decode()
    assert [html.count(name) for name in ("Google", "Microsoft")] == [0, 0]


@pytest.mark.parametrize(
    ("provider", "data", "email"),
    [
        ("google", GOOGLE, "rosa@example.com"),
        ("google", {"email": "a@gmail.com", "email_verified": True}, "a@gmail.com"),
        ("google", {"email": "a@example.com", "email_verified": True}, ""),
        ("google", {"email": "a@example.com", "hd": "example.com"}, ""),
        ("google", {}, ""),
        ("microsoft", MICROSOFT, "rosa@example.com"),
        ("microsoft", {"mail": None, "userPrincipalName": "A@example.com"}, "a@example.com"),
        ("microsoft", {"mail": "a@example.com", "userPrincipalName": "a_example.com#ext#@x"}, ""),
        ("microsoft", {}, ""),
        ("another", {"email": "a@example.com", "email_verified": True}, ""),
    ],
)
def test_vouched_email(provider: str, data: dict[str, Any], email: str) -> None:
    assert vouched_email(provider, data) == email
