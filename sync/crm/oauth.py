"""Asking Salesforce for an access token, after a log-in in the browser or without one, and giving it back."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import jwt
import requests
from django.utils.translation import gettext as _

from sync.crm.answers import request_error, request_id_of, text
from sync.crm.hosts import AddressError, check_address, is_loopback
from sync.crm.transport import network_error, new_session
from sync.enums import AuthFlow, FailureMode
from sync.errors import CrmError
from teams.crm_ids import to_18

_TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - an address
_AUTHORIZE_PATH = "/services/oauth2/authorize"
_REVOKE_PATH = "/services/oauth2/revoke"
# To call the API, and to go on while nobody is there.
_SCOPES = "api refresh_token"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Salesforce accepts an assertion whose end is at most this far away; its clock may be ahead or behind.
_ASSERTION_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Consent:
    """What a log-in in the browser came back with, and what it had been begun with."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)
    callback_url: str


@dataclass(frozen=True, slots=True)
class Login:
    """How to sign in. `private_key` (PEM) and `username` are for JWT, `client_secret` is for all others.

    The web-server flow has a `consent` the first time, and a `refresh_token` from then on.
    """

    flow: AuthFlow
    login_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    username: str = ""
    refresh_token: str = field(default="", repr=False)
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint gave; ids have 18 characters, empty when it doesn't say.

    `refresh_token` is empty when there is none, and when the one that was used goes on working.
    """

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str = ""
    user_id: str = ""
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A stored token; `number` grows with every new one."""

    number: int
    access_token: str = field(repr=False)
    instance_url: str


class TokenSource(Protocol):
    """Where the gateway gets its token from."""

    def get(self) -> Token:
        """Return the newest token that is known here."""
        ...

    def renew(self, seen: Token) -> Token:
        """Return another token than `seen`, whose session has ended. Raises CrmError when there is none."""
        ...


def authorize_url(login_url: str, client_id: str, callback_url: str, state: str, verifier: str) -> str:
    """Return the address at which an admin logs in and lets the app in; it holds the verifier's hash alone.

    Salesforce is told to ask who logs in: else it would take whoever is logged in to it in this browser.
    """
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": callback_url,
        "scope": _SCOPES,
        "prompt": "login consent",
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{login_url}{_AUTHORIZE_PATH}?{urlencode(asked)}"


def request_token(login: Login, timeout: float) -> TokenAnswer:
    """Ask for a token: one call, `timeout` in seconds.

    Raises CrmError with the token endpoint's own code and message. Its outcome is never "unknown": nothing was written.
    """
    response = _post(login.login_url, _TOKEN_PATH, _form(login), timeout)
    return _read(response.content, login, request_id_of(response.headers))


def revoke_token(login_url: str, token: str, timeout: float) -> None:
    """Make Salesforce forget a token; a refresh token takes its access tokens along. Raises CrmError.

    One that Salesforce doesn't know any more is as good as revoked.
    """
    try:
        _post(login_url, _REVOKE_PATH, {"token": token}, timeout)
    except CrmError as error:
        if error.code not in ("invalid_token", "unsupported_token_type"):
            raise


def _post(login_url: str, path: str, form: dict[str, str], timeout: float) -> requests.Response:
    failure: CrmError
    with new_session(login_url, timeout) as session:
        try:
            response = session.post(login_url + path, data=form)
        except requests.RequestException as error:
            failure = network_error(error)
        else:
            if response.status_code == 200:
                return response
            failure = request_error(response.status_code, response.content, request_id_of(response.headers))
    failure.outcome_unknown = False
    raise failure


def _form(login: Login) -> dict[str, str]:
    if login.flow == AuthFlow.JWT:
        return {"grant_type": _JWT_GRANT, "assertion": _assertion(login)}
    app = {"client_id": login.client_id, "client_secret": login.client_secret}
    if login.flow == AuthFlow.CLIENT_CREDENTIALS:
        return {"grant_type": "client_credentials", **app}
    if login.consent is None:
        return {"grant_type": "refresh_token", "refresh_token": login.refresh_token, **app}
    return {
        "grant_type": "authorization_code",
        "code": login.consent.code,
        "code_verifier": login.consent.verifier,
        "redirect_uri": login.consent.callback_url,
        **app,
    }


def _assertion(login: Login) -> str:
    claims = {
        "iss": login.client_id,
        "sub": login.username,
        "aud": login.login_url,  # the log-in server's own name, or the My Domain that is asked
        "exp": int(time.time()) + _ASSERTION_SECONDS,
    }
    try:
        return jwt.encode(claims, login.private_key, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        failure = CrmError(
            FailureMode.CONNECTION, "UNREADABLE_KEY", _("The private key can't be used to sign (RSA in PEM).")
        )
    raise failure


def _read(body: bytes, login: Login, request_id: str) -> TokenAnswer:
    failure: CrmError
    try:
        data: Any = json.loads(body)
        token, instance_url = data["access_token"], check_address(data["instance_url"])
        refresh_token = data.get("refresh_token", "")
        if not _is_token(token) or (refresh_token and not _is_token(refresh_token)):
            raise TypeError
    except AddressError as error:
        failure = _refused("UNTRUSTED_INSTANCE", _("Salesforce's answer names another host: %s.") % error)
    except (ValueError, KeyError, TypeError, AttributeError):
        failure = CrmError(
            FailureMode.TRANSIENT,
            "UNREADABLE_ANSWER",
            _("The log-in address answered, but not as Salesforce does."),
            http_status=200,
            request_id=request_id,
        )
    else:
        if not is_loopback(instance_url) or is_loopback(login.login_url):
            org_id, user_id = _identity(text(data.get("id")))
            return TokenAnswer(token, instance_url, org_id, user_id, refresh_token)
        failure = _refused("UNTRUSTED_INSTANCE", _("Salesforce's answer names this machine as its instance."))
    raise failure


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value)


def _refused(code: str, message: str) -> CrmError:
    return CrmError(FailureMode.CONNECTION, code, message, http_status=200)


def _identity(url: str) -> tuple[str, str]:
    """The org's and the user's id from `https://login.salesforce.com/id/<org>/<user>`."""
    parts = url.rstrip("/").split("/")
    try:
        return to_18(parts[-2]), to_18(parts[-1])
    except (IndexError, ValueError):
        return "", ""
