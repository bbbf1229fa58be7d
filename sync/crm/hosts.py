"""Which addresses a secret may be sent to: Salesforce's own over https, and this machine."""

import ipaddress
import re
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

# The API answers at login.salesforce.com, test.salesforce.com and below My Domain (*.my.salesforce.com,
# *.sandbox.my.salesforce.com, *.my.salesforce.mil). Sites that customers build are served elsewhere (force.com,
# my.site.com), so these are not accepted.
_SALESFORCE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+salesforce\.(?:com|mil)")


class AddressError(ValueError):
    """An address that no secret may be sent to; the message says why, without the address."""


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = (urlsplit(url).hostname or "").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(url: str) -> str:
    """Return `scheme://host[:port]` of an address that may be trusted. Raises AddressError for any other."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise AddressError(_("it is not an address")) from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host:
        raise AddressError(_("it must begin with https:// and a host name"))
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise AddressError(_("it must hold a host name only, no user, path or query"))
    if not is_loopback(url):
        _check_salesforce(parts.scheme, host, port)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _check_salesforce(scheme: str, host: str, port: int | None) -> None:
    if scheme != "https":
        raise AddressError(_("plain http is accepted for this machine's own addresses only; use https"))
    if not _SALESFORCE.fullmatch(host) or port not in (None, 443):
        raise AddressError(
            _("the host is not Salesforce's; use login.salesforce.com, test.salesforce.com or your My Domain")
        )
