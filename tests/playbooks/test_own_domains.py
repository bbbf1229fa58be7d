"""Own domains: what is read from what was typed, and saving that overwrites nobody's."""

import pytest

from playbooks.own_domains import MOST, MOST_ERRORS, Internal, StaleFormError, read, rules_on, save
from teams.models import Organisation


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        ("", []),
        ("\n , ;\n", []),
        ("example.com", ["example.com"]),
        ("  Example.COM. ", ["example.com"]),
        ("b.example\na.example,c.example;d.example\r\ne.example", [f"{letter}.example" for letter in "abcde"]),
        ("straße.de", ["xn--strae-oqa.de"]),
        ("xn--strae-oqa.de", ["xn--strae-oqa.de"]),
        ("例え.jp", ["xn--r8jz45g.jp"]),
    ],
)
def test_read(text: str, domains: list[str]) -> None:
    typed = read(text)
    assert (typed.domains, typed.errors, typed.pointed_out, typed.doubtful) == (domains, [], [], [])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("exa mple.com", "“exa mple.com” is not a domain. Enter one like example.com."),
        ("example", "“example” is no one organisation's: anybody may have a domain below it."),
        ("co.uk", "“co.uk” is no one organisation's: anybody may have a domain below it."),
        ("com", "“com” is no one organisation's: anybody may have a domain below it."),
        ("mia@example.com", "“mia@example.com” is an address. Enter what stands behind the @."),
        ("-example.com", "“-example.com” is not a domain. Enter one like example.com."),
        ("example..com", "“example..com” is not a domain. Enter one like example.com."),
        ("192.168.0.1", "“192.168.0.1” is not a domain. Enter one like example.com."),
        ("https://example.com/", "“https://example.com/” is not a domain. Enter one like example.com."),
        ("a" * 100_000, f"“{'a' * 80}…” is not a domain. Enter one like example.com."),
    ],
)
def test_read_what_is_no_domain(text: str, error: str) -> None:
    assert read(f"good.example\n{text}").errors == [error]


def test_read_duplicates_and_covered_ones_are_pointed_out() -> None:
    typed = read("mail.example.com\nexample.com\nEXAMPLE.com\na.b.example.com\nnotexample.com")
    assert typed.domains == ["example.com", "notexample.com"]
    assert typed.pointed_out == [
        "“EXAMPLE.com” stood there twice.",
        "“mail.example.com” was left out: example.com covers it.",
        "“a.b.example.com” was left out: example.com covers it.",
    ]


def test_read_where_strangers_have_addresses_too() -> None:
    assert read("gmail.com\nexample.com\ngithub.io").doubtful == ["github.io", "gmail.com"]


def test_read_of_too_many() -> None:
    text = "\n".join(f"d{number}.example" for number in range(MOST + 1))
    assert read(text).errors == [f"These are more than {MOST} domains."]


def test_read_says_only_so_many_errors() -> None:
    errors = read("\n".join(f"no domain {number}" for number in range(100_000))).errors
    assert len(errors) == MOST_ERRORS + 1
    assert errors[-1] == f"And {100_000 - MOST_ERRORS} more that can't be read."


@pytest.mark.parametrize(
    "internal", [Internal((), True), Internal((), False), Internal(("a.example", "b.example"), True)]
)
def test_internal_goes_through_a_form(internal: Internal) -> None:
    assert Internal.seen(str(internal)) == internal


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (Internal((), True), Internal((), True), ""),
        (
            Internal(("a.example",), True),
            Internal(("b.example", "c.example"), True),
            "added: b.example, c.example; removed: a.example",
        ),
        (Internal((), True), Internal((), False), "internal mail is synced"),
        (Internal((), False), Internal((), True), "internal mail is left out"),
    ],
)
def test_changes_to(before: Internal, after: Internal, said: str) -> None:
    assert before.changes_to(after) == said


def test_save(db: None) -> None:
    seen = Internal.of(Organisation.load())
    assert save(Internal(("a.example",), False), seen=seen) is True
    organisation = Organisation.load()
    assert (organisation.own_domains, organisation.skip_internal_mail) == (["a.example"], False)
    # Nothing is left to do, whatever was seen.
    assert save(Internal(("a.example",), False), seen=seen) is False


def test_save_stale_changes_nothing(db: None) -> None:
    seen = Internal.of(Organisation.load())
    save(Internal(("a.example",), True), seen=seen)
    with pytest.raises(StaleFormError) as raised:
        save(Internal(("b.example",), True), seen=seen)
    assert raised.value.current == Internal(("a.example",), True)
    assert Organisation.load().own_domains == ["a.example"]


@pytest.mark.parametrize(
    ("match", "stops"),
    [
        ("acme.com", True),
        ("=acme.com", True),
        ("mail.acme.com", True),
        ("=mail.acme.com", True),
        ("berlin.example", True),
        ("=berlin.example", False),
        ("notacme.com", False),
        ("acme.com.example", False),
    ],
)
def test_rules_on_own_domains(match: str, stops: bool) -> None:
    assert rules_on(["acme.com", "office.berlin.example"], [match]) == [match] * stops
