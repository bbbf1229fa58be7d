"""Switching a whole team: what the preview says is what happens, or nothing does."""

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import PermissionDenied
from pytest_django import DjangoAssertNumQueries

from teams.email_sync import NEVER_CHOSEN, Person, Switch, effective
from teams.models import EmailSwitch, MailProvider, SwitchChoice, User
from teams.team_switching import Effect, Plan, StalePlanError, effect_on, load_plan, switch_team
from tests.factories import UserFactory
from tests.people import People
from tests.teams.switches import (
    INBOUND,
    NOT_CHOSEN,
    OFF,
    ON,
    OUTBOUND,
    choice_of,
    give_mailboxes,
    set_switch,
)

CHANGES, STAYS, SKIPPED = Effect


@pytest.mark.parametrize(
    ("own", "choice", "effect"),
    [
        # Who is on already stays as they are: who has not chosen goes on following the organisation.
        (NOT_CHOSEN, ON, STAYS),
        (ON, ON, STAYS),
        (OFF, ON, CHANGES),
        (NOT_CHOSEN, OFF, CHANGES),
        (ON, OFF, CHANGES),
        (OFF, OFF, STAYS),
        (NOT_CHOSEN, NOT_CHOSEN, STAYS),
        (ON, NOT_CHOSEN, CHANGES),
        (OFF, NOT_CHOSEN, CHANGES),
    ],
)
def test_effect_on(own: SwitchChoice, choice: SwitchChoice, effect: Effect) -> None:
    person = Person(1, "Rosa Rep")
    assert effect_on(effective(OUTBOUND, person, Switch(ON, 1), Switch(own, 1)), choice) == effect
    assert effect_on(effective(OUTBOUND, person, Switch(OFF, 2), Switch(own, 1)), choice) == SKIPPED


def test_effect_on_someone_without_a_mailbox() -> None:
    smtp = Person(1, "Rosa Rep", mail_provider=MailProvider.SMTP)
    assert effect_on(effective(OUTBOUND, smtp, Switch(ON, 1), NEVER_CHOSEN), OFF) == SKIPPED


@pytest.fixture
def north(people: People) -> People:
    """North has Rosa, who follows; Cleo, with SMTP; Olga, who chose off; Zoe, deactivated. Sven is of another team."""
    set_switch(None, OUTBOUND, ON, people.admin)
    give_mailboxes(people.rep, people.other_rep)
    give_mailboxes(people.colleague, provider=MailProvider.SMTP)
    olga = UserFactory.create(name="Olga Off", team=people.north, mail_provider=MailProvider.OUTLOOK)
    set_switch(olga, OUTBOUND, OFF, olga)
    UserFactory.create(name="Zoe Gone", team=people.north, mail_provider=MailProvider.GMAIL, is_active=False)
    return people


def named(plan: Plan) -> dict[Effect, list[str]]:
    return {effect: [line.user.name for line in plan.of(effect)] for effect in Effect}


def test_load_plan(north: People) -> None:
    assert named(load_plan(north.north, OUTBOUND, OFF)) == {
        CHANGES: ["Rosa Rep"],
        STAYS: ["Olga Off"],
        SKIPPED: ["Cleo Colleague"],
    }
    assert named(load_plan(north.north, INBOUND, OFF)) == {
        CHANGES: [],
        STAYS: [],
        SKIPPED: ["Cleo Colleague", "Olga Off", "Rosa Rep"],
    }


def test_switch_team_changes_whom_the_plan_names(north: People) -> None:
    plan = load_plan(north.north, OUTBOUND, OFF)
    done = switch_team(north.manager, north.north, OUTBOUND, OFF, fingerprint=plan.fingerprint)
    assert named(done) == named(plan)
    rows = EmailSwitch.objects.exclude(user=None).order_by("user__name")
    assert [(str(row.user), row.choice, row.version, str(row.changed_by)) for row in rows] == [
        ("Olga Off", "off", 1, "Olga Off"),
        ("Rosa Rep", "off", 1, "Mia Manager"),
    ]
    newest = LogEntry.objects.get_for_model(EmailSwitch).latest("pk")
    assert (str(newest.actor), newest.changes_dict) == ("Mia Manager", {"choice": ["", "off"]})


def test_switch_team_again_takes_the_rows_that_are_there(north: People) -> None:
    for choice in (OFF, ON, NOT_CHOSEN):
        plan = load_plan(north.north, OUTBOUND, choice)
        switch_team(north.admin, north.north, OUTBOUND, choice, fingerprint=plan.fingerprint)
    row = EmailSwitch.objects.get(user=north.rep)
    assert (row.choice, row.version, row.changed_by) == (NOT_CHOSEN, 3, north.admin)


def somebody_switches(north: People) -> None:
    set_switch(north.rep, OUTBOUND, ON, north.rep)


def somebody_joins(north: People) -> None:
    UserFactory.create(team=north.north, mail_provider=MailProvider.GMAIL)


def somebody_leaves(north: People) -> None:
    User.objects.filter(pk=north.rep.pk).update(is_active=False)


def somebody_gets_a_mailbox(north: People) -> None:
    give_mailboxes(north.colleague)


def the_organisation_switches_off(north: People) -> None:
    set_switch(None, OUTBOUND, OFF, north.admin)


@pytest.mark.parametrize(
    "meanwhile",
    [somebody_switches, somebody_joins, somebody_leaves, somebody_gets_a_mailbox, the_organisation_switches_off],
)
def test_switch_team_stale_switches_nobody(north: People, meanwhile: object) -> None:
    plan = load_plan(north.north, OUTBOUND, OFF)
    assert callable(meanwhile)
    meanwhile(north)
    before = choice_of(north.rep, OUTBOUND)
    with pytest.raises(StalePlanError) as raised:
        switch_team(north.manager, north.north, OUTBOUND, OFF, fingerprint=plan.fingerprint)
    assert raised.value.plan.fingerprint == load_plan(north.north, OUTBOUND, OFF).fingerprint != plan.fingerprint
    assert choice_of(north.rep, OUTBOUND) == before


def test_switch_team_of_another_plan_is_stale(north: People) -> None:
    plan = load_plan(north.north, OUTBOUND, OFF)
    for fingerprint, choice in ((plan.fingerprint, NOT_CHOSEN), ("", OFF)):
        with pytest.raises(StalePlanError):
            switch_team(north.manager, north.north, OUTBOUND, choice, fingerprint=fingerprint)


@pytest.mark.parametrize("actor", ["rep", "colleague", "other_manager"])
def test_switch_team_by_who_may_not(north: People, actor: str) -> None:
    plan = load_plan(north.north, OUTBOUND, OFF)
    with pytest.raises(PermissionDenied):
        switch_team(getattr(north, actor), north.north, OUTBOUND, OFF, fingerprint=plan.fingerprint)
    assert choice_of(north.rep, OUTBOUND) == NOT_CHOSEN


def test_switch_team_of_hundreds_in_few_queries(
    north: People, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    # Not as many for 3 as for 300: a database takes so many values in one statement.
    UserFactory.create_batch(299, team=north.north, mail_provider=MailProvider.GMAIL)
    plan = load_plan(north.north, OUTBOUND, OFF)
    with django_assert_max_num_queries(20):
        done = switch_team(north.admin, north.north, OUTBOUND, OFF, fingerprint=plan.fingerprint)
    assert len(done.of(CHANGES)) == 300
    assert EmailSwitch.objects.filter(changed_by=north.admin, version=1, choice=OFF).count() == 300
