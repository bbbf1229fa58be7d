"""Asking Salesforce for an access token without a browser: client credentials and JWT bearer."""

import json
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

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
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Salesforce accepts an assertion whose end is at most this far away; its clock may be ahead or behind.
_ASSERTION_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Login:
    """How to sign in. `client_secret` for client credentials; `private_key` (PEM) and `username` for JWT."""

    flow: AuthFlow
    login_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    username: str = ""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint gave; ids have 18 characters, empty when it doesn't say."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str = ""
    user_id: str = ""


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


def request_token(login: Login, timeout: float) -> TokenAnswer:
    """Ask for a token: one call, `timeout` in seconds.

    Raises CrmError with the token endpoint's own code and message. Its outcome is never "unknown": nothing was written.
    """
    form = _form(login)
    failure: CrmError
    with new_session(login.login_url, timeout) as session:
        try:
            response = session.post(login.login_url + _TOKEN_PATH, data=form)
        except requests.RequestException as error:
            failure = network_error(error)
        else:
            if response.status_code == 200:
                return _read(response.content, login, request_id_of(response.headers))
            failure = request_error(response.status_code, response.content, request_id_of(response.headers))
    failure.outcome_unknown = False
    raise failure


def _form(login: Login) -> dict[str, str]:
    if login.flow == AuthFlow.CLIENT_CREDENTIALS:
        return {
            "grant_type": "client_credentials",
            "client_id": login.client_id,
            "client_secret": login.client_secret,
        }
    return {"grant_type": _JWT_GRANT, "assertion": _assertion(login)}


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
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
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
            return TokenAnswer(token, instance_url, org_id, user_id)
        failure = _refused("UNTRUSTED_INSTANCE", _("Salesforce's answer names this machine as its instance."))
    raise failure


def _refused(code: str, message: str) -> CrmError:
    return CrmError(FailureMode.CONNECTION, code, message, http_status=200)


def _identity(url: str) -> tuple[str, str]:
    """The org's and the user's id from `https://login.salesforce.com/id/<org>/<user>`."""
    parts = url.rstrip("/").split("/")
    try:
        return to_18(parts[-2]), to_18(parts[-1])
    except (IndexError, ValueError):
        return "", ""
