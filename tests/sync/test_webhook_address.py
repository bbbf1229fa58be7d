"""Where a webhook may go: the internet, and what the settings name."""

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from sync.enums import WebhookError
from sync.webhook_address import AddressRefusedError, is_public, target

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name server that knows these names alone."""
    known: dict[str, list[str]] = {}

    def resolve(host: str, port: int, **_kwargs: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.mark.parametrize("ip", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_is_public_what_is_on_the_internet(ip: str) -> None:
    assert is_public(ip_address(ip))


@pytest.mark.parametrize(
    "ip",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "0.0.0.0", "169.254.169.254", "100.64.0.1"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "198.18.0.1", "203.0.113.1", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
        # An IPv4 address in the clothes of IPv6.
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::", "2001:0:808:808::1"),
    ],
)
def test_is_public_nothing_else(ip: str) -> None:
    assert not is_public(ip_address(ip))


def test_target_names_host_port_path_and_every_address(names: dict[str, list[str]]) -> None:
    names["example.com"] = ["93.184.215.14", "93.184.215.15"]
    got = target("https://Example.com:8443/a/b?c=d", ())
    assert (got.scheme, got.host, got.port, got.path) == ("https", "example.com", 8443, "/a/b?c=d")
    assert [str(ip) for ip in got.ips] == ["93.184.215.14", "93.184.215.15"]
    assert got.host_header == "example.com:8443"
    assert target("https://example.com", ()).host_header == "example.com"
    assert target("https://[2606:4700::1]/", ()).host_header == "[2606:4700::1]"


def test_target_in_letters_of_another_script(names: dict[str, list[str]]) -> None:
    names["xn--bcher-kva.example"] = ["93.184.215.14"]
    assert target("https://bücher.example/", ()).host == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "ftp://example.com/", "https://", "https:///x", "javascript:alert(1)", "https://a:99999/"),
        *("https://a:0/", "https://example.com/a b", "https://example.com\\@10.0.0.1/", "https://exa\nmple.com/"),
        *("https://example.com/ü", "https://[::1", "https://example.com/\x00", "https://-ü.example/"),
    ],
)
def test_target_refuses_what_is_no_web_address(url: str, names: dict[str, list[str]]) -> None:
    names["example.com"] = ["93.184.215.14"]
    with pytest.raises(AddressRefusedError) as refused:
        target(url, ())
    assert refused.value.kind == WebhookError.ADDRESS
    assert "https://example.com/webhooks" in str(refused.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://user:password@example.com/", "Leave out user name and password"),
        ("https://@example.com/", "Leave out user name and password"),
        ("https://example.com/#a", "what follows #"),
        ("http://example.com/", "Begin it with https://"),
    ],
)
def test_target_refuses_with_the_remedy(url: str, words: str, names: dict[str, list[str]]) -> None:
    names["example.com"] = ["93.184.215.14"]
    with pytest.raises(AddressRefusedError, match=words):
        target(url, ())


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::1]:8000/", "https://[::ffff:10.0.0.1]/"])
def test_b8_webhook_into_a_private_network_is_refused(url: str, names: dict[str, list[str]]) -> None:
    with pytest.raises(AddressRefusedError, match="WEBHOOK_PRIVATE_NETWORKS"):
        target(url, ())


def test_b8_webhook_name_that_leads_into_a_private_network_is_refused(names: dict[str, list[str]]) -> None:
    """Also when only one of its addresses does."""
    names["inside.example"] = ["93.184.215.14", "10.0.0.7"]
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.7"):
        target("https://inside.example/", LOOPBACK)


def test_b8_webhook_into_a_network_that_the_settings_allow(names: dict[str, list[str]]) -> None:
    """Over http, too; and an address of it in the clothes of IPv6."""
    names["dialer.internal"] = ["10.1.2.3"]
    networks = (ip_network("10.1.0.0/16"),)
    assert target("http://dialer.internal/hook", networks).port == 80
    assert target("https://[::ffff:10.1.2.3]/", networks).port == 443
    names["dialer.internal"] = ["10.2.0.1"]
    with pytest.raises(AddressRefusedError):
        target("http://dialer.internal/hook", networks)


def test_target_refuses_loopback_by_its_name() -> None:
    """Through the system's own resolver."""
    with pytest.raises(AddressRefusedError, match="not on the internet"):
        target("https://localhost/", ())


def test_target_of_a_name_that_nobody_knows(names: dict[str, list[str]]) -> None:
    with pytest.raises(AddressRefusedError) as refused:
        target("https://nowhere.example/", ())
    assert refused.value.kind == WebhookError.NAME
