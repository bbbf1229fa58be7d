"""Every address and every role: who gets in, who is sent away. A new page must take its line in the table."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from teams.models import User
from tests.people import logged_in
from tests.playbooks.address_world import AddressWorld, address_of, make_address_world

TABLE = Path(__file__).with_name("addresses.txt")
START = "(start)"
ROLES = ("anonymous", "rep", "other_manager", "manager", "admin", "deactivated")


@pytest.fixture
def address_world(db: None) -> AddressWorld:
    return make_address_world()


def routes(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    """Every address of the site, as its pattern says it."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route or START
        else:
            yield from routes(entry, route)


def expected() -> dict[str, tuple[str, ...]]:
    """The table: the address, then the status of a GET for each role, in the order of ROLES."""
    table = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            route, *codes = line.rsplit(maxsplit=len(ROLES))
            assert len(codes) == len(ROLES), f"{TABLE.name}: {line}"
            assert route not in table, f"{TABLE.name} has {route} twice"
            table[route] = tuple(codes)
    return table


def test_the_table_has_every_address_and_no_other() -> None:
    assert sorted(set(routes())) == sorted(expected())


def visitor(role: str, world: AddressWorld) -> Client:
    if role == "anonymous":
        return Client()
    if role == "deactivated":
        client = logged_in(world.people.admin)
        User.objects.filter(pk=world.people.admin.pk).update(is_active=False)
        return client
    return logged_in(getattr(world.people, role))


@pytest.mark.parametrize("role", ROLES)
def test_each_address_answers_the_role_as_the_table_says(role: str, address_world: AddressWorld) -> None:
    position = ROLES.index(role)
    client = visitor(role, address_world)
    answers = {}
    for route in expected():
        answers[route] = str(client.get(address_of(route, address_world)).status_code)
    assert answers == {route: codes[position] for route, codes in expected().items()}


@pytest.mark.parametrize("role", ["anonymous", "rep", "deactivated"])
def test_no_forged_form_gets_into_the_manager_app(role: str, address_world: AddressWorld) -> None:
    client = visitor(role, address_world)
    let_in = {}
    for route in expected():
        if route.startswith("manager/") and not re.match(r"manager/(login|logout|password_change)/", route):
            answer = client.post(address_of(route, address_world))
            refused = answer.status_code in (403, 405) or "/login/" in answer.get("Location", "")
            if not refused:
                let_in[route] = answer.status_code
    assert let_in == {}
