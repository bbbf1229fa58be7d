"""What a person typed into a blacklist, as rules: each entry with its own message, nothing compared with the database.

Two boxes: sender details (domains and addresses; what holds an "@" in its middle is an address, "@example.com" is the
domain) and keywords. Entries stand one per line or with commas between them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from django.utils.translation import gettext as _

from blacklist.keyword_warnings import keyword_warnings
from blacklist.models import RuleKind
from blacklist.senders import (
    FREE_MAIL,
    ascii_address,
    ascii_domain,
    is_public_suffix,
    is_shared_host,
    is_under,
)
from blacklist.words import is_unspaced, words

MAX_TEXT = 500_000  # characters at once, of all entries together
MAX_ENTRIES = 20_000
MAX_VALUE = 320  # Rule.value
MAX_MATCH = 640  # Rule.match
SHORT = 60  # characters of an entry that a message repeats

# Commas of other scripts, too. In sender details semicolons, as mail programs put them between addresses.
_KEYWORD_SEPARATORS = re.compile("[,，、،]")  # noqa: RUF001 - meant
_SENDER_SEPARATORS = re.compile("[,，、،;]")  # noqa: RUF001 - meant
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_QUOTES = "\"'“”„‟«»‹›‘’‚`´"  # noqa: RUF001 - meant
# What may stand around a single word without being meant: brackets, and the marks that end a sentence.
_AROUND_A_WORD = " ()[]{}<>.,:;!?…-–—" + _QUOTES


class RuleLine(Protocol):
    """What of a rule is compared, wherever it comes from (see Rule.match)."""

    @property
    def kind(self) -> str: ...
    @property
    def match(self) -> str: ...
    @property
    def ignore_quoted(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """One entry that can be saved. `warnings` don't stop it: they say what it would do to whom."""

    kind: RuleKind
    value: str
    match: str
    ignore_quoted: bool = False
    line: int = 0  # in the text it came from, counted from 1
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadEntry:
    """One entry that can't be saved. `line` 0: the text as a whole."""

    line: int
    text: str  # at most SHORT characters, without control characters
    message: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """An entry that says the same as an earlier one of the same text."""

    rule: ParsedRule
    first: ParsedRule


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text holds. Only when `bad` is empty may anything be saved; `repeated` are left out of `rules`."""

    rules: list[ParsedRule] = field(default_factory=list)
    bad: list[BadEntry] = field(default_factory=list)
    repeated: list[Repeated] = field(default_factory=list)


class RefusedError(ValueError):
    """An entry that can't be a rule; the message names the entry and the remedy."""


def parse_senders(text: str, own_domains: Iterable[str] = ()) -> Parsed:
    """Return the domains and addresses in `text`. `own_domains`: Organisation.own_domains."""
    own = tuple(own_domains)
    return _parse(text, _SENDER_SEPARATORS, lambda entry: parse_sender(entry, own))


def parse_keywords(text: str, *, ignore_quoted: bool = False) -> Parsed:
    """Return the keywords in `text`, each with the option `ignore_quoted` as given."""
    return _parse(text, _KEYWORD_SEPARATORS, lambda entry: parse_keyword(entry, ignore_quoted=ignore_quoted))


def _parse(text: str, separators: re.Pattern[str], parse_one: Callable[[str], ParsedRule]) -> Parsed:
    if len(text) > MAX_TEXT:
        message = _("This text has %(length)s characters; at most %(most)s fit at once. Save it in parts.")
        return Parsed(bad=[_whole(text, message % {"length": f"{len(text):,}", "most": f"{MAX_TEXT:,}"})])
    entries = list(_entries(text, separators))
    if len(entries) > MAX_ENTRIES:
        message = _("This text has %(count)s entries; at most %(most)s fit at once. Save it in parts.")
        return Parsed(bad=[_whole(text, message % {"count": f"{len(entries):,}", "most": f"{MAX_ENTRIES:,}"})])
    parsed = Parsed()
    seen: dict[tuple[str, str], ParsedRule] = {}
    for line, entry in entries:
        try:
            rule = replace(parse_one(entry), line=line)
        except RefusedError as refused:
            parsed.bad.append(BadEntry(line, shortened(entry), str(refused)))
            continue
        first = seen.setdefault((rule.kind, rule.match), rule)
        if first is rule:
            parsed.rules.append(rule)
        else:
            parsed.repeated.append(Repeated(rule, first))
    return parsed


def _whole(text: str, message: str) -> BadEntry:
    return BadEntry(0, shortened(text), message)


def _entries(text: str, separators: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_LINE_END.split(text), start=1):
        for entry in separators.split(line):
            trimmed = _trimmed(entry)
            if trimmed:
                yield number, trimmed


def _trimmed(entry: str) -> str:
    return entry.strip().strip(_QUOTES).strip()


def shortened(entry: str) -> str:
    """Return `entry` as a message can repeat it: one line of at most SHORT characters, nothing unprintable."""
    visible = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", entry[: SHORT + 1]).replace("\n", " ")
    return visible if len(visible) <= SHORT else f"{visible[: SHORT - 1]}…"


def parse_sender(entry: str, own_domains: Sequence[str] = ()) -> ParsedRule:
    """Return one domain or address as a rule. RefusedError: what is wrong with it and what to enter instead."""
    entry = _checked(entry)
    _name, bracket, inside = entry.partition("<")  # Ann Lee <ann@example.com>
    if bracket and inside.endswith(">") and "@" in inside:
        entry = inside[:-1].strip()
    entry = entry.removeprefix("mailto:").removeprefix("@")
    return _address(entry) if "@" in entry else _domain(entry, own_domains)


def _checked(entry: str) -> str:
    entry = _trimmed(entry)
    if not entry:
        raise RefusedError(_("This entry is empty."))
    if len(entry) > MAX_VALUE:
        message = _("“%(entry)s” has %(length)s characters; an entry has at most %(most)s.")
        raise _refused(message, entry, length=f"{len(entry):,}", most=str(MAX_VALUE))
    if _CONTROL.search(entry):
        raise _refused(_("“%(entry)s” holds characters that can't be seen. Type it anew."), entry)
    return entry


def _refused(message: str, entry: str, **names: str) -> RefusedError:
    return RefusedError(message % {"entry": shortened(entry), **names})


def _address(entry: str) -> ParsedRule:
    if any(map(str.isspace, entry)):
        raise _refused(_("“%(entry)s” has a space in it. Enter one address a line, like ann@example.com."), entry)
    try:
        match = ascii_address(entry)
    except ValueError:
        message = _("“%(entry)s” is not an e-mail address. Enter one like ann@example.com.")
        raise _refused(message, entry) from None
    if "." not in match.rpartition("@")[2]:
        raise _refused(_("“%(entry)s” has no complete domain. Enter an address like ann@example.com."), entry)
    return ParsedRule(RuleKind.ADDRESS, entry, match)


def _domain(entry: str, own_domains: Sequence[str]) -> ParsedRule:
    alone = entry.startswith("=")
    name = entry.removeprefix("=").strip()
    if any(map(str.isspace, name)):
        raise _refused(_("“%(entry)s” has a space in it. Enter one domain a line, like example.com."), entry)
    if "/" in name or ":" in name:
        raise _refused(_("“%(entry)s” is a web address. Enter the domain alone, like example.com."), entry)
    if "*" in name or name.startswith("."):
        message = _("“%(entry)s” is not a domain. Enter %(remedy)s: its sub-domains are blocked with it.")
        raise _refused(message, entry, remedy=shortened(name.lstrip("*.")) or "example.com")
    try:
        domain = ascii_domain(name)
    except ValueError:
        raise _refused(_("“%(entry)s” is not a domain. Enter one like example.com."), entry) from None
    if is_public_suffix(domain):
        raise _not_one_sender(entry, domain)
    _refuse_own(entry, domain, own_domains, alone=alone)
    value = f"={name}" if alone else name
    return ParsedRule(RuleKind.DOMAIN, value, f"={domain}" if alone else domain, warnings=_domain_warnings(domain))


def _not_one_sender(entry: str, domain: str) -> RefusedError:
    if "." not in domain:
        message = _("“%(entry)s” is not a complete domain. Enter it with its ending, like example.com.")
        return _refused(message, entry)
    message = _(
        "“%(entry)s” is an ending that many organisations share. Enter a whole domain, like example.%(domain)s."
    )
    return _refused(message, entry, domain=domain)


def _refuse_own(entry: str, domain: str, own_domains: Sequence[str], *, alone: bool) -> None:
    """A rule on an own domain would stop every message: each has a colleague among its participants."""
    for own in own_domains:
        if is_under(domain, own) or (is_under(own, domain) and not alone):
            message = _(
                "“%(entry)s” would stop the mail of your own organisation (%(own)s). Mail between colleagues alone "
                "is left out by “leave out internal mail” under CRM Email Sync; no rule is needed."
            )
            raise _refused(message, entry, own=own)


def _domain_warnings(domain: str) -> tuple[str, ...]:
    if domain in FREE_MAIL:
        message = _("Anybody can have an address at %(domain)s, customers too: none of them will be synced.")
        return (message % {"domain": domain},)
    if is_shared_host(domain):
        message = _("Unrelated organisations have sub-domains of %(domain)s: none of them will be synced.")
        return (message % {"domain": domain},)
    return ()


def parse_keyword(entry: str, *, ignore_quoted: bool = False) -> ParsedRule:
    """Return one word, phrase or prefix ("nda*") as a rule. RefusedError: why not, and what to enter instead."""
    entry = _checked(entry)
    text = entry.removesuffix("*")
    found = words(text)
    if "*" in text or (text != entry and (not found or text[-1].isspace() or not words(text[-1]))):
        raise _refused(_("“%(entry)s”: “*” stands only behind the beginning of a word, like nda*."), entry)
    _refuse_meaningless(entry, text, found)
    match = " ".join(found)
    if text != entry:
        match = _prefix(entry, found)
    if len(match) > MAX_MATCH:
        raise _refused(_("“%(entry)s” is too long to compare. Enter a shorter phrase."), entry)
    return ParsedRule(RuleKind.KEYWORD, entry, match, ignore_quoted, warnings=keyword_warnings(match))


def _refuse_meaningless(entry: str, text: str, found: list[str]) -> None:
    """Refuse what would stop something else than was meant: “C++” would stop every “c”, “.NET” every “net”."""
    if not found:
        message = _("“%(entry)s” holds no letters or digits, and only those are compared. Enter a word or phrase.")
        raise _refused(message, entry)
    if len(found) > 1:
        return
    if sum(map(str.isalnum, found[0])) < 2:
        message = _(
            "“%(entry)s” comes down to the single letter “%(word)s”, because only letters and digits are compared: "
            "it would stop almost every message. Enter a longer word or a phrase."
        )
        raise _refused(message, entry, word=found[0])
    core = text.strip(_AROUND_A_WORD)
    if text.lstrip(_QUOTES).startswith(".") or not words(core[:1]) or not words(core[-1:]):
        message = _(
            "“%(entry)s” would stop every message with the word “%(word)s”, because only letters and digits are "
            "compared. Enter %(word)s if you mean that, or a phrase."
        )
        raise _refused(message, entry, word=shortened(found[0]))


def _prefix(entry: str, found: list[str]) -> str:
    """Return the match of a prefix. In scripts written without spaces every word and phrase is one already."""
    if is_unspaced(found[-1]):
        return " ".join(found)
    if len(found) > 1:
        message = _("“%(entry)s”: “*” works behind a single word, like nda*, not behind a phrase.")
        raise _refused(message, entry)
    return f"{found[0]}*"
