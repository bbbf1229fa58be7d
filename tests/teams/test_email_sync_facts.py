"""The facts of one and of many, in as many queries."""

from pytest_django import DjangoAssertNumQueries

from teams.email_sync import Changer, Reason
from teams.email_sync_facts import Reach, organisation_switches, reach, state_of, states_of
from teams.models import MailProvider, User
from tests.factories import UserFactory
from tests.people import People
from tests.teams.switches import ATTACHMENTS, INBOUND, NOT_CHOSEN, OFF, ON, OUTBOUND, give_mailboxes, set_switch


def test_states_of_each_users_own(people: People) -> None:
    give_mailboxes(people.rep, people.other_rep)
    set_switch(None, OUTBOUND, ON, people.admin)
    set_switch(people.rep, OUTBOUND, OFF, people.manager)
    states = states_of([people.rep, people.other_rep, people.manager])
    assert {user.name: states[user.pk][OUTBOUND].reason for user in (people.rep, people.other_rep, people.manager)} == {
        "Rosa Rep": Reason.CHOSEN,
        "Sven Stranger": Reason.NOT_CHOSEN,
        "Mia Manager": Reason.NO_MAILBOX,
    }
    assert states[people.rep.pk][INBOUND].reason == Reason.ORGANISATION_OFF
    assert states[people.rep.pk][ATTACHMENTS].reason == Reason.MANAGERS


def test_states_of_who_changed_it_is_a_manager_of_the_users_team_only(people: People) -> None:
    set_switch(None, OUTBOUND, ON, people.admin)
    for changer, expected in (
        (people.manager, Changer(people.manager.pk, "Mia Manager", manages=True)),
        (people.other_manager, Changer(people.other_manager.pk, "Otto Other")),
        (people.admin, Changer(people.admin.pk, "Ada Admin", is_admin=True)),
        (people.rep, Changer(people.rep.pk, "Rosa Rep")),
        (None, None),
    ):
        set_switch(people.rep, OUTBOUND, OFF, changer)
        assert state_of(people.rep, OUTBOUND).own.changed_by == expected


def test_states_of_someone_without_a_team(people: People) -> None:
    give_mailboxes(people.admin)
    set_switch(None, OUTBOUND, ON, people.admin)
    set_switch(people.admin, OUTBOUND, OFF, people.admin)
    assert state_of(people.admin, OUTBOUND).reason == Reason.CHOSEN


def test_states_of_nobody(db: None) -> None:
    assert states_of([]) == {}


def test_states_of_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    set_switch(None, OUTBOUND, ON, people.admin)
    few = list(User.objects.all()[:3])
    UserFactory.create_batch(300)
    many = list(User.objects.all())
    for user in many[::7]:
        set_switch(user, OUTBOUND, OFF, user)
    with django_assert_num_queries(2):
        assert len(states_of(few)) == 3
    with django_assert_num_queries(2):
        assert len(states_of(many)) == 306


def test_organisation_switches_are_there_before_anybody_chose(people: People) -> None:
    set_switch(None, INBOUND, ON, people.manager)
    switches = organisation_switches()
    assert {direction: switch.choice for direction, switch in switches.items()} == {
        OUTBOUND: NOT_CHOSEN,
        INBOUND: ON,
        ATTACHMENTS: NOT_CHOSEN,
    }
    assert switches[INBOUND].changed_by == Changer(people.manager.pk, "Mia Manager")


def test_reach_counts_active_users_by_what_stops_them(
    people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    give_mailboxes(people.rep, people.other_rep, people.manager)
    give_mailboxes(people.colleague, provider=MailProvider.SMTP)
    UserFactory.create(mail_provider=MailProvider.OUTLOOK, is_active=False)
    set_switch(people.rep, OUTBOUND, OFF, people.rep)
    set_switch(people.manager, OUTBOUND, ON, people.manager)
    set_switch(people.colleague, OUTBOUND, OFF, people.colleague)  # their SMTP stops it already
    with django_assert_num_queries(2):
        reached = reach()
    assert reached == {
        OUTBOUND: Reach(on=2, chosen_off=1, smtp=1, without_mailbox=2),
        INBOUND: Reach(on=3, chosen_off=0, smtp=1, without_mailbox=2),
        ATTACHMENTS: Reach(on=3, chosen_off=0, smtp=1, without_mailbox=2),
    }
