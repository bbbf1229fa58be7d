"""Domains and addresses in one spelling: domains in ASCII and lower case, local parts in lower case.

The same spelling for what a rule says and for what a message's headers say; what can't be brought into it raises
`ValueError` for a rule and is compared as it stands for a message.
"""

import re
import unicodedata
from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

MAX_DOMAIN = 253
MAX_LOCAL_PART = 64

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# What may stand before the "@" without quotes, and letters of other scripts (RFC 6531).
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_UNQUOTED = re.compile(r'[^\s"(),:;<>@\[\\\]\x00-\x20\x7f]+')

# Where anybody can have an address: a rule on such a domain stops mail with customers as well as private mail.
_FREE_MAIL = """
126.com 163.com aol.com bluewin.ch btinternet.com comcast.net fastmail.com free.fr freenet.de gmail.com gmx.at gmx.ch
gmx.com gmx.de gmx.net googlemail.com hotmail.co.uk hotmail.com hotmail.de hotmail.fr hotmail.it icloud.com inbox.ru
laposte.net libero.it live.co.uk live.com mac.com mail.com mail.ru me.com msn.com naver.com orange.fr outlook.com
outlook.de outlook.es outlook.fr posteo.de proton.me protonmail.com qq.com rediffmail.com rocketmail.com seznam.cz
sina.com t-online.de tutanota.com verizon.net virgilio.it wanadoo.fr web.de wp.pl yahoo.ca yahoo.co.in yahoo.co.jp
yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com
zohomail.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """Return `domain` in ASCII and lower case (IDNA 2008 with UTS 46). ValueError: it can't be one."""
    domain = domain.strip().lower().removesuffix(".")
    if len(domain) > MAX_DOMAIN:  # before idna, which takes its time over long ones
        raise ValueError("too long")
    if not domain.isascii() or "xn--" in domain:
        domain = idna.encode(domain, uts46=True).decode("ascii")  # IDNAError is a ValueError
    labels = domain.split(".")
    if len(domain) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise ValueError("not a domain")
    return domain


def ascii_address(address: str) -> str:
    """Return `address` as it is compared. ValueError: it can't be one (or is one that nobody has: quoted, at an IP)."""
    local, _at, domain = address.strip().rpartition("@")
    local = unicodedata.normalize("NFC", local.lower())
    pattern = _LOCAL_PART if local.isascii() else _UNQUOTED
    if len(local) > MAX_LOCAL_PART or not pattern.fullmatch(local):
        raise ValueError("not an address")
    return f"{local}@{ascii_domain(domain)}"


def compared_address(address: str) -> str:
    """Return an address of a message's header as it is compared, whatever it looks like."""
    try:
        return ascii_address(address)
    except ValueError:
        local, at, domain = address.strip().lower().rpartition("@")
        return f"{local}{at}{_compared_domain(domain)}"


def _compared_domain(domain: str) -> str:
    try:
        return ascii_domain(domain)
    except ValueError:
        # What is longer than a domain can be has as many parents as its sender likes: its end alone counts.
        return domain if len(domain) <= MAX_DOMAIN else domain[-MAX_DOMAIN:].partition(".")[2]


def with_parents(domain: str) -> list[str]:
    """Return `domain` and every domain that it is a sub-domain of, the longest first."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def is_under(domain: str, parent: str) -> bool:
    """Whether `domain` is `parent` or one of its sub-domains."""
    return domain == parent or domain.endswith(f".{parent}")


def is_public_suffix(domain: str) -> bool:
    """Whether unrelated people register domains below `domain` (com, co.uk); unknown endings count as such."""
    return bool(_registries().is_public(domain))


def is_shared_host(domain: str) -> bool:
    """Whether a company lets strangers have sub-domains of `domain` (github.io), by its own entry in the list."""
    return bool(_with_private_registries().is_public(domain))


@cache
def _registries() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


@cache
def _with_private_registries() -> PublicSuffixList:
    return PublicSuffixList()
