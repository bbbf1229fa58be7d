"""Token requests (M23): client credentials, JWT, and every answer that is none."""

import json
import traceback

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.control import SandboxControl
from sync.crm.oauth import Consent, Login, request_token, revoke_token
from sync.enums import AuthFlow, FailureMode
from sync.errors import CrmError
from tests.sync.crm.conftest import Answering, http

SECRET = "do-not-tell"


def refused(login: Login, timeout: float = 5) -> CrmError:
    with pytest.raises(CrmError) as failure:
        request_token(login, timeout)
    error = failure.value
    assert not error.outcome_unknown
    assert (error.__cause__, error.__context__) == (None, None)
    return error


def with_secret(url: str, secret: str = SECRET) -> Login:
    return Login(AuthFlow.CLIENT_CREDENTIALS, url, "sandbox-client", client_secret=secret)


def test_client_credentials(login: Login, sandbox: SandboxControl) -> None:
    answer = request_token(login, 5)
    assert answer.instance_url == sandbox.url
    assert answer.org_id == sandbox.rows("Organization")[0]["Id"]
    assert answer.user_id == sandbox.rows("User")[0]["Id"]
    assert answer.access_token.startswith(answer.org_id[:15])
    assert "access_token" not in repr(answer)
    (received,) = sandbox.requests()
    assert received["path"] == "/services/oauth2/token"  # the secret stands in the body, not in the address
    assert list(received["body"]) == ["grant_type", "client_id", "client_secret"]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def private_pem(key: rsa.RSAPrivateKey) -> str:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


@pytest.fixture
def jwt_login(sandbox: SandboxControl, key: rsa.RSAPrivateKey, private_pem: str) -> Login:
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    sandbox.register_client("jwt-client", public_key=public.decode())
    username = sandbox.rows("User")[0]["Username"]
    return Login(AuthFlow.JWT, sandbox.url, "jwt-client", private_key=private_pem, username=username)


def test_jwt_bearer(jwt_login: Login, sandbox: SandboxControl) -> None:
    assert request_token(jwt_login, 5).user_id == sandbox.rows("User")[0]["Id"]


def test_jwt_of_another_key_is_refused(jwt_login: Login, sandbox: SandboxControl) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    forged = Login(AuthFlow.JWT, sandbox.url, "jwt-client", private_key=pem.decode(), username=jwt_login.username)
    error = refused(forged)
    assert (error.mode, error.code) == (FailureMode.CONNECTION, "invalid_grant")


def test_a_key_that_is_none_is_named(sandbox: SandboxControl) -> None:
    error = refused(Login(AuthFlow.JWT, sandbox.url, "jwt-client", private_key="no key", username="x"))
    assert (error.mode, error.code) == (FailureMode.CONNECTION, "UNREADABLE_KEY")
    assert sandbox.stats()["token_calls"] == 0


@pytest.mark.parametrize(
    ("client_id", "secret", "code", "message"),
    [
        ("sandbox-client", SECRET, "invalid_client", "invalid client credentials"),
        ("stranger", SECRET, "invalid_client_id", "client identifier invalid"),
    ],
)
def test_m21_a_refused_client_is_told_in_salesforce_s_words(
    sandbox: SandboxControl, client_id: str, secret: str, code: str, message: str
) -> None:
    error = refused(Login(AuthFlow.CLIENT_CREDENTIALS, sandbox.url, client_id, client_secret=secret))
    assert (error.mode, error.code, error.message) == (FailureMode.CONNECTION, code, message)
    assert (error.http_status, bool(error.request_id)) == (400, True)


@pytest.mark.parametrize("fault", ["invalid_grant", "inactive_user"])
def test_m23_a_lost_access_user_is_a_matter_of_the_connection(
    login: Login, sandbox: SandboxControl, fault: str
) -> None:
    sandbox.add_fault(fault)
    error = refused(login)
    assert (error.mode, error.code) == (FailureMode.CONNECTION, fault)


def test_a_busy_log_in_is_transient(login: Login, sandbox: SandboxControl) -> None:
    sandbox.add_fault("http_error", status=503, match={"path": "oauth2/token"})
    assert refused(login).mode == FailureMode.TRANSIENT


def test_a_silent_log_in_is_transient(login: Login, sandbox: SandboxControl) -> None:
    sandbox.add_fault("latency", ms=2000, match={"path": "oauth2/token"}, times=1)
    error = refused(login, timeout=0.2)
    assert (error.mode, error.code) == (FailureMode.TRANSIENT, "TIMEOUT")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Log in</html>",
        b"",
        b"[]",
        b"{}",
        b"7",
        b'{"access_token": "t"}',
        b'{"access_token": 7, "instance_url": "http://127.0.0.1:1"}',
        b'{"access_token": "a\\nb", "instance_url": "http://127.0.0.1:1"}',
        b'{"access_token": "", "instance_url": "http://127.0.0.1:1"}',
        b'{"access_token": "t", "instance_url": 7}',
        b'{"access_token": "t", "instance_url": "http://127.0.0.1:1", "refresh_token": 7}',
        b'{"access_token": "t", "instance_url": "http://127.0.0.1:1", "refresh_token": "a\\nb"}',
    ],
)
def test_an_answer_that_is_no_token_is_told(answering: Answering, body: bytes) -> None:
    error = refused(with_secret(answering(http(200, body))))
    assert (error.mode, error.code, error.http_status) == (FailureMode.TRANSIENT, "UNREADABLE_ANSWER", 200)


@pytest.mark.parametrize(
    "instance_url",
    ["https://evil.example", "http://northwind.my.salesforce.com", "https://x@northwind.my.salesforce.com", ""],
)
def test_the_token_goes_to_no_stranger(answering: Answering, instance_url: str) -> None:
    body = json.dumps({"access_token": "t", "instance_url": instance_url}).encode()
    error = refused(with_secret(answering(http(200, body))))
    assert (error.mode, error.code) == (FailureMode.CONNECTION, "UNTRUSTED_INSTANCE")


def test_the_latest_instance_url_counts(answering: Answering) -> None:
    body = json.dumps({"access_token": "t", "instance_url": "https://northwind.my.salesforce.com/"}).encode()
    answer = request_token(with_secret(answering(http(200, body))), 5)
    assert answer.instance_url == "https://northwind.my.salesforce.com"
    assert (answer.org_id, answer.user_id) == ("", "")


def test_no_secret_stands_in_an_error(sandbox: SandboxControl) -> None:
    login = with_secret(sandbox.url)
    error = refused(login)
    told = "".join(traceback.format_exception(error)) + repr(error) + error.message + repr(login)
    assert SECRET not in told
    assert sandbox.url.rpartition(":")[2] not in "".join(traceback.format_exception(error))


def test_a_refresh_token_is_given_anew_where_it_rotates(sandbox: SandboxControl) -> None:
    login = Login(
        AuthFlow.WEB_SERVER,
        sandbox.url,
        "sandbox-client",
        client_secret="sandbox-secret",
        refresh_token=sandbox.refresh_token(),
    )
    answer = request_token(login, 5)
    assert answer.refresh_token not in ("", login.refresh_token)
    assert refused(login).code == "invalid_grant"
    assert repr(answer).count(answer.refresh_token) == 0


def test_a_code_is_exchanged_with_its_verifier(sandbox: SandboxControl) -> None:
    consent = Consent("aPrx-code", "the-verifier", "https://playbooks.example/callback/")
    login = Login(AuthFlow.WEB_SERVER, sandbox.url, "sandbox-client", client_secret="sandbox-secret", consent=consent)
    assert (refused(login).code, repr(login).count("aPrx"), repr(login).count("verifier")) == ("invalid_grant", 0, 0)
    assert sandbox.requests()[-1]["body"] == {
        "grant_type": "authorization_code",
        "code": "***",
        "code_verifier": "***",
        "redirect_uri": "https://playbooks.example/callback/",
        "client_id": "sandbox-client",
        "client_secret": "***",
    }


def test_a_token_is_revoked_and_one_that_nobody_knows_is_as_good_as_revoked(sandbox: SandboxControl) -> None:
    token = sandbox.refresh_token()
    for _time in range(2):
        revoke_token(sandbox.url, token, 5)
    assert [each["status"] for each in sandbox.requests()] == [200, 400]


def test_what_keeps_a_token_from_being_revoked_is_told(sandbox: SandboxControl) -> None:
    sandbox.add_fault("http_error", status=503, match={"path": "oauth2/revoke"})
    with pytest.raises(CrmError) as failure:
        revoke_token(sandbox.url, "x", 5)
    assert (failure.value.code, failure.value.outcome_unknown) == ("HTTP_503", False)
