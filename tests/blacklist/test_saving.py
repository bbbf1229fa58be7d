from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from blacklist.models import Rule, RuleKind, RuleSet
from blacklist.rules import ParsedRule
from blacklist.saving import NAMED_IN_AUDIT, Change, ForeignEntryError, Saved, StaleBlacklistError, save, version_of
from teams.models import User
from tests.people import People, people

__all__ = ["people"]


def keyword(words: str, *, ignore_quoted: bool = False) -> ParsedRule:
    return ParsedRule(RuleKind.KEYWORD, words, words, ignore_quoted)


def domain(name: str) -> ParsedRule:
    return ParsedRule(RuleKind.DOMAIN, name, name)


def standing(owner: User | None = None) -> list[tuple[str, str, bool]]:
    return list(Rule.objects.filter(user=owner).order_by("kind", "match").values_list("kind", "match", "ignore_quoted"))


def audited() -> list[dict[str, list[str]]]:
    return list(LogEntry.objects.get_for_model(RuleSet).order_by("pk").values_list("changes", flat=True))


def test_save_adds_and_counts_the_version_up(people: People) -> None:
    saved = save(None, 0, Change([keyword("nda"), domain("acme.example")]), actor=people.manager)
    assert saved == Saved(added=2)
    assert standing() == [("domain", "acme.example", False), ("keyword", "nda", False)]
    rule_set = RuleSet.objects.get(user=None)
    assert (rule_set.version, rule_set.changed_by) == (1, people.manager)
    assert set(Rule.objects.values_list("created_by", flat=True)) == {people.manager.pk}


def test_save_removes_and_switches_the_option(people: People) -> None:
    save(None, 0, Change([keyword("nda"), keyword("merger"), keyword("layoff")]), actor=people.manager)
    uuids = dict(Rule.objects.values_list("match", "uuid"))
    change = Change(removed=frozenset({uuids["nda"]}), options={uuids["merger"]: True, uuids["layoff"]: False})
    assert save(None, 1, change, actor=people.admin) == Saved(removed=1, changed=1)
    assert standing() == [("keyword", "layoff", False), ("keyword", "merger", True)]
    assert version_of(None) == 2


def test_save_replaces_the_whole(people: People) -> None:
    save(None, 0, Change([keyword("nda"), keyword("merger"), domain("acme.example")]), actor=people.manager)
    whole = Change([keyword("nda", ignore_quoted=True), domain("acme.example"), domain("b.example")], replace=True)
    assert save(None, 1, whole, actor=people.manager) == Saved(added=1, removed=1, changed=1)
    assert standing() == [("domain", "acme.example", False), ("domain", "b.example", False), ("keyword", "nda", True)]


def test_save_does_not_double_what_is_there(people: People) -> None:
    save(None, 0, Change([keyword("nda")]), actor=people.manager)
    again = Change([keyword("nda", ignore_quoted=True), keyword("merger"), keyword("merger")])
    assert save(None, 1, again, actor=people.manager) == Saved(added=1)
    assert standing() == [("keyword", "merger", False), ("keyword", "nda", False)]


def test_save_of_nothing_new_leaves_the_version_and_the_audit_alone(people: People) -> None:
    save(None, 0, Change([keyword("nda")]), actor=people.manager)
    assert not save(None, 1, Change([keyword("nda")]), actor=people.manager)
    assert version_of(None) == 1
    assert len(audited()) == 1


def test_save_puts_an_entry_in_the_place_of_the_one_it_removes(people: People) -> None:
    save(None, 0, Change([keyword("nda")]), actor=people.manager)
    uuid = Rule.objects.get().uuid
    change = Change([keyword("nda", ignore_quoted=True)], removed=frozenset({uuid}))
    assert save(None, 1, change, actor=people.manager) == Saved(added=1, removed=1)
    assert standing() == [("keyword", "nda", True)]


def test_save_refuses_who_saw_an_older_version_and_says_what_came_between(people: People) -> None:
    save(None, 0, Change([keyword("nda")]), actor=people.manager)
    save(None, 1, Change([domain("acme.example")]), actor=people.admin)
    with pytest.raises(StaleBlacklistError) as refused:
        save(None, 1, Change([keyword("merger")]), actor=people.manager)
    assert refused.value.version == 2
    assert [(earlier.by, earlier.changes) for earlier in refused.value.earlier] == [
        ("Ada Admin", (("added", "1 domain: acme.example"),))
    ]
    assert standing() == [("domain", "acme.example", False), ("keyword", "nda", False)]


def test_save_refuses_a_version_that_is_yet_to_come(people: People) -> None:
    with pytest.raises(StaleBlacklistError) as refused:
        save(None, 7, Change([keyword("merger")]), actor=people.manager)
    assert (refused.value.version, refused.value.earlier) == (0, ())


@pytest.mark.django_db(transaction=True)
def test_save_of_two_at_the_same_moment_lets_one_pass(people: People) -> None:
    start = Barrier(2)

    def saving(words: str) -> str:
        try:
            start.wait(timeout=30)
            save(None, 0, Change([keyword(words)]), actor=people.manager)
        except StaleBlacklistError:
            return "refused"
        finally:
            connection.close()
        return words

    with ThreadPoolExecutor(2) as pool:
        outcomes = set(pool.map(saving, ["nda", "merger"]))
    [(_kind, saved, _option)] = standing()
    assert outcomes == {"refused", saved}
    assert version_of(None) == 1


def test_save_touches_one_blacklist_alone(people: People) -> None:
    save(None, 0, Change([keyword("nda")]), actor=people.manager)
    save(people.other_rep, 0, Change([keyword("nda")]), actor=people.other_rep)
    save(people.rep, 0, Change([keyword("rosa")], replace=True), actor=people.rep)
    assert standing() == standing(people.other_rep) == [("keyword", "nda", False)]
    assert version_of(None) == version_of(people.other_rep) == 1


@pytest.mark.parametrize("which", ["the company's", "a colleague's", "nobody's"])
@pytest.mark.parametrize("how", ["removed", "options"])
def test_save_refuses_entries_that_are_not_in_this_blacklist(people: People, which: str, how: str) -> None:
    save(None, 0, Change([keyword("nda")]), actor=people.manager)
    save(people.other_rep, 0, Change([keyword("nda")]), actor=people.other_rep)
    owners = {"the company's": None, "a colleague's": people.other_rep}
    foreign = Rule.objects.get(user=owners[which]).uuid if which in owners else uuid4()
    forged = Change([keyword("rosa")], removed=frozenset({foreign}))
    if how == "options":
        forged = Change([keyword("rosa")], options={foreign: True})
    with pytest.raises(ForeignEntryError):
        save(people.rep, 0, forged, actor=people.rep)
    assert standing() == standing(people.other_rep) == [("keyword", "nda", False)]
    assert (standing(people.rep), version_of(people.rep)) == ([], 0)


def test_audit_names_what_changed_in_the_company_blacklist(people: People) -> None:
    save(None, 0, Change([domain("acme.example"), keyword("nda")]), actor=people.manager)
    uuids = dict(Rule.objects.values_list("match", "uuid"))
    save(None, 1, Change(removed=frozenset({uuids["acme.example"]}), options={uuids["nda"]: True}), actor=people.admin)
    assert audited() == [
        {"added": ["", "1 domain, 1 keyword: Domain acme.example, Keyword nda"]},
        {"removed": ["", "1 domain: acme.example"], "quoted text left out": ["", "1 keyword: nda"]},
    ]
    assert list(LogEntry.objects.get_for_model(RuleSet).order_by("pk").values_list("actor", flat=True)) == [
        people.manager.pk,
        people.admin.pk,
    ]


def test_audit_names_all_of_a_hundred(people: People) -> None:
    names = [f"word{n:03}" for n in range(NAMED_IN_AUDIT)]
    save(None, 0, Change([keyword(name) for name in names]), actor=people.manager)
    assert audited() == [{"added": ["", f"100 keywords: {', '.join(names)}"]}]


def test_audit_counts_all_and_names_the_first_hundred_of_thousands(people: People) -> None:
    domains = [domain(f"d{n:05}.example") for n in range(10_010)]
    save(None, 0, Change([*domains, keyword("nda"), keyword("merger"), keyword("layoff")]), actor=people.manager)
    save(None, 1, Change(replace=True), actor=people.manager)
    added, removed = (changes[what][1] for changes, what in zip(audited(), ("added", "removed"), strict=True))
    first = ", ".join(f"Domain d{n:05}.example" for n in range(NAMED_IN_AUDIT))
    assert added == f"10,010 domains, 3 keywords: {first}, … (the first 100 named)"
    counts, _colon, names = removed.partition(": ")
    assert (counts, names.count(".example") + names.count("Keyword")) == ("10,010 domains, 3 keywords", NAMED_IN_AUDIT)


def test_audit_counts_private_rules_and_never_names_them(people: People) -> None:
    save(people.rep, 0, Change([keyword("divorce"), keyword("doctor")]), actor=people.rep)
    save(people.rep, 1, Change([keyword("lawyer")], replace=True), actor=people.rep)
    assert audited() == [{"added": ["", "2"]}, {"added": ["", "1"], "removed": ["", "2"]}]
    everything = str(list(LogEntry.objects.values()))
    assert [word for word in ("divorce", "doctor", "lawyer") if word in everything] == []


@pytest.mark.parametrize("number", [3, 10_000])
def test_save_asks_the_database_a_bounded_number_of_times(
    people: People, django_assert_max_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    entries = [keyword(f"word{n}") for n in range(number)]
    with django_assert_max_num_queries(12 + number // 100):
        save(None, 0, Change(entries), actor=people.manager)
    with django_assert_max_num_queries(12 + number // 100):
        save(None, 1, Change([keyword("nda")], replace=True), actor=people.manager)
    assert standing() == [("keyword", "nda", False)]
