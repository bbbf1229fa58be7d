"""The app as which Playbooks asks to be let in, in the browser: its key, where it logs in and where it comes back."""

from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import TextChoices
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.crm.hosts import AddressError, check_address
from sync.crm.oauth import Consent, Login
from sync.enums import AuthFlow
from sync.errors import NotConnectedError


class Place(TextChoices):
    """Where an admin logs in to Salesforce."""

    PRODUCTION = "production", gettext_lazy("Production (login.salesforce.com)")
    SANDBOX = "sandbox", gettext_lazy("Sandbox (test.salesforce.com)")
    MY_DOMAIN = "my_domain", gettext_lazy("My Domain")


_ADDRESSES = {
    Place.PRODUCTION: "https://login.salesforce.com",
    Place.SANDBOX: "https://test.salesforce.com",
}


def missing_settings() -> list[tuple[str, str]]:
    """Return the variables that are not set, each with what it has to be."""
    needed = (
        ("SALESFORCE_CLIENT_ID", _("the consumer key of the connected app")),
        ("SALESFORCE_CLIENT_SECRET", _("the consumer secret of the connected app")),
    )
    return [(name, what) for name, what in needed if not getattr(settings, name)]


def callback_url() -> str:
    """Return the address that the connected app has to name, and to which Salesforce sends the browser back."""
    path: str = reverse("crm_connection_callback")
    return settings.SITE_URL.rstrip("/") + path


def browser_login(login_url: str, *, consent: Consent | None = None, refresh_token: str = "") -> Login:
    """Return how to sign in as whom an admin let in. Raises NotConnectedError, with the remedy."""
    if missing := missing_settings():
        name, what = missing[0]
        raise NotConnectedError(_("%(name)s is not set. Set it to %(what)s.") % {"name": name, "what": what})
    if consent is None and not refresh_token:
        raise NotConnectedError(_("No refresh token is stored. Connect again under Settings, CRM, Connection."))
    return Login(
        AuthFlow.WEB_SERVER,
        login_url,
        settings.SALESFORCE_CLIENT_ID,
        client_secret=settings.SALESFORCE_CLIENT_SECRET,
        refresh_token=refresh_token,
        consent=consent,
    )


def login_address(place: Place, my_domain: str) -> str:
    """Return the address to log in at; of `my_domain`, what follows the host is left out. Raises AddressError."""
    if place != Place.MY_DOMAIN:
        return _ADDRESSES[place]
    entered = my_domain.strip()
    if "://" not in entered:
        entered = f"https://{entered}"
    try:
        parts = urlsplit(entered)
    except ValueError:
        raise AddressError(_("it is not an address")) from None
    address = check_address(f"{parts.scheme}://{parts.netloc}")
    if settings.PRODUCTION and address.startswith("http:"):
        raise AddressError(_("plain http is for ENVIRONMENT=development only; use https"))
    return address


def place_of(login_url: str) -> Place:
    """Return which choice an address stands for."""
    return next((place for place, address in _ADDRESSES.items() if address == login_url), Place.MY_DOMAIN)
