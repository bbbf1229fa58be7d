"""The matchers in force, kept as long as nothing changes."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from blacklist import compiled
from blacklist.compiled import Stop, rules_for, rules_for_all
from blacklist.matcher import BodyPart, Match, MessageFacts, Part
from blacklist.models import Rule, RuleKind, RuleSet
from teams.models import User
from tests.factories import UserFactory
from tests.people import People


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    compiled._kept.clear()
    yield
    compiled._kept.clear()


def _add(user: User | None, *words: str) -> list[Rule]:
    """As a save does: the rules, and a version of their own."""
    rules = Rule.objects.bulk_create(Rule(user=user, kind=RuleKind.KEYWORD, value=word, match=word) for word in words)
    rule_set, _made = RuleSet.objects.get_or_create(user=user)
    rule_set.version += 1
    rule_set.changed_at = timezone.now()
    rule_set.save()
    return rules


def _letter(text: str) -> MessageFacts:
    return MessageFacts(body=(BodyPart(text),))


def test_m18_rule_of_the_company_binds_every_user_at_once(people: People) -> None:
    assert rules_for(people.rep).stop(_letter("the merger")) is None
    (rule,) = _add(None, "merger")
    for user in (people.rep, people.other_rep, people.admin):
        assert rules_for(user).stop(_letter("the merger")) == Stop(Match(rule.pk, Part.BODY), by_company=True)


def test_m19_own_rule_stops_only_the_own_copy(people: People) -> None:
    (rule,) = _add(people.rep, "doctor")
    assert rules_for(people.rep).stop(_letter("doctor")) == Stop(Match(rule.pk, Part.BODY), by_company=False)
    assert rules_for(people.other_rep).stop(_letter("doctor")) is None


def test_m19_own_rules_narrow_the_company_s_and_never_widen_them(people: People) -> None:
    (company,) = _add(None, "merger")
    _add(people.rep, "merger", "doctor")
    assert rules_for(people.rep).stop(_letter("doctor merger")) == Stop(Match(company.pk, Part.BODY), by_company=True)


def test_change_counts_at_the_next_question(people: People) -> None:
    (rule,) = _add(people.rep, "doctor")
    assert rules_for(people.rep).stop(_letter("doctor")) is not None
    rule.delete()
    _add(people.rep, "dentist")
    assert rules_for(people.rep).stop(_letter("doctor")) is None
    assert rules_for(people.rep).stop(_letter("dentist")) is not None


@pytest.mark.parametrize("count", [3, 300])
def test_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int) -> None:
    _add(None, *(f"company{number}" for number in range(count)))
    _add(people.rep, *(f"own{number}" for number in range(count)))
    with django_assert_num_queries(3):
        first = rules_for(people.rep)
    with django_assert_num_queries(1):
        assert rules_for(people.rep) == first
    _add(people.rep, "another")
    with django_assert_num_queries(2):  # the company's is kept
        assert len(rules_for(people.rep).own) == count + 1
    with django_assert_num_queries(2):
        assert rules_for(people.other_rep).company is first.company


def test_a_database_put_back_is_seen(people: People) -> None:
    _add(None, "merger")
    rules_for(people.rep)
    Rule.objects.all().delete()
    RuleSet.objects.all().delete()
    _add(None, "takeover")  # version 1 again
    assert rules_for(people.rep).stop(_letter("takeover")) is not None


@pytest.mark.parametrize(("limit", "value"), [("MAX_RULES", 5), ("MAX_MATCHERS", 2)])
def test_what_is_kept_is_bounded(people: People, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(compiled, limit, value)
    _add(None, "one", "two", "three")
    for user in (people.rep, people.other_rep):
        _add(user, "four", "five")
        rules_for(user)
    assert list(compiled._kept) == [None, people.other_rep.pk]


def test_the_newest_is_kept_however_big(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "MAX_RULES", 1)
    _add(people.rep, "four", "five")
    rules_for(people.rep)
    assert list(compiled._kept) == [people.rep.pk]


@pytest.mark.parametrize("count", [3, 30])
def test_rules_of_many_users_take_as_many_queries_as_those_of_one(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    (company,) = _add(None, "merger")
    users = [people.rep, *UserFactory.create_batch(count)]
    own = {user.pk: _add(user, f"word{user.pk}")[0].pk for user in users}
    asked = [*own, people.other_rep.pk]
    with django_assert_num_queries(3):
        rules = rules_for_all(asked)
    for user in users:
        stop = rules[user.pk].stop(_letter(f"word{user.pk}"))
        assert stop == Stop(Match(own[user.pk], Part.BODY), by_company=False)
    assert rules[people.other_rep.pk].stop(_letter(f"word{people.rep.pk}")) is None
    assert rules[people.other_rep.pk].stop(_letter("merger")) == Stop(Match(company.pk, Part.BODY), by_company=True)
    with django_assert_num_queries(1):
        assert rules_for_all(asked) == rules
    with django_assert_num_queries(1):
        assert rules_for(people.rep) == rules[people.rep.pk]
    (more,) = _add(people.rep, "doctor")
    with django_assert_num_queries(2):
        changed = rules_for_all(asked)
    assert changed[people.rep.pk].stop(_letter("doctor")) == Stop(Match(more.pk, Part.BODY), by_company=False)
    with django_assert_num_queries(0):
        assert rules_for_all([]) == {}
