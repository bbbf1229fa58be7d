"""What the tests of logging in share: going in by the page, and a second factor."""

import time

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.http import HttpResponse
from django.test import Client

from teams.models import User
from tests.people import PASSWORD

LOG_IN = "/accounts/login/"


def log_in(email: str, password: str = PASSWORD, client: Client | None = None, **fields: str) -> HttpResponse:
    data = {"login": email, "password": password, **fields}
    response: HttpResponse = (client or Client()).post(LOG_IN, data)  # type: ignore[assignment]
    return response


def code_now(secret: str) -> str:
    """The code that an authenticator app shows at this moment."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def give_app(user: User) -> str:
    """Set up an authenticator app for `user`; its secret."""
    secret = str(generate_totp_secret())
    TOTP.activate(user, secret)
    return secret
