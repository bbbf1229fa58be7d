import time
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sandbox.control import SandboxControl
from tests.sandbox.api import CREDENTIALS, Api, ask_token

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
USERNAME = "access.user@northwind.example"


def key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return private, public


PRIVATE, PUBLIC = key_pair()


def refusal(answer: requests.Response) -> tuple[int, dict[str, str]]:
    return answer.status_code, answer.json()


def test_client_credentials(sandbox: SandboxControl) -> None:
    answer = ask_token(sandbox.url)
    token = answer.json()
    assert answer.status_code == 200
    assert set(token) == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}
    assert (token["instance_url"], token["token_type"]) == (sandbox.url, "Bearer")


def test_client_credentials_by_basic_authentication(sandbox: SandboxControl) -> None:
    url = f"{sandbox.url}/services/oauth2/token"
    form = {"grant_type": "client_credentials"}
    assert requests.post(url, data=form, auth=("sandbox-client", "sandbox-secret"), timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"client_secret": "wrong"}, "invalid_client", "invalid client credentials"),
        ({"client_id": "stranger"}, "invalid_client_id", "client identifier invalid"),
        ({"grant_type": "password"}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant", "expired access/refresh token"),
        ({"grant_type": JWT_GRANT, "assertion": "x.y.z"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_refused_tokens(sandbox: SandboxControl, form: dict[str, str], error: str, description: str) -> None:
    answer = ask_token(sandbox.url, **{**CREDENTIALS, **form})
    assert refusal(answer) == (400, {"error": error, "error_description": description})


def assertion(url: str, private: str = PRIVATE, algorithm: str = "RS256", **claims: Any) -> str:
    base = {"iss": "sandbox-client", "sub": USERNAME, "aud": url, "exp": int(time.time()) + 180}
    return jwt.encode({**base, **claims}, private, algorithm=algorithm)


def ask_by_jwt(sandbox: SandboxControl, signed: str) -> requests.Response:
    return ask_token(sandbox.url, grant_type=JWT_GRANT, assertion=signed)


def test_jwt_bearer(sandbox: SandboxControl) -> None:
    sandbox.register_client("sandbox-client", public_key=PUBLIC)
    for audience in (sandbox.url, "https://login.salesforce.com"):
        answer = ask_by_jwt(sandbox, assertion(sandbox.url, aud=audience))
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "stranger"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@northwind.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1}, "invalid_grant", "expired authorization code"),
        ({"exp": 4_000_000_000}, "invalid_grant", "expired authorization code"),
        ({"sub": "ines.ferro@northwind.example"}, "inactive_user", "user is inactive"),
    ],
)
def test_refused_assertions(sandbox: SandboxControl, claims: dict[str, Any], error: str, description: str) -> None:
    sandbox.register_client("sandbox-client", public_key=PUBLIC)
    answer = ask_by_jwt(sandbox, assertion(sandbox.url, **claims))
    assert refusal(answer) == (400, {"error": error, "error_description": description})


def test_an_assertion_signed_by_another_key_is_refused(sandbox: SandboxControl) -> None:
    sandbox.register_client("sandbox-client", public_key=PUBLIC)
    stranger, _ = key_pair()
    answer = ask_by_jwt(sandbox, assertion(sandbox.url, private=stranger))
    assert refusal(answer) == (400, {"error": "invalid_grant", "error_description": "invalid assertion"})


def test_a_registered_key_that_is_none(sandbox: SandboxControl) -> None:
    sandbox.register_client("sandbox-client", public_key="PEM")
    assert ask_by_jwt(sandbox, assertion(sandbox.url)).json()["error"] == "invalid_grant"


def test_an_assertion_is_refused_while_no_key_is_registered(sandbox: SandboxControl) -> None:
    assert ask_by_jwt(sandbox, assertion(sandbox.url)).json()["error"] == "invalid_grant"


def test_refresh_tokens_rotate_and_work_once(sandbox: SandboxControl) -> None:
    first = sandbox.refresh_token()
    form = {**CREDENTIALS, "grant_type": "refresh_token"}
    token = ask_token(sandbox.url, **form, refresh_token=first).json()
    assert token["refresh_token"] != first
    again = ask_token(sandbox.url, **form, refresh_token=first)
    assert refusal(again)[1]["error"] == "invalid_grant"
    assert ask_token(sandbox.url, **form, refresh_token=token["refresh_token"]).status_code == 200


def test_rotation_can_be_switched_off(sandbox: SandboxControl) -> None:
    sandbox.change_schema(rotate_refresh_tokens=False)
    token = sandbox.refresh_token()
    form = {**CREDENTIALS, "grant_type": "refresh_token", "refresh_token": token}
    assert [ask_token(sandbox.url, **form).json()["refresh_token"] for _ in range(2)] == [token, token]


def test_revoking_an_access_token_ends_its_session(api: Api) -> None:
    token = str(api.session.headers["Authorization"]).removeprefix("Bearer ")
    revoke = f"{api.url}/services/oauth2/revoke"
    assert requests.post(revoke, data={"token": token}, timeout=10).status_code == 200
    assert api.get("/limits").status_code == 401
    again = requests.post(revoke, data={"token": token}, timeout=10)
    assert refusal(again)[1]["error"] == "invalid_token"


def test_revoking_a_refresh_token_ends_its_sessions(sandbox: SandboxControl, api: Api) -> None:
    form = {**CREDENTIALS, "grant_type": "refresh_token", "refresh_token": sandbox.refresh_token()}
    token = ask_token(sandbox.url, **form).json()
    api.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert api.get("/limits").status_code == 200
    requests.post(f"{api.url}/services/oauth2/revoke", data={"token": token["refresh_token"]}, timeout=10)
    assert api.get("/limits").status_code == 401


def test_userinfo_and_identity_name_the_access_user(api: Api) -> None:
    token = api.login()
    identity = api.session.get(token["id"], timeout=10).json()
    userinfo = api.session.get(f"{api.url}/services/oauth2/userinfo", timeout=10).json()
    assert (identity["username"], userinfo["preferred_username"]) == (USERNAME, USERNAME)
    assert token["id"] == f"{api.url}/id/{identity['organization_id']}/{identity['user_id']}"
    assert (userinfo["organization_id"], userinfo["user_id"]) == (identity["organization_id"], identity["user_id"])


@pytest.mark.parametrize("path", ["/services/oauth2/userinfo", "/id/00D000000000001EAA/005000000000001AAA"])
def test_nobody_learns_who_is_logged_in_without_a_session(sandbox: SandboxControl, path: str) -> None:
    assert requests.get(f"{sandbox.url}{path}", timeout=10).status_code == 403


def test_a_deactivated_access_user_is_out(sandbox: SandboxControl, api: Api) -> None:
    access_user = sandbox.rows("User")[0]["Id"]
    sandbox.edit("User", access_user, {"IsActive": False})
    assert api.get("/limits").status_code == 401
    assert refusal(ask_token(sandbox.url))[1]["error"] == "inactive_user"


def test_secrets_are_not_read_back(sandbox: SandboxControl) -> None:
    ask_token(sandbox.url)
    body = sandbox.requests()[-1]["body"]
    assert body == {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "***"}
