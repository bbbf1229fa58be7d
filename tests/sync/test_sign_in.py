"""Every mistake in the settings is one line that names the variable and the remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pytest_django import Settings

from sync.crm.oauth import Login
from sync.enums import AuthFlow, FailureMode
from sync.errors import CrmError, NotConnectedError
from sync.sign_in import explained, login_from_settings

MY_DOMAIN = "https://northwind.my.salesforce.com"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def good_settings(settings: Settings) -> Settings:
    settings.PRODUCTION = True
    settings.SALESFORCE_LOGIN_URL = MY_DOMAIN
    settings.SALESFORCE_CLIENT_ID = "client"
    settings.SALESFORCE_CLIENT_SECRET = "secret"
    settings.SALESFORCE_JWT_KEY_FILE = ""
    settings.SALESFORCE_JWT_USERNAME = ""
    return settings


@pytest.fixture
def key_file(settings: Settings, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that makes the settings sign in with a key file of that content."""

    def write(content: str) -> None:
        path = tmp_path / "key.pem"
        path.write_text(content)
        settings.SALESFORCE_CLIENT_SECRET = ""
        settings.SALESFORCE_JWT_KEY_FILE = str(path)
        settings.SALESFORCE_JWT_USERNAME = "access@northwind.example"

    return write


def refusal() -> str:
    with pytest.raises(NotConnectedError) as failure:
        login_from_settings()
    assert (failure.value.__cause__, "\n" in str(failure.value)) == (None, False)
    return str(failure.value)


def test_client_credentials() -> None:
    login = login_from_settings()
    assert login == Login(AuthFlow.CLIENT_CREDENTIALS, MY_DOMAIN, "client", client_secret="secret")
    assert "secret" not in repr(login)


def test_jwt(key_file: Callable[[str], None], rsa_key: rsa.RSAPrivateKey) -> None:
    key_file(pem(rsa_key))
    login = login_from_settings()
    assert (login.flow, login.username, login.private_key) == (
        AuthFlow.JWT,
        "access@northwind.example",
        pem(rsa_key),
    )
    assert "PRIVATE KEY" not in repr(login)


def test_jwt_may_use_the_shared_host(
    key_file: Callable[[str], None], rsa_key: rsa.RSAPrivateKey, settings: Settings
) -> None:
    key_file(pem(rsa_key))
    settings.SALESFORCE_LOGIN_URL = "https://login.salesforce.com"
    assert login_from_settings().login_url == "https://login.salesforce.com"


UNUSABLE = "SALESFORCE_LOGIN_URL can't be used: "
STRANGER = UNUSABLE + ("the host is not Salesforce's; use login.salesforce.com, test.salesforce.com or your My Domain.")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"SALESFORCE_LOGIN_URL": ""},
            "SALESFORCE_LOGIN_URL is not set. Set it to your My Domain, like https://YOUR-DOMAIN.my.salesforce.com.",
        ),
        (
            {"SALESFORCE_CLIENT_ID": ""},
            "SALESFORCE_CLIENT_ID is not set. Set it to the consumer key of the connected app.",
        ),
        (
            {"SALESFORCE_CLIENT_SECRET": ""},
            (
                "SALESFORCE_CLIENT_SECRET is not set. Set it to the consumer secret of the connected app, or set "
                "SALESFORCE_JWT_KEY_FILE and SALESFORCE_JWT_USERNAME."
            ),
        ),
        (
            {"SALESFORCE_JWT_KEY_FILE": "key.pem"},
            (
                "SALESFORCE_CLIENT_SECRET and SALESFORCE_JWT_KEY_FILE are both set. Remove the one that you don't sign "
                "in with."
            ),
        ),
        (
            {"SALESFORCE_CLIENT_SECRET": "", "SALESFORCE_JWT_KEY_FILE": "key.pem"},
            "SALESFORCE_JWT_USERNAME is not set. Set it to the user name of the Access User.",
        ),
        (
            {"SALESFORCE_LOGIN_URL": "http://northwind.my.salesforce.com"},
            UNUSABLE + "plain http is accepted for this machine's own addresses only; use https.",
        ),
        ({"SALESFORCE_LOGIN_URL": "https://salesforce.example"}, STRANGER),
        ({"SALESFORCE_LOGIN_URL": "https://northwind.lightning.force.com"}, STRANGER),
        (
            {"SALESFORCE_LOGIN_URL": "northwind.my.salesforce.com"},
            UNUSABLE + "it must begin with https:// and a host name.",
        ),
        (
            {"SALESFORCE_LOGIN_URL": "http://127.0.0.1:8100"},
            UNUSABLE + "plain http is for ENVIRONMENT=development only. Use https, or set ENVIRONMENT=development.",
        ),
        (
            {"SALESFORCE_LOGIN_URL": "https://test.salesforce.com"},
            (
                "SALESFORCE_LOGIN_URL: signing in with a client secret needs your org's own address. Set it to your My "
                "Domain, like https://YOUR-DOMAIN.my.salesforce.com."
            ),
        ),
    ],
    ids=lambda value: "-".join(f"{n}={v}" for n, v in value.items()) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_named_with_its_remedy(settings: Settings, changes: dict[str, str], message: str) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert refusal() == message


def test_the_sandbox_is_for_development(settings: Settings) -> None:
    settings.PRODUCTION = False
    settings.SALESFORCE_LOGIN_URL = "http://127.0.0.1:8100/"
    assert login_from_settings().login_url == "http://127.0.0.1:8100"


KEY_FILE = "SALESFORCE_JWT_KEY_FILE can't be used: {}. Set it to the path of the app's private key."


def test_a_missing_key_file_is_named(key_file: Callable[[str], None], settings: Settings, tmp_path: Path) -> None:
    key_file("")
    settings.SALESFORCE_JWT_KEY_FILE = str(tmp_path / "elsewhere.pem")
    assert refusal() == KEY_FILE.format("No such file or directory")
    settings.SALESFORCE_JWT_KEY_FILE = str(tmp_path)
    assert refusal() == KEY_FILE.format("Is a directory")


@pytest.mark.parametrize("content", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_named(key_file: Callable[[str], None], content: str) -> None:
    key_file(content)
    assert refusal() == KEY_FILE.format("it holds no private key in PEM without a password")


def test_a_key_with_a_password_is_named(key_file: Callable[[str], None], rsa_key: rsa.RSAPrivateKey) -> None:
    key_file(pem(rsa_key, b"password"))
    assert refusal() == KEY_FILE.format("it holds no private key in PEM without a password")


def test_another_kind_of_key_is_named(key_file: Callable[[str], None]) -> None:
    key_file(pem(ec.generate_private_key(ec.SECP256R1())))
    assert refusal() == KEY_FILE.format("it holds no RSA key")


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("invalid_client", 400, "Salesforce refuses SALESFORCE_CLIENT_SECRET."),
        ("invalid_client_id", 400, "Salesforce doesn't know SALESFORCE_CLIENT_ID."),
        ("inactive_user", 400, "The Access User is not active in Salesforce."),
        ("invalid_grant", 400, "Salesforce refuses the connected app. Enable its client credentials flow"),
        ("HTTP_404", 404, "SALESFORCE_LOGIN_URL does not answer as Salesforce does."),
        ("UNREADABLE_ANSWER", 200, "SALESFORCE_LOGIN_URL does not answer as Salesforce does."),
        ("UNREACHABLE", None, "SALESFORCE_LOGIN_URL does not answer as Salesforce does."),
        ("TIMEOUT", None, "SALESFORCE_LOGIN_URL did not answer in time."),
        ("UNTRUSTED_INSTANCE", 200, "SALESFORCE_LOGIN_URL leads to an untrusted address."),
        ("API_DISABLED_FOR_ORG", 403, "The Access User may not use the API."),
        ("SOMETHING_NEW", 400, "Salesforce refused. Check SALESFORCE_LOGIN_URL and the connected app."),
    ],
)
def test_a_refusal_is_explained_and_quoted(code: str, status: int | None, words: str) -> None:
    error = explained(CrmError(FailureMode.CONNECTION, code, "their\nwords", http_status=status))
    assert str(error).startswith(words)
    assert str(error).endswith(f"({code}: their words)")


def test_a_refused_signature_names_what_it_is_made_of(settings: Settings) -> None:
    settings.SALESFORCE_JWT_KEY_FILE = "key.pem"
    error = explained(CrmError(FailureMode.CONNECTION, "invalid_grant", "", http_status=400))
    assert str(error).startswith("Salesforce refuses the signature or the user. Check SALESFORCE_JWT_KEY_FILE")
    assert str(error).endswith("(invalid_grant)")
