"""What is kept of changes: by whom, about what, in which words; and what costs nothing."""

import sys
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from auditlog.models import LogEntry
from django.contrib.auth import authenticate
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from teams import audit
from teams.audit_words import Change, in_words
from teams.models import EmailSwitch, Organisation, Role, Team, User
from tests.people import PASSWORD, People, logged_in


def entries() -> list[tuple[Any, str, Any]]:
    return [(entry.actor, entry.object_repr, entry.changes) for entry in LogEntry.objects.order_by("pk")]


@pytest.fixture
def clean(people: People) -> People:
    LogEntry.objects.all().delete()
    return people


def test_note(clean: People) -> None:
    audit.note(clean.manager, clean.rep, {"is_active": ("True", "False")})
    audit.note(clean.manager, clean.rep, {})
    assert entries() == [(clean.manager, "Rosa Rep", {"is_active": ["True", "False"]})]
    assert LogEntry.objects.get().actor_email == "mia@example.com"


def test_note_keeps_long_values_visibly_cut(clean: People) -> None:
    audit.note(clean.manager, clean.rep, {"name": ("", "x" * 50_000)})
    value = LogEntry.objects.get().changes["name"][1]
    assert (len(value), value[-1]) == (audit.MAX_VALUE, "…")


def test_note_all_is_one_query(clean: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        audit.note_all(clean.admin, [(clean.rep, {"name": ("a", "b")}), (clean.other_rep, {"name": ("a", "b")})])
    assert len(entries()) == 2


def test_note_without_an_actor_names_who_sent_the_request(clean: People) -> None:
    request = RequestFactory().post("/")
    request.user = clean.manager
    with audit.during(request):
        audit.note(None, clean.rep, {"name": ("a", "b")})
        audit.note_all(None, [(clean.rep, {"name": ("b", "c")})])
    audit.note(None, clean.rep, {"name": ("c", "d")})
    assert [actor for actor, _name, _changes in entries()] == [clean.manager, clean.manager, None]


def test_note_without_an_actor_names_the_command(clean: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "crm_connect", "--secret"])
    audit.note(None, clean.rep, {"name": ("a", "b")})
    assert LogEntry.objects.get().additional_data == {"by": "manage.py crm_connect"}


def test_saving_a_user_is_kept_with_names(clean: People) -> None:
    clean.rep.team, clean.rep.role = clean.south, Role.MANAGER
    clean.rep.save()
    assert entries() == [(None, "Rosa Rep", {"team": ["North", "South"], "role": ["rep", "manager"]})]


def test_the_managers_of_a_team_are_kept(clean: People) -> None:
    clean.north.managers.set([clean.other_manager])
    changes = [in_words(Team, changes) for _actor, _name, changes in entries()]
    assert sorted(str(change) for [change] in changes) == [
        "managers: added Otto Other",
        "managers: removed Mia Manager",
    ]


def test_a_password_is_kept_as_changed_and_nothing_of_it(clean: People) -> None:
    clean.rep.set_password("a brand new secret")
    clean.rep.save()
    assert entries() == [(None, "Rosa Rep", {"password": ["", "changed"]})]


def test_a_password_hashed_anew_at_a_log_in_is_no_change(clean: People, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    before = clean.rep.password
    assert authenticate(username=clean.rep.email, password=PASSWORD) == clean.rep
    clean.rep.refresh_from_db()
    assert clean.rep.password != before
    assert entries() == []


def test_a_log_in_is_no_change(clean: People) -> None:
    logged_in(clean.rep)
    assert entries() == []


def test_single_sign_on_is_kept_when_it_comes_and_goes(clean: People) -> None:
    account = SocialAccount.objects.create(user=clean.rep, provider="google", uid="1")
    account.save()
    account.delete()
    assert [changes for _actor, _name, changes in entries()] == [
        {"single sign-on": ["", "Google"]},
        {"single sign-on": ["Google", ""]},
    ]


def test_a_request_is_answered_for_by_who_sent_it(clean: People) -> None:
    client = logged_in(clean.admin)
    client.post(f"/manager/teams/team/{clean.north.uuid}/change/", {"name": "Northern", "managers": []})
    assert {actor for actor, _name, _changes in entries()} == {clean.admin}
    clean.north.name = "North"
    clean.north.save()
    assert LogEntry.objects.latest("pk").actor is None


def test_forged_headers_of_proxies_break_nothing(clean: People) -> None:
    url = f"/manager/teams/team/{clean.north.uuid}/change/"
    headers = {"X-Forwarded-For": "not an address", "X-Forwarded-Port": "-1", "X-Correlation-Id": "x" * 300}
    logged_in(clean.admin).post(url, {"name": "Northern", "managers": []}, headers=headers)
    entry = LogEntry.objects.order_by("pk")[0]
    assert (entry.remote_addr, entry.remote_port, entry.cid) == (None, None, None)


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        (User, {"role": ["rep", "manager"]}, ["role: Rep → Manager"]),
        (User, {"is_active": ["True", "False"]}, ["active: yes → no"]),
        (User, {"crm_user_id": ["005x", "None"]}, ["CRM user id: 005x → nothing"]),
        (User, {"name": ["None", "Rosa"], "email": ["None", "r@x"]}, ["e-mail: r@x", "name: Rosa"]),
        (User, {"invited_at": ["None", "2026-03-01 10:30:00.123"]}, ["invited at: 1 Mar 2026, 10:30"]),
        (User, {"time_zone": ["", "None"]}, []),
        (EmailSwitch, {"choice": ["", "on"]}, ["choice: Not chosen → On"]),
        (Organisation, {"own_domains": ["[]", '["a.example", "b.example"]']}, ["own domains: a.example, b.example"]),
        (User, {"password": ["", "changed"]}, ["password: changed"]),
        (None, {"gone_field": ["a", "b"]}, ["gone field: a → b"]),
        (User, None, []),
    ],
)
def test_in_words(model: Any, changes: Any, words: list[str]) -> None:
    assert [str(change) for change in in_words(model, changes)] == words


def test_change_says_what_came() -> None:
    assert str(Change("name", "", "Rosa")) == "name: Rosa"
