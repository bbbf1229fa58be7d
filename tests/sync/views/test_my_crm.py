"""Settings › CRM: what everyone is told about themselves, and about nobody else."""  # noqa: RUF002

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sync.enums import ConnectionState, CrmUserFinding, OutboxState
from sync.models import Connection, CrmUserLookup, OutboxRow
from teams.models import User
from tests.factories import TaskFactory, the_connection
from tests.people import People, logged_in, people

__all__ = ["people"]
PAGE = "/settings/crm/"


def test_my_crm_needs_a_log_in(people: People) -> None:
    assert Client().get(PAGE).status_code == 302
    for user in (people.rep, people.manager, people.admin):
        assert logged_in(user).get(PAGE).status_code == 200


@pytest.mark.parametrize(
    ("finding", "how"),
    [
        (CrmUserFinding.MATCHED, "found by your e-mail"),
        (CrmUserFinding.CHOSEN, "chosen by a manager or an admin"),
        (None, "entered by a manager or an admin"),
    ],
)
def test_my_crm_says_who_i_am_and_how_that_is_known(people: People, finding: CrmUserFinding | None, how: str) -> None:
    if finding:
        candidate = {
            "id": people.rep.crm_user_id,
            "name": "Rosa R.",
            "username": "r",
            "is_active": True,
            "is_free": True,
        }
        CrmUserLookup.objects.create(user=people.rep, finding=finding, candidates=[candidate], at=timezone.now())
    told = logged_in(people.rep).get(PAGE).context["crm_user"]
    assert told == {"id": people.rep.crm_user_id, "name": "Rosa R." if finding else "", "how": how}


def test_my_crm_says_why_i_have_none(people: People) -> None:
    User.objects.filter(pk=people.rep.pk).update(crm_user_id=None)
    assert logged_in(people.rep).get(PAGE).context["crm_user"]["why"] == "It was not looked up yet"
    CrmUserLookup.objects.create(user=people.rep, finding=CrmUserFinding.INACTIVE, at=timezone.now())
    why = logged_in(people.rep).get(PAGE).context["crm_user"]["why"]
    assert why == "The CRM user with this e-mail is deactivated"


def test_my_crm_counts_ones_own_tasks(people: People) -> None:
    connection = the_connection()
    for user, state in (
        (people.rep, OutboxState.PENDING),
        (people.rep, OutboxState.FAILED),
        (people.rep, OutboxState.DONE),
        (people.other_rep, OutboxState.FAILED),
    ):
        task = TaskFactory.create(user=user, subject=f"{state} of {user}")
        if state == OutboxState.DONE:
            type(task).objects.filter(pk=task.pk).update(synced_at=timezone.now())
        OutboxRow.objects.create(
            connection=connection, task=task, user=user, key=task.key, state=state, not_before=timezone.now()
        )
    context = logged_in(people.rep).get(PAGE).context
    assert (context["waiting"], context["failed"], context["last_synced"].subject) == (1, 1, "done of Rosa Rep")


def test_my_crm_says_how_the_connection_stands(people: People) -> None:
    client = logged_in(people.rep)
    assert client.get(PAGE).context["state"][1] == "Not connected yet"
    the_connection()
    assert client.get(PAGE).context["state"][1] == "Connected"
    Connection.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    assert client.get(PAGE).context["state"][1] == "Resting"
    Connection.objects.update(state=ConnectionState.DISCONNECTED)
    assert client.get(PAGE).context["state"][1] == "Disconnected"


def test_my_crm_names_who_can_help(people: People) -> None:
    helpers = {
        user: logged_in(user).get(PAGE).context["helpers"] for user in (people.rep, people.manager, people.admin)
    }
    assert helpers == {people.rep: [people.manager], people.manager: [people.admin], people.admin: []}
