"""The organisation's own domains: reading what was typed, and saving it unless somebody else was faster."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from blacklist.senders import FREE_MAIL, ascii_domain, is_public_suffix, is_shared_host, with_parents
from teams.models import Organisation

MOST = 1000
# Of a long list of mistakes nobody reads more.
MOST_ERRORS = 20


@dataclass(slots=True)
class Typed:
    """What was typed, read. `domains`: in ASCII, sorted, each once, none a sub-domain of another.

    `errors`: what can't be read and why. `pointed_out`: what was left out as needless. `doubtful`: domains at which
    strangers have addresses, too.
    """

    domains: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    pointed_out: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def read(text: str) -> Typed:
    """Read domains, one per line or comma separated."""
    typed = Typed()
    found: dict[str, str] = {}
    for entry in (part.strip() for part in re.split(r"[\n\r,;]", text)):
        if not entry:
            continue
        domain, error = _domain(entry)
        if error:
            typed.errors.append(error)
        elif domain in found:
            typed.pointed_out.append(_("“%(entry)s” stood there twice.") % {"entry": entry})
        else:
            found[domain] = entry
    for domain, entry in found.items():
        if parent := next((parent for parent in with_parents(domain)[1:] if parent in found), None):
            text = _("“%(entry)s” was left out: %(parent)s covers it.")
            typed.pointed_out.append(text % {"entry": entry, "parent": found[parent]})
        else:
            typed.domains.append(domain)
    if len(typed.domains) > MOST:
        typed.errors.append(_("These are more than %(most)d domains.") % {"most": MOST})
    if (more := len(typed.errors) - MOST_ERRORS) > 0:
        typed.errors[MOST_ERRORS:] = [_("And %(more)d more that can't be read.") % {"more": more}]
    typed.domains.sort()
    typed.doubtful = [domain for domain in typed.domains if domain in FREE_MAIL or is_shared_host(domain)]
    return typed


def _domain(entry: str) -> tuple[str, str]:
    """Return the domain that `entry` names, and what is wrong with it if anything is."""
    words = {"entry": entry if len(entry) <= 80 else f"{entry[:80]}…"}
    if "@" in entry:
        return "", _("“%(entry)s” is an address. Enter what stands behind the @.") % words
    try:
        domain = ascii_domain(entry)
    except ValueError:
        return "", _("“%(entry)s” is not a domain. Enter one like example.com.") % words
    if is_public_suffix(domain):
        return "", _("“%(entry)s” is no one organisation's: anybody may have a domain below it.") % words
    return domain, ""


def rules_on(domains: Iterable[str], matches: Iterable[str]) -> list[str]:
    """Return which domain rules (Rule.match) stop the mail of own `domains`: entered now, they would be refused."""
    own = set(domains)
    above = {parent for domain in own for parent in with_parents(domain)}
    return [match for match in matches if match in above or not own.isdisjoint(with_parents(match.removeprefix("=")))]


@dataclass(frozen=True, slots=True)
class Internal:
    """What counts as internal mail, and whether it is left out."""

    domains: tuple[str, ...]
    skip: bool

    @classmethod
    def of(cls, organisation: Organisation) -> "Internal":
        return cls(tuple(organisation.own_domains), organisation.skip_internal_mail)

    def __str__(self) -> str:
        """As a form carries it: what whoever fills it in has seen."""
        return f"{self.skip:d} {','.join(self.domains)}"

    @classmethod
    def seen(cls, text: str) -> "Internal":
        """Read what a form carries; something else than we wrote was never seen, and is taken as it stands."""
        skip, _space, domains = text.partition(" ")
        return cls(tuple(domain for domain in domains.split(",") if domain), skip == "1")

    def changes_to(self, other: "Internal") -> str:
        """Say what differs in `other`."""
        parts = []
        if added := [domain for domain in other.domains if domain not in self.domains]:
            parts.append(_("added: %(domains)s") % {"domains": _some(added)})
        if removed := [domain for domain in self.domains if domain not in other.domains]:
            parts.append(_("removed: %(domains)s") % {"domains": _some(removed)})
        if self.skip != other.skip:
            parts.append(_("internal mail is left out") if other.skip else _("internal mail is synced"))
        return "; ".join(parts)


def _some(domains: list[str]) -> str:
    return ", ".join([*domains[:10], *(["…"] if len(domains) > 10 else [])])


class StaleFormError(Exception):
    """Somebody saved since the form was made; nothing was changed. `current` is how it is now."""

    def __init__(self, current: Internal) -> None:
        super().__init__()
        self.current = current


def save(wanted: Internal, *, seen: Internal) -> bool:
    """Save `wanted`; return whether anything was changed. Who changed what is noted in the audit by the save itself."""
    with transaction.atomic():
        organisation = Organisation.objects.select_for_update().get(pk=1)
        current = Internal.of(organisation)
        if wanted == current:
            return False
        if current != seen:
            raise StaleFormError(current)
        organisation.own_domains = list(wanted.domains)
        organisation.skip_internal_mail = wanted.skip
        organisation.save(update_fields=["own_domains", "skip_internal_mail"])
    return True
