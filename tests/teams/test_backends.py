"""Who may log in, and what each role may do."""

import pytest
from django.contrib.auth import authenticate
from django.db.models import Model

from teams.backends import MANAGER_PERMISSIONS, every_permission, may_change_user
from teams.models import Role, User
from tests.people import PASSWORD, People


@pytest.mark.parametrize("email", ["rosa@example.com", "ROSA@Example.Com", " rosa@example.com "])
def test_log_in_whatever_the_case_of_the_email(people: People, email: str) -> None:
    assert authenticate(username=email, password=PASSWORD) == people.rep


def test_log_in_wrong_password(people: People) -> None:
    assert authenticate(username="rosa@example.com", password=PASSWORD.upper()) is None


def test_log_in_deactivated_refused(people: People) -> None:
    User.objects.filter(pk=people.rep.pk).update(is_active=False)
    assert authenticate(username="rosa@example.com", password=PASSWORD) is None


def test_log_in_without_password_refused(db: None) -> None:
    user = User.objects.create_user("new@example.com", name="New")
    assert authenticate(username="new@example.com", password="") is None
    assert user.has_usable_password() is False


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        (Role.REP, "sync.view_task", False),
        (Role.REP, "teams.view_user", False),
        (Role.MANAGER, "sync.view_task", True),
        (Role.MANAGER, "sync.change_task", True),
        (Role.MANAGER, "sync.delete_task", False),
        (Role.MANAGER, "sync.add_play", True),
        (Role.MANAGER, "sync.delete_play", False),
        (Role.MANAGER, "sync.add_enrolment", True),
        (Role.MANAGER, "sync.delete_enrolment", False),
        (Role.MANAGER, "sync.view_connection", False),
        (Role.MANAGER, "sync.view_trouble", False),
        (Role.MANAGER, "teams.change_user", True),
        (Role.MANAGER, "teams.add_user", False),
        (Role.MANAGER, "teams.delete_user", False),
        (Role.MANAGER, "teams.change_team", False),
        (Role.MANAGER, "teams.view_organisation", False),
        (Role.MANAGER, "django_q.view_schedule", False),
        (Role.ADMIN, "sync.view_connection", True),
        (Role.ADMIN, "teams.add_user", True),
        (Role.ADMIN, "teams.change_organisation", True),
        (Role.ADMIN, "django_q.view_failure", True),
    ],
)
def test_role_permission(role: Role, permission: str, allowed: bool) -> None:
    assert User(role=role).has_perm(permission) is allowed


@pytest.mark.parametrize("role", list(Role))
def test_role_deactivated_may_do_nothing(role: Role) -> None:
    user = User(role=role, is_active=False)
    assert [user.has_perm(permission) for permission in sorted(every_permission())] == [False] * len(every_permission())
    assert user.has_module_perms("sync") is False
    assert user.is_staff is False


def test_manager_permissions_are_of_existing_models() -> None:
    assert every_permission() >= MANAGER_PERMISSIONS


def test_role_module() -> None:
    assert [User(role=role).has_module_perms("teams") for role in Role] == [False, True, True]
    assert [User(role=role).has_module_perms("django_q") for role in Role] == [False, False, True]


def test_permission_with_an_object_asks_for_its_scope(people: People) -> None:
    def sees(permission: str, obj: Model) -> list[bool]:
        return [
            user.has_perm(permission, obj) for user in (people.rep, people.manager, people.other_manager, people.admin)
        ]

    assert sees("teams.view_user", people.rep) == [False, True, False, True]
    assert sees("teams.change_user", people.rep) == [False, True, False, True]
    assert sees("teams.view_user", people.colleague) == [False, True, False, True]
    assert sees("teams.change_user", people.colleague) == [False, False, False, True]
    assert sees("teams.view_team", people.south) == [False, False, True, True]


def test_may_change_user(people: People) -> None:
    everyone = [people.admin, people.manager, people.colleague, people.rep]
    assert [may_change_user(people.admin, user) for user in everyone] == [True, True, True, True]
    assert [may_change_user(people.manager, user) for user in everyone] == [False, True, False, True]
    assert [may_change_user(people.rep, user) for user in everyone] == [False, False, False, True]


def test_visible_to(people: People) -> None:
    def seen(viewer: User) -> list[str]:
        return [user.name.partition(" ")[0] for user in User.objects.visible_to(viewer)]

    assert seen(people.rep) == ["Rosa"]
    assert seen(people.manager) == ["Cleo", "Mia", "Rosa"]
    assert seen(people.colleague) == ["Cleo"]
    assert seen(people.admin) == ["Ada", "Cleo", "Mia", "Otto", "Rosa", "Sven"]
