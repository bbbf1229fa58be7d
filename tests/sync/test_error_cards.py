"""Equal errors once, and all of one tried again (B6, M24, M25)."""

from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync import error_cards, jobs, outbox
from sync.enums import DecisionCode, OutboxState
from sync.errors import RowError
from sync.models import Connection, Decision, OutboxRow, Trouble
from tests.factories import ConnectionFactory, TaskFactory
from tests.people import People, people
from tests.sync.failing import BUSY, LONG, RULE, answer_due, refuse

__all__ = ["people"]


@pytest.fixture
def org(people: People) -> Connection:
    return ConnectionFactory.create()


def signatures(cards: list[error_cards.ErrorCard]) -> list[tuple[str, int]]:
    return [(card.code, card.tasks) for card in cards]


def test_b6_equal_errors_are_one_card_with_a_count_in_the_crms_words(org: Connection, people: People) -> None:
    refuse(org, people.rep, RULE, 3)
    refuse(org, people.other_rep, RULE)
    refuse(org, people.rep, LONG, 2)
    rule, long = error_cards.cards(people.admin)
    assert (rule.code, rule.message, rule.tasks, rule.users) == (RULE.code, RULE.message, 4, 2)
    assert (long.code, long.message, long.tasks, long.users) == (LONG.code, LONG.message, 2, 1)
    assert (str(rule.actor.label), str(long.actor.label)) == ("An admin", "The rep")
    assert error_cards.count(people.admin) == 2


def test_b6_ids_and_numbers_don_t_make_two_errors_of_one(org: Connection, people: People) -> None:
    for number in (300, 301):
        refuse(org, people.rep, RowError(LONG.mode, LONG.code, f"{number} characters are too many"))
    assert signatures(error_cards.cards(people.admin)) == [(LONG.code, 2)]


def test_b6_what_waits_is_retried_or_was_given_up_is_on_a_card_and_what_passed_is_not(
    org: Connection, people: People
) -> None:
    refuse(org, people.rep, None)
    refuse(org, people.rep, BUSY)
    refuse(org, people.rep, RULE)
    refuse(org, people.rep, LONG)
    OutboxRow.objects.filter(error_code=LONG.code).update(state=OutboxState.FAILED, settled_at=timezone.now())
    cards = {card.code: card for card in error_cards.cards(people.admin)}
    assert sorted(cards) == sorted([BUSY.code, RULE.code, LONG.code])
    assert {code: (card.given_up, card.next_try is None) for code, card in cards.items()} == {
        BUSY.code: (0, False),
        RULE.code: (0, False),
        LONG.code: (1, True),
    }
    assert cards[RULE.code].next_try == Trouble.objects.get().next_probe_at


def test_a_card_says_since_when_and_when_it_was_met_last_also_after_a_retry_by_hand(
    org: Connection, people: People
) -> None:
    first = timezone.now()
    with time_machine.travel(first, tick=False):
        refuse(org, people.rep, LONG)
    last = first + timedelta(days=2)
    with time_machine.travel(last, tick=False):
        outbox.retry_now(OutboxRow.objects.all(), people.admin)
        assert answer_due(org, LONG) == 1
    [card] = error_cards.cards(people.admin)
    assert (card.since, card.last_at) == (first, last)


def test_another_error_of_the_same_task_begins_anew(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG)
    outbox.retry_now(OutboxRow.objects.all(), people.admin)
    answer_due(org, RULE)
    assert signatures(error_cards.cards(people.admin)) == [(RULE.code, 1)]


def test_what_passes_leaves_its_card_and_what_is_being_sent_does_not(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG, 2)
    outbox.retry_now(OutboxRow.objects.all(), people.admin)
    outbox.claim(org, 1)
    assert signatures(error_cards.cards(people.admin)) == [(LONG.code, 2)]
    assert answer_due(org, None) == 1
    assert signatures(error_cards.cards(people.admin)) == [(LONG.code, 1)]


def test_what_was_cancelled_or_is_history_is_on_no_card(org: Connection, people: People) -> None:
    [task] = refuse(org, people.rep, LONG)
    OutboxRow.objects.update(state=OutboxState.FAILED)
    outbox.enqueue(org, [task])  # a newer row of the same task
    assert error_cards.cards(people.admin) == []
    refuse(org, people.rep, LONG)
    outbox.cancel(OutboxRow.objects.filter(state=OutboxState.PENDING), people.admin)
    assert error_cards.cards(people.admin) == []


@pytest.mark.parametrize(
    ("viewer", "expected"),
    [
        ("admin", [(RULE.code, 4), (LONG.code, 1)]),
        ("manager", [(RULE.code, 3)]),
        ("other_manager", [(LONG.code, 1), (RULE.code, 1)]),
        ("rep", [(RULE.code, 3)]),
        ("colleague", []),
    ],
)
def test_cards_are_of_those_whom_the_viewer_may_see(
    org: Connection, people: People, viewer: str, expected: list[tuple[str, int]]
) -> None:
    refuse(org, people.rep, RULE, 3)
    refuse(org, people.other_rep, RULE)
    refuse(org, people.other_rep, LONG)
    found = signatures(error_cards.cards(getattr(people, viewer)))
    assert sorted(found) == sorted(expected)
    assert error_cards.count(getattr(people, viewer)) == len(expected)


@pytest.mark.parametrize("causes", [3, 30])
def test_cards_take_two_queries(
    org: Connection, people: People, causes: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(causes):
        refuse(org, people.rep, RowError(LONG.mode, LONG.code, "x" * (number + 1)))
    with django_assert_num_queries(2):
        assert len(error_cards.cards(people.manager)) == causes


def test_b6_retry_all_makes_every_task_of_the_card_due_and_keeps_by_whom(org: Connection, people: People) -> None:
    refuse(org, people.rep, RULE, 3)
    refuse(org, people.rep, LONG)
    OutboxRow.objects.filter(pk=OutboxRow.objects.earliest("pk").pk).update(state=OutboxState.FAILED, trouble=None)
    [rule] = [card for card in error_cards.cards(people.manager) if card.code == RULE.code]
    assert error_cards.retry_all(people.manager, rule.signature, timezone.now()) == 0
    decisions = Decision.objects.filter(code=DecisionCode.RETRIED_BY_HAND)
    assert [decision.detail for decision in decisions] == [{"by": str(people.manager.uuid)}] * 3
    assert answer_due(org, None) == 3
    assert signatures(error_cards.cards(people.manager)) == [(LONG.code, 1)]


def test_retry_all_reaches_the_viewers_tasks_only(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG)
    refuse(org, people.other_rep, LONG, 2)
    [card] = error_cards.cards(people.manager)
    error_cards.retry_all(people.manager, card.signature, timezone.now())
    assert answer_due(org, None) == 1


def test_retry_all_keeps_no_task_that_is_completed_meanwhile(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG, 8)
    [card] = error_cards.cards(people.admin)
    error_cards.retry_all(people.admin, card.signature, timezone.now())
    outbox.enqueue(org, TaskFactory.create_batch(4, user=people.rep))
    codes = [row.error_code for row in outbox.claim(org, 4).rows]
    assert sorted(codes) == ["", "", "", LONG.code]


def test_retry_all_goes_on_where_it_stopped_and_takes_nothing_twice(
    org: Connection, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_cards, "CHUNK", 2)
    refuse(org, people.rep, LONG, 5)
    [card] = error_cards.cards(people.admin)
    asked_at, after, rounds = timezone.now(), 0, 0
    while after := error_cards.retry_all(people.admin, card.signature, asked_at, after=after, end=0):
        rounds += 1
    assert rounds == 3
    assert Decision.objects.filter(code=DecisionCode.RETRIED_BY_HAND).count() == 5


def test_what_failed_anew_since_it_was_asked_for_is_not_retried_again(org: Connection, people: People) -> None:
    asked_at = timezone.now()
    refuse(org, people.rep, LONG)
    [card] = error_cards.cards(people.admin)
    jobs.retry_errors(people.admin.pk, card.signature, asked_at.isoformat())
    assert Decision.objects.count() == 0


@pytest.mark.parametrize(("viewer", "retried"), [("admin", 3), ("manager", 1), ("rep", 0)])
def test_the_job_does_what_its_user_may_do_at_the_time(
    org: Connection, people: People, viewer: str, retried: int
) -> None:
    refuse(org, people.rep, LONG)
    refuse(org, people.other_rep, LONG, 2)
    [card] = error_cards.cards(people.admin)
    jobs.retry_errors(getattr(people, viewer).pk, card.signature, timezone.now().isoformat())
    assert Decision.objects.filter(code=DecisionCode.RETRIED_BY_HAND).count() == retried


def test_the_job_does_nothing_for_whom_was_deactivated_meanwhile(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG)
    [card] = error_cards.cards(people.admin)
    people.admin.is_active = False
    people.admin.save()
    jobs.retry_errors(people.admin.pk, card.signature, timezone.now().isoformat())
    assert Decision.objects.count() == 0


def test_rows_of_an_earlier_version_are_signed_as_new_ones_are(org: Connection, people: People) -> None:
    numbered = RowError(LONG.mode, LONG.code, "300 characters for 0035g00000XyZaBAAV", ("B__c", "A__c"))
    for error in (RULE, numbered, BUSY):
        refuse(org, people.rep, error)
    before = {row.pk: (row.signature, row.first_attempt_at, row.error_at) for row in OutboxRow.objects.all()}
    OutboxRow.objects.update(signature="", error_since=None, error_at=None)
    import_module("sync.migrations.0003_sign_waiting_errors").sign(apps, None)
    assert {row.pk: (row.signature, row.error_since, row.error_at) for row in OutboxRow.objects.all()} == before
