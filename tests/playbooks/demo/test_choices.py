"""The demo's people have chosen something before one looks, so that every page has something to show."""

import pytest

from blacklist.models import Rule, RuleKind
from playbooks.demo.choices import choose
from playbooks.demo.company import PEOPLE, TEAM
from teams.email_sync import in_words
from teams.email_sync_facts import states_of
from teams.models import EmailDirection, Organisation, Team, User


@pytest.fixture
def users(db: None) -> dict[str, User]:
    team = Team.objects.create(name=TEAM)
    made = {
        name: User.objects.create_user(
            email, None, name=name, role=role, mail_provider=provider, team=team if role == "rep" else None
        )
        for email, name, role, provider in PEOPLE
    }
    team.managers.add(made["Elena Rossi"])
    choose(made)
    return made


def test_each_rep_shows_another_reason(users: dict[str, User]) -> None:
    viewer = users["Elena Rossi"].pk
    states = states_of(list(users.values()))
    said = {
        name: [in_words(states[user.pk][direction], viewer).partition(":")[0] for direction in EmailDirection]
        for name, user in users.items()
        if user.team_id
    }
    assert said == {
        "Amara Osei": ["On", "On", "Off for the whole organisation. Attachments are the managers' choice."],
        "Jonas Weber": ["On", "Off", "Off for the whole organisation. Attachments are the managers' choice."],
        "Priya Nair": ["Not possible", "Not possible", "Not possible"],
    }


def test_the_blacklists_hold_every_kind_and_a_reps_own(users: dict[str, User]) -> None:
    company = Rule.objects.of_company()
    assert sorted(company.values_list("kind", "ignore_quoted")) == [
        (RuleKind.ADDRESS, False),
        (RuleKind.DOMAIN, False),
        (RuleKind.DOMAIN, False),
        (RuleKind.KEYWORD, False),
        (RuleKind.KEYWORD, False),
        (RuleKind.KEYWORD, True),
    ]
    assert {rule.created_by for rule in company} == {users["Elena Rossi"]}
    assert Rule.objects.of_user(users["Amara Osei"]).count() == 2
    assert Organisation.load().own_domains == ["fernhill.example"]
