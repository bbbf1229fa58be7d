"""Two teams that must not see each other, and the people in and above them."""

from dataclasses import dataclass

import pytest
from django.test import Client

from teams.models import Organisation, Role, Team, User

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class People:
    """`north` is managed by `manager`, who is also manager of nobody else; `south` by `other_manager`."""

    admin: User
    manager: User
    other_manager: User
    rep: User
    other_rep: User
    colleague: User  # a manager who is a member of north
    north: Team
    south: Team


def make_people() -> People:
    def user(email: str, name: str, role: Role, team: Team | None = None, crm_user_id: str | None = None) -> User:
        return User.objects.create_user(email, PASSWORD, name=name, role=role, team=team, crm_user_id=crm_user_id)

    # As after `manage.py setup`; the first request would make it otherwise, and count as queries of its page.
    Organisation.load()
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    people = People(
        admin=user("ada@example.com", "Ada Admin", Role.ADMIN),
        manager=user("mia@example.com", "Mia Manager", Role.MANAGER),
        other_manager=user("otto@example.com", "Otto Other", Role.MANAGER),
        rep=user("rosa@example.com", "Rosa Rep", Role.REP, north, "005AAAAAAAAAAa1Y5H"),
        other_rep=user("sven@example.com", "Sven Stranger", Role.REP, south, "005AAAAAAAAAAa2Y5H"),
        colleague=user("cleo@example.com", "Cleo Colleague", Role.MANAGER, north),
        north=north,
        south=south,
    )
    north.managers.add(people.manager)
    south.managers.add(people.other_manager)
    return people


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def people(db: None) -> People:
    return make_people()
