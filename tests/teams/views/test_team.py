"""Teams › team › user: for whom, what is said of each member, and who may switch."""  # noqa: RUF002

import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from blacklist.models import Rule, RuleKind
from teams.models import EmailSwitch, MailProvider, Role, User
from tests.factories import UserFactory
from tests.people import People, logged_in
from tests.teams.switches import (
    INBOUND,
    OFF,
    ON,
    OUTBOUND,
    choice_of,
    give_mailboxes,
    messages_of,
    press,
    press_with_script,
    set_switch,
    team_page,
    user_page,
    version_of,
)


def names(client: Client, url: str) -> list[str]:
    return [member["user"].name for member in client.get(url).context["members"]]


def test_team_page_lists_active_members_with_their_state(synced: People) -> None:
    give_mailboxes(synced.colleague, provider=MailProvider.SMTP)
    set_switch(synced.rep, INBOUND, OFF, synced.rep)
    UserFactory.create(name="Zoe Gone", team=synced.north, is_active=False)
    members = logged_in(synced.manager).get(team_page(synced.north)).context["members"]
    assert [
        (member["user"].name, [(row.is_on, row.may_change, row.offers_follow) for row in member["rows"]])
        for member in members
    ] == [
        ("Cleo Colleague", [(False, False, False), (False, False, False)]),
        ("Rosa Rep", [(True, True, False), (False, True, True)]),
    ]
    assert members[1]["rows"][0].label == "Outbound: Rosa Rep"
    assert members[1]["rows"][0].text == "On: it is on for the organisation, and Rosa Rep has not chosen."
    assert members[1]["rows"][1].text.startswith("Off: Rosa Rep switched inbound off on ")


@pytest.mark.parametrize(
    ("viewer", "status"),
    [
        ("admin", 200),
        ("manager", 200),
        ("other_manager", 404),
        ("colleague", 404),  # a member of the team, but not its manager
        ("rep", 403),
    ],
)
def test_team_pages_are_its_managers_and_admins(synced: People, viewer: str, status: int) -> None:
    client = logged_in(getattr(synced, viewer))
    assert client.get(team_page(synced.north)).status_code == status
    assert client.get(user_page(synced.rep)).status_code == status


def test_team_pages_of_a_stranger(synced: People) -> None:
    for url in (team_page(synced.north), user_page(synced.rep), user_page(synced.rep, OUTBOUND)):
        assert Client().get(url).status_code == 302
        assert "Rosa" not in Client().get(url, follow=True).content.decode()


def test_user_page_is_below_the_users_own_team(synced: People) -> None:
    client = logged_in(synced.admin)
    for team, user in ((synced.south, synced.rep), (synced.north, synced.other_rep), (synced.north, synced.manager)):
        assert client.get(f"{team_page(team)}users/{user.uuid}/").status_code == 404
    assert client.get(f"{team_page(synced.north)}users/{uuid.uuid4()}/").status_code == 404


def test_user_page_walked_to_from_teams(synced: People) -> None:
    client = logged_in(synced.manager)
    teams = client.get("/manager/teams/team/").content.decode()
    assert f'href="{team_page(synced.north)}"' in teams
    team = client.get(team_page(synced.north)).content.decode()
    assert f'href="{user_page(synced.rep)}"' in team
    user = client.get(user_page(synced.rep)).content.decode()
    assert f'href="{team_page(synced.north)}"' in user


def test_team_page_is_edited_by_admins_alone(synced: People) -> None:
    edit = f"/manager/teams/team/{synced.north.uuid}/change/"
    assert logged_in(synced.admin).get(team_page(synced.north)).context["edit_url"] == edit
    assert logged_in(synced.manager).get(team_page(synced.north)).context["edit_url"] == ""
    # The way back, from the page of its name and managers.
    assert f'href="{team_page(synced.north)}"' in logged_in(synced.admin).get(edit).content.decode()


def test_user_page_counts_private_rules_and_names_none(synced: People) -> None:
    for word in ("divorce", "doctor"):
        Rule.objects.create(user=synced.rep, kind=RuleKind.KEYWORD, value=word, match=word)
    Rule.objects.create(user=synced.other_rep, kind=RuleKind.KEYWORD, value="solicitor", match="solicitor")
    Rule.objects.create(kind=RuleKind.KEYWORD, value="merger", match="merger")
    response = logged_in(synced.manager).get(user_page(synced.rep))
    assert response.context["private_rules"] == 2
    page = response.content.decode()
    assert [word for word in ("divorce", "doctor", "solicitor", "merger") if word in page] == []


def test_user_page_of_someone_deactivated_says_so(synced: People) -> None:
    User.objects.filter(pk=synced.rep.pk).update(is_active=False)
    rows = logged_in(synced.manager).get(user_page(synced.rep)).context["rows"]
    assert [(row.text, row.may_change) for row in rows] == [("Off: Rosa Rep is deactivated.", False)] * 3


def test_press_by_the_manager_returns_to_where_it_was(synced: People) -> None:
    client = logged_in(synced.manager)
    for back in (user_page(synced.rep), f"{team_page(synced.north)}?q=rosa&page=1"):
        seen = version_of(synced.rep, OUTBOUND)
        response = press(client, user_page(synced.rep, OUTBOUND), "off" if not seen else "on", seen=seen, next=back)
        assert response["Location"] == back
    assert choice_of(synced.rep, OUTBOUND) == ON
    off, on = messages_of(client, user_page(synced.rep))
    assert off.startswith("Outbound: Rosa Rep. Off: you switched outbound off on ")
    assert on.startswith("Outbound: Rosa Rep. On: you switched outbound on, ")


def test_press_with_javascript_keeps_the_way_back(synced: People) -> None:
    back = f"{team_page(synced.north)}?page=2"
    response = press_with_script(logged_in(synced.manager), user_page(synced.rep, INBOUND), "off", next=back)
    row = response.context["row"]
    assert (row.key, row.is_on, row.next) == (f"{synced.rep.uuid}-inbound", False, back)


@pytest.mark.parametrize(
    ("actor", "status"),
    [("rep", 403), ("other_rep", 403), ("other_manager", 404), ("colleague", 404), ("admin", 302), ("manager", 302)],
)
def test_press_forged_for_another_user(synced: People, actor: str, status: int) -> None:
    client = logged_in(getattr(synced, actor))
    assert press(client, user_page(synced.rep, OUTBOUND), "off").status_code == status
    assert version_of(synced.rep, OUTBOUND) == (1 if status == 302 else 0)


def test_press_forged_through_ones_own_team(synced: People) -> None:
    client = logged_in(synced.manager)
    url = f"{team_page(synced.north)}users/{synced.other_rep.uuid}/outbound/"
    assert press(client, url, "off").status_code == 404
    assert EmailSwitch.objects.exclude(user=None).count() == 0


def test_press_of_attachments_is_refused(synced: People) -> None:
    client = logged_in(synced.admin)
    response = client.post(f"{user_page(synced.rep)}attachments/", {"choice": "on", "seen": 0})
    assert response.status_code == 302
    why = "Off for the whole organisation. Attachments are the managers' choice."
    assert messages_of(client, user_page(synced.rep)) == [f"Attachments: Rosa Rep. Nothing was changed. {why}"]
    assert EmailSwitch.objects.exclude(user=None).count() == 0


def test_team_page_search_and_pages(synced: People) -> None:
    for number in range(60):
        UserFactory.create(name=f"Member {number:02}", email=f"m{number}@north.example", team=synced.north)
    client = logged_in(synced.manager)
    assert len(names(client, team_page(synced.north))) == 50
    assert len(names(client, f"{team_page(synced.north)}?page=2")) == 12
    # What is no page leads to the nearest.
    assert len(names(client, f"{team_page(synced.north)}?page=999")) == 12
    assert len(names(client, f"{team_page(synced.north)}?page=x")) == 50
    assert names(client, f"{team_page(synced.north)}?q=MEMBER 07") == ["Member 07"]
    assert names(client, f"{team_page(synced.north)}?q=m59%40north") == ["Member 59"]
    assert names(client, f"{team_page(synced.north)}?q=sven") == []
    assert client.get(f"{team_page(synced.north)}?q=%00").status_code == 400


@pytest.mark.parametrize("members", [3, 300])
def test_team_page_queries_do_not_grow(
    synced: People, members: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for user in UserFactory.create_batch(members - 2, team=synced.north, mail_provider=MailProvider.GMAIL):
        set_switch(user, OUTBOUND, OFF, user)
    client = logged_in(synced.manager)
    client.get(team_page(synced.north))
    with django_assert_num_queries(11):
        response = client.get(team_page(synced.north))
    assert response.context["page"].paginator.count == members


def test_team_page_of_someone_who_became_a_rep(synced: People) -> None:
    client = logged_in(synced.manager)
    User.objects.filter(pk=synced.manager.pk).update(role=Role.REP)
    assert client.get(team_page(synced.north)).status_code == 403
    assert press(client, user_page(synced.rep, OUTBOUND), "off").status_code == 403
