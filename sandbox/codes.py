"""Codes of a log-in in the browser, which are exchanged for tokens once."""

import base64
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import OAuthError

if TYPE_CHECKING:
    from sandbox.oauth import Client, OAuth


@dataclass(frozen=True, slots=True)
class Code:
    """What a user allowed: for one app, one callback address and one verifier. `expires_at` is epoch seconds."""

    client_id: str
    user_id: str
    callback: str
    challenge: str
    scope: str
    expires_at: float


def exchange(oauth: "OAuth", form: Mapping[str, str], client: "Client") -> tuple[str, str]:
    """The user id and the scope that a code stands for, once; OAuthError when it is refused."""
    code = oauth.codes.get(form.get("code", ""))
    if code is None or code.client_id != client.id:
        raise OAuthError("invalid_grant", "invalid authorization code")
    if form["code"] in oauth.used_codes or code.expires_at <= time.time():
        raise OAuthError("invalid_grant", "expired authorization code")
    oauth.used_codes.add(form["code"])
    if form.get("redirect_uri") != code.callback:
        raise OAuthError("redirect_uri_mismatch", "redirect_uri must match configuration")
    if challenge_of(form.get("code_verifier", "")) != code.challenge:
        raise OAuthError("invalid_grant", "invalid code verifier")
    return code.user_id, code.scope


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
