"""How the Access User signs in: as the settings say, or as an admin let it in. Mistakes are named with their remedy."""

from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.utils.translation import gettext as _

from sync.browser_app import browser_login
from sync.crm.hosts import AddressError, check_address
from sync.crm.oauth import Login
from sync.enums import AuthFlow
from sync.errors import CrmError, NotConnectedError
from sync.models import Connection

# Salesforce issues client-credentials tokens at the org's own host only.
_SHARED_HOSTS = ("login.salesforce.com", "test.salesforce.com")


def login_from_settings() -> Login:
    """Return how to sign in. Raises NotConnectedError: one line that names the variable and the remedy."""
    url = _login_url()
    client_id = _required("SALESFORCE_CLIENT_ID", _("the consumer key of the connected app"))
    if settings.SALESFORCE_CLIENT_SECRET and settings.SALESFORCE_JWT_KEY_FILE:
        raise NotConnectedError(
            _(
                "SALESFORCE_CLIENT_SECRET and SALESFORCE_JWT_KEY_FILE are both set. Remove the one that you don't sign "
                "in with."
            )
        )
    if settings.SALESFORCE_JWT_KEY_FILE:
        username = _required("SALESFORCE_JWT_USERNAME", _("the user name of the Access User"))
        return Login(AuthFlow.JWT, url, client_id, private_key=_private_key(), username=username)
    secret = _required(
        "SALESFORCE_CLIENT_SECRET",
        _("the consumer secret of the connected app, or set SALESFORCE_JWT_KEY_FILE and SALESFORCE_JWT_USERNAME"),
    )
    if urlsplit(url).hostname in _SHARED_HOSTS:
        raise NotConnectedError(
            _(
                "SALESFORCE_LOGIN_URL: signing in with a client secret needs your org's own address. Set it to your My "
                "Domain, like https://YOUR-DOMAIN.my.salesforce.com."
            )
        )
    return Login(AuthFlow.CLIENT_CREDENTIALS, url, client_id, client_secret=secret)


def login_of(connection: Connection) -> Login:
    """Return how a connection renews its token: one that was made in the browser goes on as it was let in.

    Raises NotConnectedError: one line that names the remedy.
    """
    if connection.auth_flow == AuthFlow.WEB_SERVER:
        return browser_login(connection.login_url, refresh_token=connection.refresh_token)
    return login_from_settings()


def explained(error: CrmError) -> NotConnectedError:
    """Return an error of signing in as one line that names the variable and the remedy."""
    words = f"{error.code}: {error.message}".rstrip(": ").replace("\n", " ")
    return NotConnectedError(f"{_hint(error)} ({words})")


def _hint(error: CrmError) -> str:
    hints = {
        "invalid_client": _("Salesforce refuses SALESFORCE_CLIENT_SECRET. Copy the app's consumer secret again."),
        "invalid_client_id": _("Salesforce doesn't know SALESFORCE_CLIENT_ID. Copy the app's consumer key again."),
        "inactive_user": _("The Access User is not active in Salesforce. Activate it there."),
        "inactive_org": _("The Salesforce org is locked or closed. Ask Salesforce."),
        "UNREADABLE_KEY": _("SALESFORCE_JWT_KEY_FILE can't be used to sign. Use the RSA private key, in PEM."),
        "UNTRUSTED_INSTANCE": _("SALESFORCE_LOGIN_URL leads to an untrusted address. Check it."),
        "NOT_FOUND": _("Salesforce doesn't know this address. Check SALESFORCE_API_VERSION and SALESFORCE_LOGIN_URL."),
        "TIMEOUT": _("SALESFORCE_LOGIN_URL did not answer in time. Check the address and the network, or try again."),
        "API_DISABLED_FOR_ORG": _("The Access User may not use the API. Give it the permission API Enabled."),
        "API_CURRENTLY_DISABLED": _("The Access User may not use the API. Give it the permission API Enabled."),
    }
    if error.code in hints:
        return hints[error.code]
    if error.code == "invalid_grant":
        return _grant_hint()
    if error.http_status is None or error.code in ("UNREADABLE_ANSWER", "REDIRECTED") or error.code.startswith("HTTP_"):
        return _("SALESFORCE_LOGIN_URL does not answer as Salesforce does. Check the address and the network.")
    return _("Salesforce refused. Check SALESFORCE_LOGIN_URL and the connected app.")


def _grant_hint() -> str:
    if settings.SALESFORCE_JWT_KEY_FILE:
        return _(
            "Salesforce refuses the signature or the user. Check SALESFORCE_JWT_KEY_FILE and SALESFORCE_JWT_USERNAME, "
            "and that the connected app has the certificate and lets this user in."
        )
    return _(
        "Salesforce refuses the connected app. Enable its client credentials flow with the Access User as its user, "
        "and check SALESFORCE_LOGIN_URL."
    )


def _login_url() -> str:
    url = _required("SALESFORCE_LOGIN_URL", _("your My Domain, like https://YOUR-DOMAIN.my.salesforce.com"))
    try:
        address = check_address(url)
    except AddressError as error:
        raise NotConnectedError(_("SALESFORCE_LOGIN_URL can't be used: %(why)s.") % {"why": error}) from None
    if settings.PRODUCTION and address.startswith("http:"):
        raise NotConnectedError(
            _(
                "SALESFORCE_LOGIN_URL can't be used: plain http is for ENVIRONMENT=development only. Use https, or set "
                "ENVIRONMENT=development."
            )
        )
    return address


def _required(name: str, what: str) -> str:
    value: str = getattr(settings, name)
    if not value:
        raise NotConnectedError(_("%(name)s is not set. Set it to %(what)s.") % {"name": name, "what": what})
    return value


def _private_key() -> str:
    """The key file's PEM; whoever can't be read is not shown, because it may hold half a key."""
    problem = ""
    pem = b""
    try:
        pem = Path(settings.SALESFORCE_JWT_KEY_FILE).read_bytes()
        if not isinstance(load_pem_private_key(pem, password=None), RSAPrivateKey):
            problem = _("it holds no RSA key")
    except OSError as error:
        problem = error.strerror or _("it can't be read")
    except (ValueError, TypeError):
        problem = _("it holds no private key in PEM without a password")
    if problem:
        raise NotConnectedError(
            _("SALESFORCE_JWT_KEY_FILE can't be used: %(problem)s. Set it to the path of the app's private key.")
            % {"problem": problem}
        )
    return pem.decode()
