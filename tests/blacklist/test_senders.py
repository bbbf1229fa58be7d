"""Domains and addresses in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blacklist.senders import (
    ascii_address,
    ascii_domain,
    compared_address,
    is_public_suffix,
    is_shared_host,
    is_under,
    with_parents,
)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("Example.COM", "example.com"),
        (" example.com. ", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("straße.de", "xn--strae-oqa.de"),  # not strasse.de, which is somebody else
        ("XN--STRAE-OQA.de", "xn--strae-oqa.de"),
        ("例え。jp", "xn--r8jz45g.jp"),
        ("exa\u00admple.com", "example.com"),
        ("foo_bar.example.com", "foo_bar.example.com"),  # seen in real mail
    ],
)
def test_domain_in_ascii(domain: str, expected: str) -> None:
    assert ascii_domain(domain) == expected


@pytest.mark.parametrize(
    "domain",
    ["", ".", "a..b", "-a.com", "a-.com", "xn--a", "ex ample.com", "1.2.3.4", "a" * 64 + ".com", "a." * 130 + "com"],
)
def test_not_a_domain(domain: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ascii_domain(domain)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Ann.Lee@Example.COM", "ann.lee@example.com"),
        ("ann+crm@Bücher.example", "ann+crm@xn--bcher-kva.example"),
        ("JOSÉ@example.com", "josé@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
    ],
)
def test_address_as_it_is_compared(address: str, expected: str) -> None:
    assert ascii_address(address) == expected
    assert compared_address(address) == expected


@pytest.mark.parametrize(
    "address", ["ann", "@example.com", "ann@", "a b@example.com", '"a"@example.com', "ann@[1.2.3.4]", "a@b@c.com"]
)
def test_what_is_no_address_is_compared_as_it_stands(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ascii_address(address)
    assert compared_address(f" {address.upper()} ") == address.lower()


@given(st.text(max_size=80))
def test_an_address_has_one_spelling(text: str) -> None:
    once = compared_address(text)
    assert compared_address(once) == once


@pytest.mark.parametrize(
    ("domain", "public", "shared"),
    [
        ("com", True, True),
        ("co.uk", True, True),
        ("kobe.jp", True, True),  # a wildcard's root
        ("city.kobe.jp", False, False),  # its exception
        ("intranet", True, True),
        ("example.com", False, False),
        ("example.internal", False, False),
        ("github.io", False, True),
        ("uk.com", False, True),
    ],
)
def test_endings_that_many_share(domain: str, public: bool, shared: bool) -> None:
    assert (is_public_suffix(domain), is_shared_host(domain)) == (public, shared)


def test_parents_and_sub_domains() -> None:
    assert with_parents("a.b.example.com") == ["a.b.example.com", "b.example.com", "example.com", "com"]
    assert is_under("a.example.com", "example.com")
    assert is_under("example.com", "example.com")
    assert not is_under("notexample.com", "example.com")


@pytest.mark.parametrize(
    "address", ["an n@straße.de.", '"ann lee"@Straße.de', f"{'a' * 65}@straße.DE.", "ann\u200b,@xn--strae-oqa.DE"]
)
def test_domain_counts_whatever_stands_before_it(address: str) -> None:
    assert compared_address(address).rpartition("@")[2] == "xn--strae-oqa.de"
