"""Admins who shut each other out at the same moment: one of them remains."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from teams.acting_admin import take_turn
from teams.models import Role, User
from tests.factories import UserFactory
from tests.people import logged_in


@pytest.mark.django_db
def test_whoever_is_no_admin_any_more_changes_nobody() -> None:
    admin = UserFactory.create(role=Role.ADMIN)
    User.objects.filter(pk=admin.pk).update(role=Role.MANAGER)
    with pytest.raises(PermissionDenied), transaction.atomic():
        take_turn(admin)


@pytest.mark.django_db
def test_managers_are_not_held_up() -> None:
    with transaction.atomic():
        take_turn(UserFactory.create(role=Role.MANAGER))


@pytest.mark.django_db(transaction=True)
def test_two_who_deactivate_each_other_leave_one() -> None:
    one, other = UserFactory.create(role=Role.ADMIN), UserFactory.create(role=Role.ADMIN)
    clients = {one.pk: logged_in(one), other.pk: logged_in(other)}
    start = Barrier(2)

    def deactivate(pair: tuple[User, User]) -> int:
        by, whom = pair
        start.wait()
        try:
            data = {"action": "deactivate", ACTION_CHECKBOX_NAME: [whom.pk]}
            return clients[by.pk].post("/manager/teams/user/", data).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(deactivate, [(one, other), (other, one)]))
    assert User.objects.admins().count() == 1
    # The second is stopped, or logged out already when they ask.
    assert answers.count(302) >= 1
    assert set(answers) <= {302, 403}
