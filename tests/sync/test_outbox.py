"""Enqueue, claim, and what is done by hand."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from sync import outbox, settling
from sync.enums import AttemptOutcome, DecisionCode, OutboxState
from sync.models import Attempt, Connection, Decision, OutboxRow
from tests.sync.rows import complete, make_connection, make_due, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def org() -> Connection:
    return make_connection()


def states() -> list[str]:
    return list(OutboxRow.objects.order_by("pk").values_list("state", flat=True))


class TestEnqueue:
    def test_a_task_gets_one_row_with_its_key(self, org: Connection) -> None:
        (task,) = complete(org)
        row = OutboxRow.objects.get()
        assert (row.task, row.key, row.state, row.in_doubt) == (task, task.key, OutboxState.PENDING, False)

    def test_a_second_change_waits_in_the_same_row(self, org: Connection) -> None:
        tasks = complete(org)
        outbox.enqueue(org, tasks)
        assert OutboxRow.objects.count() == 1

    def test_a_change_while_one_is_being_sent_makes_a_second_row(self, org: Connection) -> None:
        tasks = complete(org)
        outbox.claim(org, 10)
        outbox.enqueue(org, tasks)
        assert states() == [OutboxState.SENDING, OutboxState.PENDING]

    @pytest.mark.parametrize("count", [2, 30])
    def test_the_number_of_queries_does_not_grow(self, org: Connection, count: int) -> None:
        make_user()
        with CaptureQueriesContext(database) as queries:
            complete(org, count)
        assert len(queries) == 3  # user, tasks, rows

    def test_without_a_connection_tasks_wait_and_are_asked_for_later(self) -> None:
        complete(None, 3)
        assert OutboxRow.objects.count() == 0
        assert outbox.enqueue_missing(make_connection()) == 3
        assert OutboxRow.objects.count() == 3

    def test_what_was_asked_for_is_not_asked_for_again(self, org: Connection) -> None:
        complete(org, 2)
        assert outbox.enqueue_missing(org) == 0


@pytest.mark.django_db(transaction=True)
class TestBell:
    def test_it_rings_after_the_commit_and_not_before(self) -> None:
        org = make_connection()
        with transaction.atomic():
            complete(org, 5)
            assert OrmQ.objects.count() == 0
        assert OrmQ.objects.count() == 1

    def test_many_completions_in_a_moment_need_one_wake_up(self) -> None:
        org = make_connection()
        for _each in range(5):
            complete(org)
        assert OrmQ.objects.count() == 1

    def test_an_answered_bell_rings_again(self) -> None:
        org = make_connection()
        complete(org)
        outbox.answer(org)
        complete(org)
        assert OrmQ.objects.count() == 2

    def test_a_wake_up_that_nobody_answered_may_be_lost(self) -> None:
        org = make_connection()
        complete(org)
        Connection.objects.update(rung_at=timezone.now() - outbox.BELL_PATIENCE - timedelta(seconds=1))
        complete(org)
        assert OrmQ.objects.count() == 2

    def test_a_rolled_back_completion_leaves_nothing(self) -> None:
        org = make_connection()
        with transaction.atomic():
            complete(org)
            transaction.set_rollback(True)
        assert (OrmQ.objects.count(), OutboxRow.objects.count()) == (0, 0)


class TestClaim:
    def test_it_takes_what_is_due_under_one_lease(self, org: Connection) -> None:
        complete(org, 3)
        batch = outbox.claim(org, 2)
        assert len(batch.rows) == 2
        assert {row.lease_token for row in batch.rows} == {batch.token}
        assert states().count(OutboxState.SENDING) == 2

    def test_nobody_takes_it_twice(self, org: Connection) -> None:
        complete(org, 3)
        first, second = outbox.claim(org, 2), outbox.claim(org, 200)
        assert len(second.rows) == 1
        assert not {row.pk for row in first.rows} & {row.pk for row in second.rows}

    def test_what_is_not_due_waits(self, org: Connection) -> None:
        complete(org)
        OutboxRow.objects.update(not_before=timezone.now() + timedelta(minutes=1))
        assert outbox.claim(org, 10).rows == ()

    def test_another_connection_keeps_its_rows(self, org: Connection) -> None:
        complete(org)
        other = Connection.objects.create(
            auth_flow=org.auth_flow,
            login_url=org.login_url,
            org_id="00D000000000002EAA",
            access_user_id=org.access_user_id,
            access_user_name="Other",
            user=make_user(),
        )
        assert outbox.claim(other, 10).rows == ()

    def test_a_lapsed_lease_is_in_doubt_and_its_attempt_is_lost(self, org: Connection) -> None:
        tasks = complete(org)
        batch = outbox.claim(org, 10)
        outbox.start(org, batch.token, batch.rows)
        make_due(tasks)
        (row,) = outbox.claim(org, 10).rows
        assert row.in_doubt
        assert Attempt.objects.get().outcome == AttemptOutcome.LOST

    def test_an_object_with_a_row_being_sent_is_left_alone(self, org: Connection) -> None:
        tasks = complete(org)
        outbox.claim(org, 10)
        outbox.enqueue(org, tasks)
        assert outbox.claim(org, 10).rows == ()

    def test_an_object_with_a_lapsed_row_is_taken_by_that_row_first(self, org: Connection) -> None:
        tasks = complete(org)
        (first,) = outbox.claim(org, 10).rows
        outbox.enqueue(org, tasks)
        OutboxRow.objects.filter(pk=first.pk).update(not_before=timezone.now())
        # The lapsed row is blocked by nobody: the waiting one is neither sending nor in doubt.
        assert [row.pk for row in outbox.claim(org, 10).rows] == [first.pk]

    def test_fresh_rows_go_first_but_the_backlog_moves(self, org: Connection) -> None:
        old = complete(org, 40, "Old")
        make_due(old, ago=timedelta(hours=3))
        fresh = complete(org, 40, "Fresh")
        keys = {row.key for row in outbox.claim(org, 20).rows}
        assert len(keys & {task.key for task in fresh}) == 15
        assert len(keys & {task.key for task in old}) == 5

    @pytest.mark.parametrize(("old", "fresh"), [(40, 0), (0, 40), (3, 40), (40, 3)])
    def test_neither_lane_stays_empty_while_the_other_waits(self, org: Connection, old: int, fresh: int) -> None:
        make_due(complete(org, old), ago=timedelta(hours=3))
        complete(org, fresh)
        assert len(outbox.claim(org, 20).rows) == 20


class TestStart:
    def test_it_writes_the_attempts_before_the_call(self, org: Connection) -> None:
        complete(org, 2)
        batch = outbox.claim(org, 10)
        attempts = outbox.start(org, batch.token, batch.rows)
        assert set(attempts) == {row.pk for row in batch.rows}
        assert set(Attempt.objects.values_list("outcome", "batch_size")) == {(AttemptOutcome.STARTED, 2)}

    def test_the_first_attempt_begins_the_thirty_days(self, org: Connection) -> None:
        complete(org)
        Connection.objects.update(down_total=timedelta(hours=7))
        org.refresh_from_db()
        batch = outbox.claim(org, 10)
        outbox.start(org, batch.token, batch.rows)
        row = OutboxRow.objects.get()
        assert row.first_attempt_at is not None
        assert row.down_total_at_first == timedelta(hours=7)

    def test_who_lost_the_lease_sends_nothing(self, org: Connection) -> None:
        tasks = complete(org)
        late = outbox.claim(org, 10)
        make_due(tasks)
        outbox.claim(org, 10)
        assert outbox.start(org, late.token, late.rows) == {}


class TestByHand:
    def failed(self, org: Connection) -> OutboxRow:
        complete(org)
        OutboxRow.objects.update(state=OutboxState.FAILED, attempts=9, first_attempt_at=timezone.now())
        return OutboxRow.objects.get()

    def test_retry_now_begins_anew(self, org: Connection) -> None:
        row = self.failed(org)
        assert outbox.retry_now([row], make_user()) == 1
        row.refresh_from_db()
        assert (row.state, row.attempts, row.first_attempt_at) == (OutboxState.PENDING, 0, None)
        assert Decision.objects.get().code == DecisionCode.RETRIED_BY_HAND

    @pytest.mark.parametrize("state", [OutboxState.DONE, OutboxState.CANCELLED, OutboxState.SENDING])
    def test_retry_now_leaves_other_states_alone(self, org: Connection, state: OutboxState) -> None:
        row = self.failed(org)
        OutboxRow.objects.update(state=state)
        assert outbox.retry_now([row], make_user()) == 0
        assert states() == [state]
        assert Decision.objects.count() == 0

    def test_history_is_not_retried(self, org: Connection) -> None:
        row = self.failed(org)
        outbox.enqueue(org, [row.task] if row.task else [])
        assert outbox.retry_now([row], make_user()) == 0

    def test_cancel_gives_up_what_waits(self, org: Connection) -> None:
        complete(org)
        assert outbox.cancel(OutboxRow.objects.all(), make_user()) == 1
        assert states() == [OutboxState.CANCELLED]
        assert Decision.objects.get().code == DecisionCode.CANCELLED_BY_HAND

    def test_what_is_in_doubt_cannot_be_cancelled(self, org: Connection) -> None:
        complete(org)
        OutboxRow.objects.update(in_doubt=True)
        assert outbox.cancel(OutboxRow.objects.all(), make_user()) == 0
        assert states() == [OutboxState.PENDING]


class TestRelease:
    def test_it_gives_rows_back_uncharged(self, org: Connection) -> None:
        complete(org)
        batch = outbox.claim(org, 10)
        settling.release(batch.token, batch.rows, timezone.now())
        row = OutboxRow.objects.get()
        assert (row.state, row.attempts, row.lease_token) == (OutboxState.PENDING, 0, None)

    def test_a_newer_row_of_the_same_task_takes_over_the_doubt(self, org: Connection) -> None:
        tasks = complete(org)
        batch = outbox.claim(org, 10)
        settling.put_in_doubt(batch.token, batch.rows)
        outbox.enqueue(org, tasks)
        settling.release(batch.token, batch.rows, timezone.now())
        assert states() == [OutboxState.CANCELLED, OutboxState.PENDING]
        assert OutboxRow.objects.get(state=OutboxState.PENDING).in_doubt

    def test_who_lost_the_lease_gives_nothing_back(self, org: Connection) -> None:
        tasks = complete(org)
        late = outbox.claim(org, 10)
        make_due(tasks)
        outbox.claim(org, 10)
        settling.release(late.token, late.rows, timezone.now())
        assert states() == [OutboxState.SENDING]
