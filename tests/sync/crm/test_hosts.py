"""Which addresses a secret may be sent to."""

import pytest

from sync.crm.hosts import AddressError, check_address, is_loopback


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com/", "https://test.salesforce.com"),
        ("https://Northwind.My.Salesforce.com", "https://northwind.my.salesforce.com"),
        ("https://northwind--dev.sandbox.my.salesforce.com", "https://northwind--dev.sandbox.my.salesforce.com"),
        ("https://na139.salesforce.com:443", "https://na139.salesforce.com:443"),
        ("https://agency.my.salesforce.mil", "https://agency.my.salesforce.mil"),
        (" http://127.0.0.1:8100/ ", "http://127.0.0.1:8100"),
        ("http://localhost:8100", "http://localhost:8100"),
        ("http://[::1]:8100", "http://[::1]:8100"),
        ("https://127.0.0.2", "https://127.0.0.2"),
    ],
)
def test_salesforce_and_this_machine_are_accepted(url: str, address: str) -> None:
    assert check_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "northwind.my.salesforce.com",
        "ftp://northwind.my.salesforce.com",
        "http://northwind.my.salesforce.com",
        "https://salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "https://salesforce.com",
        "https://northwind.my.salesforce.com.",
        "https://northwind.my.salesforce.com:8443",
        "https://northwind.my.salesforce.com/services",
        "https://northwind.my.salesforce.com?x=1",
        "https://northwind.my.salesforce.com#x",
        "https://user@northwind.my.salesforce.com",
        "https://northwind.my.salesforce.com@evil.example",
        "https://evil.example\\.my.salesforce.com",
        "https://northwind.force.com",
        "https://evil.example/.my.salesforce.com",
        "https://sub_domain.salesforce.com",
        "http://192.0.2.7:8100",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://0.0.0.0:8100",
        "https://[::1",
        "https://northwind.my.salesforce.com:x",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(AddressError):
        check_address(url)


def test_the_refusal_does_not_repeat_the_address() -> None:
    with pytest.raises(AddressError) as refusal:
        check_address("https://user:secret@northwind.my.salesforce.com")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(("url", "answer"), [("http://127.9.9.9", True), ("http://[::1]/", True), ("http://x", False)])
def test_loopback_is_known(url: str, answer: bool) -> None:
    assert is_loopback(url) is answer
