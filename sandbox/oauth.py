"""Who may come in: clients, the token endpoint's four grants, sessions and their end."""

import base64
import binascii
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.codes import Code, exchange
from sandbox.errors import OAuthError

if TYPE_CHECKING:
    from sandbox.org import Org

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


@dataclass(slots=True)
class Client:
    """A connected app; client credentials run as `user_id`. Without `callback_urls`, this machine's are taken."""

    id: str
    secret: str
    user_id: str
    public_key: str | None = None
    callback_urls: tuple[str, ...] | None = None
    scopes: tuple[str, ...] = ("api", "refresh_token")


@dataclass(frozen=True, slots=True)
class Session:
    token: str
    user_id: str
    client_id: str
    refresh_token: str | None = None


class OAuth:
    """Clients, sessions and refresh tokens of an org. The org's lock is held by the caller."""

    def __init__(self, org: "Org") -> None:
        self.org = org
        self.clients: dict[str, Client] = {}
        self.sessions: dict[str, Session] = {}
        self.refresh_tokens: dict[str, tuple[str, str]] = {}
        self.rotate = True
        self.codes: dict[str, Code] = {}
        self.used_codes: set[str] = set()
        self.code_seconds: float = 900

    def token(self, form: Mapping[str, str], basic: tuple[str, str] | None, base_url: str) -> dict[str, str]:
        """The answer to `POST /services/oauth2/token`; OAuthError when refused."""
        grant = form.get("grant_type", "")
        if grant == JWT_GRANT:
            client, user_id = self._by_assertion(form.get("assertion", ""), base_url)
            refresh = None
        elif grant == "client_credentials":
            client = self._client(form, basic)
            user_id, refresh = client.user_id, None
        elif grant == "authorization_code":
            client = self._client(form, basic)
            user_id, scope = exchange(self, form, client)
            refresh = self.new_refresh_token(client.id, user_id) if "refresh_token" in scope.split() else None
        elif grant == "refresh_token":
            client = self._client(form, basic)
            user_id, refresh = self._by_refresh(form.get("refresh_token", ""), client)
        else:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        self._require_active(user_id)
        return self._answer(client, user_id, refresh, base_url)

    def new_refresh_token(self, client_id: str, user_id: str) -> str:
        token = "5Aep" + secrets.token_urlsafe(48)
        self.refresh_tokens[token] = (client_id, user_id)
        return token

    def session(self, authorization: str | None) -> Session | None:
        """The live session of a header `Bearer …` or `OAuth …`, whose user must be active."""
        scheme, _, token = (authorization or "").partition(" ")
        session = self.sessions.get(token.strip()) if scheme.lower() in ("bearer", "oauth") else None
        if session is None:
            return None
        user = self.org.store.row("User", session.user_id)
        return session if user is not None and user.get("IsActive") else None

    def expire_all(self) -> None:
        """End every session; refresh tokens stay."""
        self.sessions.clear()

    def revoke(self, token: str) -> bool:
        """End a session, or a refresh token with all its sessions; False when nobody knows the token."""
        if token in self.refresh_tokens:
            del self.refresh_tokens[token]
            self.sessions = {key: one for key, one in self.sessions.items() if one.refresh_token != token}
            return True
        return self.sessions.pop(token, None) is not None

    def _client(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> Client:
        client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        client = self.clients.get(client_id)
        if client is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not secrets.compare_digest(client.secret.encode(), secret.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")
        return client

    def _by_refresh(self, token: str, client: Client) -> tuple[str, str]:
        known = self.refresh_tokens.get(token)
        if known is None or known[0] != client.id:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        user_id = known[1]
        if not self.rotate:
            return user_id, token
        del self.refresh_tokens[token]
        return user_id, self.new_refresh_token(client.id, user_id)

    def _require_active(self, user_id: str) -> None:
        user = self.org.store.row("User", user_id)
        if user is None or not user.get("IsActive"):
            raise OAuthError("inactive_user", "user is inactive")

    def _by_assertion(self, assertion: str, base_url: str) -> tuple[Client, str]:
        claims = _claims(assertion)
        client = self.clients.get(str(claims.get("iss")))
        if client is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if client.public_key is None or not _signed_by(assertion, client.public_key):
            raise OAuthError("invalid_grant", "invalid assertion")
        if str(claims.get("aud", "")).rstrip("/") not in (*_AUDIENCES, base_url.rstrip("/")):
            raise OAuthError("invalid_grant", "audience is invalid")
        expires = claims.get("exp")
        if not isinstance(expires, (int, float)) or not time.time() < expires <= time.time() + 600:
            raise OAuthError("invalid_grant", "expired authorization code")
        for user in self.org.store.tables["User"].matches("Username", str(claims.get("sub"))):
            return client, str(user["Id"])
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")

    def _answer(self, client: Client, user_id: str, refresh: str | None, base_url: str) -> dict[str, str]:
        token = f"{self.org.id[:15]}!AQ{secrets.token_urlsafe(60)}"
        self.sessions[token] = Session(token, user_id, client.id, refresh)
        issued = str(int(time.time() * 1000))
        identity = f"{base_url}/id/{self.org.id}/{user_id}"
        signature = base64.b64encode(hashlib.sha256((identity + issued).encode()).digest()).decode()
        answer = {
            "access_token": token,
            "signature": signature,
            "scope": "id api" + (" refresh_token" if refresh else ""),
            "instance_url": self.org.instance_url or base_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        }
        return answer | ({"refresh_token": refresh} if refresh else {})


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _claims(assertion: str) -> dict[str, Any]:
    try:
        header, payload, _ = assertion.split(".")
        if json.loads(_decoded(header)).get("alg") != "RS256":
            raise OAuthError("invalid_grant", "algorithm not supported")
        claims = json.loads(_decoded(payload))
    except (ValueError, binascii.Error, AttributeError) as error:
        raise OAuthError("invalid_grant", "invalid assertion") from error
    if not isinstance(claims, dict):
        raise OAuthError("invalid_grant", "invalid assertion")
    return claims


def _signed_by(assertion: str, public_key: str) -> bool:
    """Whether the assertion's RS256 signature was made with the private half of a PEM public key."""
    try:
        key = serialization.load_pem_public_key(public_key.encode())
    except ValueError:
        return False
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    signed, _, signature = assertion.rpartition(".")
    try:
        key.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True
