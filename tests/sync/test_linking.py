"""Which record a task belongs to: the decisions as tables, the lookups on a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.enums import DecisionCode, LinkChoice, RecordKind, TaskKind, TaskState
from sync.linking import (
    Candidate,
    CandidateReason,
    Link,
    Matches,
    candidates,
    chosen,
    look_up,
    matched,
    with_history,
)
from sync.models import Record, Task
from tests.factories import (
    PREFIXES,
    EnrolmentFactory,
    RecordFactory,
    TaskFactory,
    UserFactory,
    contact_of_person_account,
    crm_id,
    the_connection,
)

NUMBER, ADDRESS = "+12125550141", "hana@birch.example"


def record(kind: RecordKind, number: int, *, fetched: bool = True, **values: Any) -> Record:
    """A record in memory; its primary key is its number."""
    return Record(
        pk=number,
        kind=kind,
        crm_id=crm_id(PREFIXES[kind], number),
        fetched_at=datetime(2025, 1, 1, tzinfo=UTC) if fetched else None,
        **values,
    )


ACCOUNT = record(RecordKind.ACCOUNT, 1)
CONTACT = record(RecordKind.CONTACT, 2, account_crm_id=ACCOUNT.crm_id)
LEAD = record(RecordKind.LEAD, 3)
OPPORTUNITY = record(RecordKind.OPPORTUNITY, 4)
PERSON_ACCOUNT = record(RecordKind.ACCOUNT, 5, person_contact_crm_id=contact_of_person_account())
UNREAD_ACCOUNT = record(RecordKind.ACCOUNT, 6, fetched=False)
OTHER_CONTACT = record(RecordKind.CONTACT, 7)


@pytest.mark.parametrize(
    ("first", "second", "who", "what"),
    [
        (CONTACT, None, CONTACT, None),
        (None, OPPORTUNITY, None, OPPORTUNITY),
        (ACCOUNT, None, None, ACCOUNT),
        (PERSON_ACCOUNT, None, PERSON_ACCOUNT, None),
        (UNREAD_ACCOUNT, None, None, UNREAD_ACCOUNT),
        (CONTACT, OPPORTUNITY, CONTACT, OPPORTUNITY),
        (OPPORTUNITY, CONTACT, CONTACT, OPPORTUNITY),
        (CONTACT, ACCOUNT, CONTACT, ACCOUNT),
        (PERSON_ACCOUNT, OPPORTUNITY, PERSON_ACCOUNT, OPPORTUNITY),
        (PERSON_ACCOUNT, ACCOUNT, PERSON_ACCOUNT, ACCOUNT),
        # It may be a person account: that shows when it is fetched.
        (UNREAD_ACCOUNT, OPPORTUNITY, UNREAD_ACCOUNT, OPPORTUNITY),
        (OPPORTUNITY, UNREAD_ACCOUNT, UNREAD_ACCOUNT, OPPORTUNITY),
        (UNREAD_ACCOUNT, CONTACT, CONTACT, UNREAD_ACCOUNT),
        (CONTACT, UNREAD_ACCOUNT, CONTACT, UNREAD_ACCOUNT),
    ],
)
def test_m3_person_and_record_find_their_places(
    first: Record | None, second: Record | None, who: Record | None, what: Record | None
) -> None:
    assert chosen(first, second, LinkChoice.PAGE) == Link(who=who, what=what, choice=LinkChoice.PAGE)


@pytest.mark.parametrize("related", [OPPORTUNITY, ACCOUNT, UNREAD_ACCOUNT])
def test_m3_a_lead_keeps_the_person_and_the_log_says_what_was_dropped(related: Record) -> None:
    reason = (DecisionCode.LEAD_WITHOUT_WHAT, {"kind": related.kind, "crm_id": related.crm_id})
    expected = Link(who=LEAD, choice=LinkChoice.EXPLICIT, decisions=(reason,))
    assert chosen(LEAD, related, LinkChoice.EXPLICIT) == expected
    assert chosen(related, LEAD, LinkChoice.EXPLICIT) == expected


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (CONTACT, LEAD, "two_people"),
        (CONTACT, OTHER_CONTACT, "two_people"),
        (LEAD, PERSON_ACCOUNT, "two_people"),
        (ACCOUNT, OPPORTUNITY, "no_person"),
        (CONTACT, CONTACT, "same"),
    ],
)
def test_m3_two_of_a_sort_are_refused(first: Record, second: Record, code: str) -> None:
    with pytest.raises(ValidationError) as raised:
        chosen(first, second, LinkChoice.EXPLICIT)
    assert [(field, error.code) for field, (error,) in raised.value.error_dict.items()] == [("related_record", code)]


@pytest.mark.parametrize(
    ("found", "history", "who", "what", "code", "detail"),
    [
        ([], set(), None, None, DecisionCode.NO_MATCH, {}),
        ([CONTACT], set(), None, None, DecisionCode.NO_HISTORY, {"matches": 1}),
        ([CONTACT, LEAD], set(), None, None, DecisionCode.NO_HISTORY, {"matches": 2}),
        ([CONTACT], {2}, CONTACT, None, DecisionCode.PERSON_MATCHED, CONTACT),
        ([CONTACT, LEAD], {3}, LEAD, None, DecisionCode.PERSON_MATCHED, LEAD),
        ([CONTACT, LEAD], {2, 3}, None, None, DecisionCode.SEVERAL_MATCHES, {"matches": 2}),
        ([ACCOUNT], {1}, None, ACCOUNT, DecisionCode.PERSON_MATCHED, ACCOUNT),
        ([PERSON_ACCOUNT], {5}, PERSON_ACCOUNT, None, DecisionCode.PERSON_MATCHED, PERSON_ACCOUNT),
        # A person and their own account: the person.
        ([ACCOUNT, CONTACT], {1, 2}, CONTACT, None, DecisionCode.PERSON_MATCHED, CONTACT),
        # A person and another account: nobody knows.
        ([ACCOUNT, OTHER_CONTACT], {1, 7}, None, None, DecisionCode.SEVERAL_MATCHES, {"matches": 2}),
        # Only the account has a history.
        ([ACCOUNT, CONTACT], {1}, None, ACCOUNT, DecisionCode.PERSON_MATCHED, ACCOUNT),
        # Two people of one account.
        ([ACCOUNT, CONTACT, OTHER_CONTACT], {1, 2, 7}, None, None, DecisionCode.SEVERAL_MATCHES, {"matches": 2}),
    ],
)
@pytest.mark.parametrize("kind", [TaskKind.CALL, TaskKind.EMAIL])
def test_m4_a_match_needs_exactly_one_record_with_a_history(
    kind: TaskKind,
    found: list[Record],
    history: set[int],
    who: Record | None,
    what: Record | None,
    code: DecisionCode,
    detail: dict[str, Any] | Record,
) -> None:
    matches = Matches({NUMBER: found}, {ADDRESS: found}, history)
    link = matched(kind, NUMBER, ADDRESS, matches)
    if isinstance(detail, Record):
        detail = {"kind": detail.kind, "crm_id": detail.crm_id}
    is_linked = code == DecisionCode.PERSON_MATCHED
    assert link == Link(
        who=who,
        what=what,
        choice=LinkChoice.MATCH if is_linked else LinkChoice.NONE,
        is_orphan=kind == TaskKind.CALL and not is_linked,
        decisions=((code, {"by": "phone" if kind == TaskKind.CALL else "email", **detail}),),
    )


def test_m6_a_call_without_a_number_is_an_orphan_too() -> None:
    assert matched(TaskKind.CALL, "", "", Matches()) == Link(is_orphan=True)
    assert matched(TaskKind.EMAIL, "", "", Matches()) == Link()
    assert matched(TaskKind.OTHER, "", "", Matches()) == Link()


def test_m4_a_new_link_is_the_history_of_what_comes_after() -> None:
    matches = Matches({NUMBER: [CONTACT]})
    assert matched(TaskKind.CALL, NUMBER, "", matches).who is None
    matches.remember(Link(who=CONTACT, what=OPPORTUNITY))
    assert matches.history == {CONTACT.pk, OPPORTUNITY.pk}
    assert matched(TaskKind.CALL, NUMBER, "", matches).who == CONTACT


@pytest.mark.django_db
def test_m4_what_makes_a_history() -> None:
    enrolled, related, called, about = (RecordFactory.create() for _ in range(4))
    skipped, planned, nothing = (RecordFactory.create() for _ in range(3))
    EnrolmentFactory.create(record=enrolled, related_record=related, ended_at=timezone.now())
    TaskFactory.create(who=called, what=about)
    TaskFactory.create(who=skipped, state=TaskState.SKIPPED)
    TaskFactory.create(record=planned, state=TaskState.OPEN, completed_at=None)
    every = [enrolled, related, called, about, skipped, planned, nothing]
    assert with_history(r.pk for r in every) == {enrolled.pk, related.pk, called.pk, about.pk}
    assert with_history([nothing.pk]) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 5])
def test_look_up_asks_three_questions_however_many(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people = [
        RecordFactory.create(phones=[f"(212) 555-01{n:02d}", f"212 555 01{n:02d}"], emails=[f"P{n}@Birch.example"])
        for n in range(count)
    ]
    RecordFactory.create(phones=["+12125550100"], is_deleted=True)
    RecordFactory.create(phones=["+12125550100"], kind=RecordKind.CASE)
    TaskFactory.create(who=people[0])
    connection = the_connection()
    with django_assert_num_queries(3):
        matches = look_up(
            connection, {f"+121255501{n:02d}" for n in range(count)}, {f"p{n}@birch.example" for n in range(count)}
        )
    assert matches.by_phone == {f"+121255501{n:02d}": [people[n]] for n in range(count)}
    assert matches.by_email == {f"p{n}@birch.example": [people[n]] for n in range(count)}
    assert matches.history == {people[0].pk}


def orphan(**values: Any) -> Task:
    return TaskFactory.create(**{"phone_number": "(212) 555-0141", "phone_e164": NUMBER, "is_orphan": True, **values})


@pytest.mark.django_db
def test_m6_candidates_of_an_orphan_best_first() -> None:
    rep = UserFactory.create()
    company = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Birch", phones=["212-555-0141"])
    hana = RecordFactory.create(name="Hana Novak", phones=["+1 (212) 555 0141"], emails=["hana@birch.example"])
    abroad = RecordFactory.create(name="Abroad", phones=["00 1 212 555 01 41"])
    lead = RecordFactory.create(kind=RecordKind.LEAD, name="H. Novak", emails=["Hana@Birch.example"])
    namesake = RecordFactory.create(kind=RecordKind.LEAD, name="Hana Novak")
    earlier, later = RecordFactory.create(name="A"), RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="B")
    task = orphan(user=rep)
    assert task.completed_at is not None
    TaskFactory.create(user=rep, who=earlier, completed_at=task.completed_at - timedelta(days=2))
    TaskFactory.create(user=rep, what=later, completed_at=task.completed_at - timedelta(days=1))
    # Not to be offered: long ago, somebody else's, deleted, a Case, another number.
    TaskFactory.create(user=rep, who=RecordFactory.create(), completed_at=task.completed_at - timedelta(days=31))
    TaskFactory.create(who=RecordFactory.create(), completed_at=task.completed_at - timedelta(days=1))
    RecordFactory.create(phones=["+12125550141"], is_deleted=True)
    RecordFactory.create(phones=["+12125550141"], kind=RecordKind.CASE)
    RecordFactory.create(phones=["+12125550142", "00 1 213 555 0141"])
    assert candidates(task) == [
        Candidate(hana, CandidateReason.SAME_NUMBER),
        Candidate(company, CandidateReason.SAME_NUMBER),
        Candidate(abroad, CandidateReason.SIMILAR_NUMBER),
        Candidate(lead, CandidateReason.SAME_PERSON),
        Candidate(namesake, CandidateReason.SAME_PERSON),
        Candidate(later, CandidateReason.RECENT),
        Candidate(earlier, CandidateReason.RECENT),
    ]
    assert [one.record for one in candidates(task, limit=2)] == [hana, company]


@pytest.mark.django_db
def test_m6_of_several_with_the_number_the_one_last_worked_on_comes_first() -> None:
    ann = RecordFactory.create(name="Ann", phones=[NUMBER])
    zoe = RecordFactory.create(name="Zoe", phones=[NUMBER])
    task = orphan()
    TaskFactory.create(user=task.user, who=zoe)
    assert [one.record for one in candidates(task)] == [zoe, ann]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 30])
def test_m6_candidates_are_bounded(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(count):
        one = RecordFactory.create(phones=[NUMBER], emails=["hana@birch.example"])
    task = orphan()
    for _ in range(count):
        TaskFactory.create(user=task.user, who=one)
    with django_assert_num_queries(4):
        found = candidates(task)
    assert len(found) == min(count, 10)


@pytest.mark.django_db
def test_m6_an_orphan_without_a_number_still_has_candidates() -> None:
    task = orphan(phone_number="", phone_e164="")
    hana = RecordFactory.create()
    TaskFactory.create(user=task.user, who=hana)
    assert candidates(task) == [Candidate(hana, CandidateReason.RECENT)]
