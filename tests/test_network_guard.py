"""No test reaches the network."""

import socket

import pytest
from django.db import connection

from tests.conftest import NetworkUsedError


def test_resolving_a_strange_host_is_refused() -> None:
    with pytest.raises(NetworkUsedError):
        socket.create_connection(("login.salesforce.com", 443), timeout=1)


def test_connecting_to_a_strange_address_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(NetworkUsedError):
        sock.connect(("192.0.2.1", 443))


def test_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


@pytest.mark.django_db(transaction=True)
def test_the_test_database_can_be_shared_by_processes() -> None:
    assert connection.vendor == "postgresql" or connection.settings_dict["NAME"].endswith(".sqlite3")
