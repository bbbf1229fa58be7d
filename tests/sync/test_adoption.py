"""Adopting an orphaned call, and undoing it: what is stored, who may, and what is refused with which words."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from sync import linking, outbox
from sync.adoption import adopt, undo
from sync.enums import DecisionCode, LinkChoice, OutboxState, RecordKind, TaskKind, TaskState
from sync.models import Adoption, Attempt, Connection, OutboxRow, Record, Task
from teams.models import User
from tests.factories import RecordFactory, TaskFactory, crm_id, the_connection
from tests.people import People, people

__all__ = ["people"]

pytestmark = pytest.mark.django_db

NUMBER = "+12125550141"


def orphan(user: User, **values: Any) -> Task:
    return TaskFactory.create(
        **{"user": user, "phone_number": "(212) 555-0141", "phone_e164": NUMBER, "is_orphan": True, **values}
    )


def hana(**values: Any) -> Record:
    return RecordFactory.create(**{"name": "Hana Novak", **values})


def errors(task: Task, record: Record | str, by: User, related: Record | str | None = None) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as raised:
        adopt(task, record, by, related)
    return raised.value.message_dict


class TestAdopt:
    def test_m6_the_call_gets_its_record_and_a_history(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY)
        adoption = adopt(task, record, people.rep, deal)
        task.refresh_from_db()
        assert (task.who, task.what, task.record, task.related_record) == (record, deal, record, deal)
        assert (task.is_orphan, task.link_choice) == (False, LinkChoice.EXPLICIT)
        assert (adoption.by, adoption.record, adoption.related_record) == (people.rep, record, deal)
        assert (adoption.before_who, adoption.before_what, adoption.before_choice) == (None, None, LinkChoice.NONE)
        assert linking.with_history([record.pk, deal.pk]) == {record.pk, deal.pk}

    def test_b2_the_log_says_who_adopted_it_and_onto_which_record(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        adopt(task, record, people.manager)
        decision = task.decisions.get()
        assert (decision.code, decision.detail) == (
            DecisionCode.ADOPTED,
            {"by": str(people.manager.uuid), "kind": "contact", "crm_id": record.crm_id},
        )

    def test_it_is_asked_to_be_written(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        adopt(task, record, people.rep)
        row = OutboxRow.objects.get()
        assert (row.task, row.state, row.rewrites_who, row.rewrites_what) == (task, OutboxState.PENDING, True, False)

    def test_a_call_that_waits_goes_out_once_with_its_record(self, people: People) -> None:
        task = orphan(people.rep)
        outbox.enqueue(the_connection(), [task])
        adopt(task, hana(), people.rep)
        assert OutboxRow.objects.count() == 1

    def test_an_account_is_what_the_call_is_about(self, people: People) -> None:
        task, account = orphan(people.rep), RecordFactory.create(kind=RecordKind.ACCOUNT)
        adopt(task, account, people.rep)
        task.refresh_from_db()
        assert (task.who, task.what) == (None, account)
        row = OutboxRow.objects.get()
        assert (row.rewrites_who, row.rewrites_what) == (False, True)

    def test_an_account_that_may_be_a_person_rewrites_both(self, people: People) -> None:
        task = orphan(people.rep)
        adopt(task, RecordFactory.create(kind=RecordKind.ACCOUNT, fetched_at=None), people.rep)
        row = OutboxRow.objects.get()
        assert (row.rewrites_who, row.rewrites_what) == (True, True)

    def test_m3_with_a_lead_the_related_record_is_left_out_and_said(self, people: People) -> None:
        task, lead = orphan(people.rep), hana(kind=RecordKind.LEAD)
        adopt(task, lead, people.rep, RecordFactory.create(kind=RecordKind.OPPORTUNITY))
        task.refresh_from_db()
        assert (task.who, task.what) == (lead, None)
        codes = set(task.decisions.values_list("code", flat=True))
        assert codes == {DecisionCode.ADOPTED, DecisionCode.LEAD_WITHOUT_WHAT}

    def test_a_record_that_nobody_knew_yet_is_given_by_its_crm_id(self, people: People) -> None:
        the_connection()
        task = orphan(people.rep)
        adopt(task, crm_id("003", 4711)[:15], people.rep)
        task.refresh_from_db()
        assert task.who is not None
        assert (task.who.crm_id, task.who.kind, task.who.fetched_at) == (crm_id("003", 4711), "contact", None)


class TestRefusals:
    def test_no_case_while_cases_are_off(self, people: People) -> None:
        found = errors(orphan(people.rep), RecordFactory.create(kind=RecordKind.CASE), people.rep)
        assert found["record"][0].startswith("Cases are off")

    def test_nothing_that_was_deleted_in_the_crm_even_since_the_page_was_loaded(self, people: People) -> None:
        record = hana()
        Record.objects.update(is_deleted=True)
        found = errors(orphan(people.rep), record, people.rep)
        assert found["record"] == ["This record was deleted in the CRM. Choose another, or leave it empty."]

    @pytest.mark.parametrize(
        ("given", "beginning"),
        [("", "Choose the record"), ("nonsense", "This is not a CRM id"), (crm_id("00T", 1), "An id that begins with")],
    )
    def test_what_is_no_record(self, people: People, given: str, beginning: str) -> None:
        the_connection()
        found = errors(orphan(people.rep), given, people.rep)
        assert found["record"][0].startswith(beginning)

    def test_a_related_record_that_does_not_fit_says_so_at_its_field(self, people: People) -> None:
        found = errors(orphan(people.rep), hana(), people.rep, hana())
        assert found["related_record"][0].startswith("Both records are people.")

    def test_without_a_connection_there_is_nothing_to_choose(self, people: People) -> None:
        found = errors(orphan(people.rep), crm_id("003", 1), people.rep)
        assert found["record"][0].startswith("No CRM is connected yet")

    def test_only_what_one_may_see(self, people: People) -> None:
        record = hana()
        for stranger in (people.other_rep, people.other_manager):
            assert "task" in errors(orphan(people.rep), record, stranger)
        assert (Adoption.objects.count(), Task.objects.orphans().count()) == (0, 2)

    @pytest.mark.parametrize(
        "values",
        [
            {"is_orphan": False},
            {"kind": TaskKind.OTHER},
            {"state": TaskState.OPEN, "completed_at": None},
        ],
    )
    def test_only_orphaned_calls(self, people: People, values: dict[str, Any]) -> None:
        task = orphan(people.rep, **values)
        with pytest.raises(ValidationError) as raised:
            adopt(task, hana(), people.rep)
        assert "task" in raised.value.message_dict

    def test_m6_of_two_people_the_second_is_told_who_came_first(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        adopt(task, record, people.rep)
        found = errors(task, RecordFactory.create(), people.manager)
        assert found["task"] == [
            "Rosa Rep has adopted this call already: it belongs to Hana Novak. Undo that first, if it is wrong."
        ]
        task.refresh_from_db()
        assert task.who == record


class TestUndo:
    def adopted(self, people: People, record: Record | None = None) -> tuple[Task, Adoption]:
        task = orphan(people.rep)
        return task, adopt(task, record or hana(), people.rep)

    def test_m6_it_restores_what_stood_before(self, people: People) -> None:
        task, adoption = self.adopted(people)
        undo(adoption, people.manager)
        task.refresh_from_db()
        assert (task.who, task.what, task.record, task.related_record) == (None, None, None, None)
        assert (task.is_orphan, task.link_choice) == (True, LinkChoice.NONE)
        adoption.refresh_from_db()
        assert adoption.undone_by == people.manager
        assert linking.with_history([adoption.record_id]) == set()
        assert list(task.decisions.values_list("code", flat=True)) == [
            DecisionCode.ADOPTED,
            DecisionCode.ADOPTION_UNDONE,
        ]

    def test_it_clears_what_the_adoption_wrote(self, people: People) -> None:
        _task, adoption = self.adopted(people)
        OutboxRow.objects.update(state=OutboxState.DONE)
        Task.objects.update(crm_id=crm_id("00T", 1))
        undo(adoption, people.rep)
        row = OutboxRow.objects.latest("pk")
        assert (row.state, row.rewrites_who, row.rewrites_what) == (OutboxState.PENDING, True, False)

    def test_a_person_account_is_cleared_where_it_was_written(self, people: People) -> None:
        account = RecordFactory.create(kind=RecordKind.ACCOUNT, fetched_at=None)
        _task, adoption = self.adopted(people, account)
        OutboxRow.objects.all().delete()
        Record.objects.update(person_contact_crm_id=crm_id("003", 9), fetched_at=timezone.now())
        undo(Adoption.objects.get(pk=adoption.pk), people.rep)
        row = OutboxRow.objects.get()
        assert (row.rewrites_who, row.rewrites_what) == (True, True)

    def test_afterwards_it_can_be_adopted_again(self, people: People) -> None:
        task, adoption = self.adopted(people)
        undo(adoption, people.rep)
        other = RecordFactory.create()
        second = adopt(task, other, people.rep)
        task.refresh_from_db()
        assert task.who == other
        assert list(Adoption.objects.standing()) == [second]

    def test_only_the_one_that_stands_can_be_undone(self, people: People) -> None:
        task, adoption = self.adopted(people)
        undo(adoption, people.rep)
        adopt(task, RecordFactory.create(), people.rep)
        with pytest.raises(ValidationError) as raised:
            undo(adoption, people.rep)
        assert raised.value.message_dict == {"task": ["This adoption was undone already, or another one followed."]}
        task.refresh_from_db()
        assert not task.is_orphan

    def test_only_by_whoever_may_see_the_task(self, people: People) -> None:
        _task, adoption = self.adopted(people)
        with pytest.raises(ValidationError):
            undo(adoption, people.other_manager)
        assert Adoption.objects.standing().count() == 1


def test_what_was_cancelled_before_it_got_to_the_crm_is_adopted_here_alone(people: People) -> None:
    task = orphan(people.rep)
    outbox.enqueue(the_connection(), [task])
    outbox.cancel(OutboxRow.objects.all(), people.rep)
    adopt(task, hana(), people.rep)
    assert list(OutboxRow.objects.values_list("state", flat=True)) == [OutboxState.CANCELLED]


def test_the_number_of_queries_is_bounded(people: People, django_assert_num_queries: Any) -> None:
    task, record = orphan(people.rep), hana()
    assert Connection.objects.count() == 1
    with django_assert_num_queries(13):
        adoption = adopt(task, record, people.rep)
    adoption = Adoption.objects.get(pk=adoption.pk)
    with django_assert_num_queries(11):
        undo(adoption, people.rep)


@pytest.mark.django_db(transaction=True)
def test_m6_of_four_who_adopt_at_once_one_does(people: People) -> None:
    task = orphan(people.rep)
    records = [RecordFactory.create() for _each in range(4)]

    def try_it(record: Record) -> Adoption | ValidationError:
        try:
            return adopt(task, record, people.rep)
        except ValidationError as error:
            return error
        finally:
            database.close()

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(try_it, records))
    (adoption,) = [result for result in results if isinstance(result, Adoption)]
    refused = [result for result in results if isinstance(result, ValidationError)]
    assert [error.error_dict["task"][0].code for error in refused] == ["adopted"] * 3
    task.refresh_from_db()
    assert (task.who, OutboxRow.objects.count()) == (adoption.record, 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_adopts_keeps_no_worker_from_noting_its_attempt(people: People) -> None:
    """The worker holds the row meanwhile, for which whoever adopts may wait: the two would wait for each other."""
    task, connection = orphan(people.rep), the_connection()
    outbox.enqueue(connection, [task])
    batch = outbox.claim(connection, 1)

    def start() -> None:
        try:
            with database.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10s'")
            outbox.start(connection, batch.token, batch.rows)
        finally:
            database.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        adopt(task, hana(), people.rep)
        threads.submit(start).result()
    assert Attempt.objects.count() == 1
