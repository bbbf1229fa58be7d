"""Where a webhook may go: an address of the internet, or of a private network that the settings name.

Checked when an address is saved, and again each time before something is sent there, on the very IP addresses to which
the connection is then made: a name that leads elsewhere a moment later changes nothing.
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

import idna
from django.utils.translation import gettext as _

from sync.enums import WebhookError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS = {"http": 80, "https": 443}
# IPv6 networks that carry an IPv4 address to whoever stands behind it (NAT64, RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
# No web address holds these as they are.
_NEVER = frozenset('\\"<>^`{|}\x7f')


class AddressRefusedError(Exception):
    """Nothing may be sent there; `str()` says why, with the remedy."""

    def __init__(self, kind: WebhookError, words: str) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Target:
    """An address as it is asked for, and the IP addresses at which it may be asked."""

    scheme: str
    host: str  # in ASCII, without brackets
    port: int
    path: str
    ips: tuple[Address, ...]

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str, private_networks: Sequence[Network]) -> Target:
    """Return where `url` leads today. Raises AddressRefusedError; asks the name server."""
    scheme, host, port, path = _parts(url)
    ips = _resolve(host, port)
    private = [ip for ip in ips if _is_in(ip, private_networks)]
    if refused := [ip for ip in ips if ip not in private and not is_public(ip)]:
        raise AddressRefusedError(
            WebhookError.ADDRESS,
            _(
                "%(host)s is not on the internet. Name a public address, or let whoever runs this site allow that "
                "network (WEBHOOK_PRIVATE_NETWORKS)."
            )
            % {"host": host if host == str(refused[0]) else f"{host} ({refused[0]})"},
        )
    if scheme != "https" and len(private) < len(ips):
        raise AddressRefusedError(WebhookError.ADDRESS, _("Begin it with https://: http could be read on its way."))
    return Target(scheme, host, port, path, ips)


def is_public(ip: Address) -> bool:
    """Whether an address is somebody's on the internet. Python's is_global lets some through that are not."""
    ip = _inner(ip)
    if isinstance(ip, IPv6Address) and (ip.is_site_local or ip.sixtofour is not None or ip.teredo is not None):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local)


def _inner(ip: Address) -> Address:
    """An IPv4 address is judged as such, also where IPv6 carries it."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


def _is_in(ip: Address, networks: Iterable[Network]) -> bool:
    ip = _inner(ip)
    return any(ip in network for network in networks)


def _parts(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and the path with its query. Only a host name may have letters of other scripts."""
    wrong = AddressRefusedError(
        WebhookError.ADDRESS, _("This is no web address. Enter one like https://example.com/webhooks.")
    )
    if any(letter <= " " or letter in _NEVER for letter in url):
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
        host = (parts.hostname or "").rstrip(".")
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except (ValueError, idna.IDNAError):
        raise wrong from None
    if parts.scheme not in PORTS or not host or parts.netloc.endswith(":0") or not (parts.path + parts.query).isascii():
        raise wrong
    if "@" in parts.netloc:
        raise AddressRefusedError(
            WebhookError.ADDRESS, _("Leave out user name and password: what is sent is signed instead.")
        )
    if parts.fragment:
        raise AddressRefusedError(WebhookError.ADDRESS, _("Leave out what follows #: it is never sent."))
    path = parts.path or "/"
    return parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path


def _resolve(host: str, port: int) -> tuple[Address, ...]:
    """Return the IP addresses of a host, in the system's order."""
    try:
        return (ipaddress.ip_address(host),)
    except ValueError:
        pass  # a name
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # A scope (fe80::1%eth0) is of this machine's own.
        ips = [ipaddress.ip_address(str(each[4][0])) for each in found]
    except (OSError, UnicodeError, ValueError):
        raise AddressRefusedError(
            WebhookError.NAME, _("The host name %(host)s can't be resolved. Is it written correctly?") % {"host": host}
        ) from None
    if not ips:
        raise AddressRefusedError(WebhookError.NAME, _("The host name %(host)s has no address.") % {"host": host})
    return tuple(dict.fromkeys(ips))
