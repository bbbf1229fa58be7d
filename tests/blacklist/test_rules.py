"""What a person typed, as rules or as messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blacklist.models import Rule, RuleKind
from blacklist.rules import (
    MAX_ENTRIES,
    MAX_MATCH,
    MAX_TEXT,
    MAX_VALUE,
    SHORT,
    BadEntry,
    Parsed,
    RefusedError,
    parse_keyword,
    parse_keywords,
    parse_sender,
    parse_senders,
    shortened,
)

OWN = ["acme.com", "mail.acme.org"]


def test_limits_are_the_columns() -> None:
    assert Rule._meta.get_field("value").max_length == MAX_VALUE
    assert Rule._meta.get_field("match").max_length == MAX_MATCH


@pytest.mark.parametrize(
    ("entry", "kind", "value", "match"),
    [
        ("example.com", RuleKind.DOMAIN, "example.com", "example.com"),
        ("@Example.com", RuleKind.DOMAIN, "Example.com", "example.com"),
        ("=Example.com", RuleKind.DOMAIN, "=Example.com", "=example.com"),
        ("straße.de", RuleKind.DOMAIN, "straße.de", "xn--strae-oqa.de"),
        ("acme.de", RuleKind.DOMAIN, "acme.de", "acme.de"),
        ("=acme.org", RuleKind.DOMAIN, "=acme.org", "=acme.org"),  # itself alone: not the own mail.acme.org
        ("Ann@Example.com", RuleKind.ADDRESS, "Ann@Example.com", "ann@example.com"),
        ("Ann Lee <ann@example.com>", RuleKind.ADDRESS, "ann@example.com", "ann@example.com"),
        ("mailto:ann@example.com", RuleKind.ADDRESS, "ann@example.com", "ann@example.com"),
        ("ann@acme.com", RuleKind.ADDRESS, "ann@acme.com", "ann@acme.com"),  # one colleague may be private
    ],
)
def test_sender(entry: str, kind: RuleKind, value: str, match: str) -> None:
    rule = parse_sender(entry, OWN)
    assert (rule.kind, rule.value, rule.match, rule.warnings) == (kind, value, match, ())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("com", "“com” is not a complete domain. Enter it with its ending, like example.com."),
        ("localhost", "“localhost” is not a complete domain. Enter it with its ending, like example.com."),
        (
            "co.uk",
            "“co.uk” is an ending that many organisations share. Enter a whole domain, like example.co.uk.",
        ),
        (
            "=co.uk",
            "“=co.uk” is an ending that many organisations share. Enter a whole domain, like example.co.uk.",
        ),
        ("ex ample.com", "“ex ample.com” has a space in it. Enter one domain a line, like example.com."),
        ("https://x.com/a", "“https://x.com/a” is a web address. Enter the domain alone, like example.com."),
        ("*.x.com", "“*.x.com” is not a domain. Enter x.com: its sub-domains are blocked with it."),
        ("-a.com", "“-a.com” is not a domain. Enter one like example.com."),
        ("xn--a.com", "“xn--a.com” is not a domain. Enter one like example.com."),
        ("1.2.3.4", "“1.2.3.4” is not a domain. Enter one like example.com."),
        ("a b@x.com", "“a b@x.com” has a space in it. Enter one address a line, like ann@example.com."),
        ("a@b@x.com", "“a@b@x.com” is not an e-mail address. Enter one like ann@example.com."),
        ("ann@localhost", "“ann@localhost” has no complete domain. Enter an address like ann@example.com."),
        ("exa\x00mple.com", "“exa\ufffdmple.com” holds characters that can't be seen. Type it anew."),
        ("  ", "This entry is empty."),
        ("a" * 321, f"“{'a' * 59}…” has 321 characters; an entry has at most 320."),
    ],
)
def test_sender_refused(entry: str, message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_sender(entry, OWN)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("entry", "own"),
    [
        ("acme.com", "acme.com"),
        ("=acme.com", "acme.com"),
        ("shop.acme.com", "acme.com"),
        ("acme.org", "mail.acme.org"),  # would stop the own sub-domain with it
    ],
)
def test_own_domain_is_refused_with_a_pointer_to_the_setting(entry: str, own: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_sender(entry, OWN)
    assert str(refused.value) == (
        f"“{entry}” would stop the mail of your own organisation ({own}). Mail between colleagues alone is left out "
        "by “leave out internal mail” under CRM Email Sync; no rule is needed."
    )


@pytest.mark.parametrize(
    ("entry", "warning"),
    [
        ("gmail.com", "Anybody can have an address at gmail.com, customers too: none of them will be synced."),
        ("=GMX.de", "Anybody can have an address at gmx.de, customers too: none of them will be synced."),
        ("github.io", "Unrelated organisations have sub-domains of github.io: none of them will be synced."),
    ],
)
def test_sender_with_a_warning(entry: str, warning: str) -> None:
    assert parse_sender(entry).warnings == (warning,)


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ("nda", "nda"),
        ("NDA*", "nda*"),
        ("Project  Phoenix", "project phoenix"),
        ("merger:", "merger"),
        ("(secret)", "secret"),
        ("Yahoo!", "yahoo"),
        ("- salary", "salary"),
        ("R&D", "r d"),
        ("ASP.NET", "asp net"),
        ("Straße", "strasse"),
        ("42", "42"),
        ("合同", "合 同"),
        ("合同*", "合 同"),  # every beginning is one there
        ("हिन्दी", "हिन्दी"),
        ("pri\u00advacy2", "privacy2"),
    ],
)
def test_keyword(entry: str, match: str) -> None:
    rule = parse_keyword(entry)
    assert (rule.kind, rule.value, rule.match, rule.warnings) == (RuleKind.KEYWORD, entry, match, ())


_LETTER = (
    "“{entry}” comes down to the single letter “{word}”, because only letters and digits are compared: it would stop "
    "almost every message. Enter a longer word or a phrase."
)
_GLUED = (
    "“{entry}” would stop every message with the word “{word}”, because only letters and digits are compared. "
    "Enter {word} if you mean that, or a phrase."
)
_NOTHING = "“{entry}” holds no letters or digits, and only those are compared. Enter a word or phrase."
_STAR = "“{entry}”: “*” stands only behind the beginning of a word, like nda*."
_PHRASE_STAR = "“{entry}”: “*” works behind a single word, like nda*, not behind a phrase."


@pytest.mark.parametrize(
    ("entry", "message", "word"),
    [
        ("C++", _LETTER, "c"),
        ("a", _LETTER, "a"),
        ("x*", _LETTER, "x"),
        ("密", _LETTER, "密"),
        ("ना", _LETTER, "ना"),
        (".NET", _GLUED, "net"),
        ("“.NET”", _GLUED, "net"),
        ("#secret", _GLUED, "secret"),
        ("notepad++", _GLUED, "notepad"),
        ("🔥", _NOTHING, ""),
        ("...", _NOTHING, ""),
        ("*", _STAR, ""),
        ("pro*ject", _STAR, ""),
        ("*nda", _STAR, ""),
        ("nda *", _STAR, ""),
        ("nda-*", _STAR, ""),
        ("nda**", _STAR, ""),
        ("project pho*", _PHRASE_STAR, ""),
    ],
)
def test_keyword_refused_with_the_reason(entry: str, message: str, word: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_keyword(entry)
    assert str(refused.value) == message.format(entry=entry.strip("“”"), word=word)


def test_keyword_that_grows_too_long_is_refused() -> None:
    with pytest.raises(RefusedError, match="is too long to compare"):
        parse_keyword("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 320)


def test_m20_keyword_of_generic_signatures_has_a_warning() -> None:
    (warning,) = parse_keyword("Confidential").warnings
    assert warning == (
        "“confidential” stands in many signatures and disclaimers: messages are stopped for that alone, unless the "
        "rule leaves out signatures, disclaimers and quoted text."
    )


def test_text_with_lines_commas_quotes_and_blanks() -> None:
    parsed = parse_senders(' "example.com" ,\r\n\r\n\u2018b.de\u2019; Ann <ann@c.fr>\r=d.it\uff0ce.es')
    assert [(rule.line, rule.value) for rule in parsed.rules] == [
        (1, "example.com"),
        (3, "b.de"),
        (3, "ann@c.fr"),
        (4, "=d.it"),
        (4, "e.es"),
    ]
    assert (parsed.bad, parsed.repeated) == ([], [])


def test_semicolon_is_part_of_a_keyword() -> None:
    assert [rule.match for rule in parse_keywords("red; blue, green").rules] == ["red blue", "green"]


def test_each_bad_entry_has_its_own_message_and_line() -> None:
    parsed = parse_keywords("merger\nC++, nda*\n…")
    assert [rule.match for rule in parsed.rules] == ["merger", "nda*"]
    assert [(bad.line, bad.text) for bad in parsed.bad] == [(2, "C++"), (3, "…")]
    assert parsed.bad[1] == BadEntry(3, "…", _NOTHING.format(entry="…"))


def test_entry_that_says_the_same_is_told_with_the_first() -> None:
    parsed = parse_senders("example.com\nEXAMPLE.com\n=example.com")
    assert [rule.match for rule in parsed.rules] == ["example.com", "=example.com"]
    assert [(again.rule.line, again.first.line) for again in parsed.repeated] == [(2, 1)]


def test_option_is_given_to_each_keyword() -> None:
    assert [rule.ignore_quoted for rule in parse_keywords("a1, b2", ignore_quoted=True).rules] == [True, True]


def test_megabyte_has_one_message() -> None:
    parsed = parse_keywords("x" * 1_000_000)
    assert parsed == Parsed(
        bad=[
            BadEntry(
                0,
                "x" * 59 + "…",
                f"This text has 1,000,000 characters; at most {MAX_TEXT:,} fit at once. Save it in parts.",
            )
        ]
    )


def test_too_many_entries_have_one_message() -> None:
    parsed = parse_keywords("C\n" * (MAX_ENTRIES + 1))
    assert parsed.rules == []
    assert [bad.message for bad in parsed.bad] == [
        f"This text has {MAX_ENTRIES + 1:,} entries; at most {MAX_ENTRIES:,} fit at once. Save it in parts."
    ]


def test_entry_is_repeated_on_one_line_without_control_characters() -> None:
    assert shortened("a\x00b\nc\x1b[31m") == "a\ufffdb c\ufffd[31m"
    assert shortened("y" * 60) == "y" * 60
    assert len(shortened("y" * 61)) == SHORT


@given(st.text(max_size=400), st.booleans())
def test_whatever_is_typed_is_a_rule_or_a_message(text: str, senders: bool) -> None:
    parsed = parse_senders(text, OWN) if senders else parse_keywords(text)
    for rule in parsed.rules:
        assert 0 < len(rule.value) <= MAX_VALUE
        assert 0 < len(rule.match) <= MAX_MATCH
        assert "\x00" not in rule.value
        # What was saved can be entered again, and says the same.
        again = parse_sender(rule.value, OWN) if senders else parse_keyword(rule.value)
        assert again.match == rule.match
    for bad in parsed.bad:
        assert len(bad.text) <= SHORT
        assert bad.message
