"""Equal errors wait together, and one row at a time is tried again."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync import outbox, settling, troubles
from sync.enums import DecisionCode, FailureMode, OutboxState
from sync.errors import RowError
from sync.models import Connection, Decision, OutboxRow, Trouble
from sync.retry import PROBE_EVERY
from sync.settling import Answer, Call
from tests.sync.rows import complete, make_connection, make_due, make_user

RULE = RowError(FailureMode.CONFIGURATION, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Say what was agreed.", ("Subject",))


def settle_all(org: Connection, error: RowError | None) -> int:
    """Claim what is due and give every row the same answer."""
    batch = outbox.claim(org, 200)
    attempts = outbox.start(org, batch.token, batch.rows)
    answers = [
        Answer(row, attempts[row.pk], error=error)
        if error
        else Answer(row, attempts[row.pk], crm_id="00T000000000001EAA")
        for row in batch.rows
    ]
    settling.settle(org, batch.token, answers, Call(200, "request-1"))
    return len(batch.rows)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Too long: 300 characters", "Too long: 301 characters", True),
        ("No access to 003000000000001AAA", "No access to 003000000000002AAA", True),
        ("Choose a reason", "Choose a stage", False),
        (
            "Subject: data value too large: Call\nAnn (max length=5)",
            "Subject: data value too large: Bob about the offer (max length=5)",
            True,
        ),
        ("Email: invalid email address: ann@x", "Email: invalid email address: bob@y", True),
        ("Subject: data value too large: x (max length=5)", "Comments: data value too large: x (max length=5)", False),
    ],
)
def test_a_signature_leaves_out_what_differs_from_row_to_row(one: str, other: str, alike: bool) -> None:
    signatures = {troubles.signature(RowError(FailureMode.CONFIGURATION, "CODE", message)) for message in (one, other)}
    assert (len(signatures) == 1) == alike


@pytest.mark.parametrize(
    "error",
    [
        RowError(FailureMode.CONFIGURATION, "OTHER_CODE", RULE.message, RULE.fields),
        RowError(FailureMode.PERMISSION, RULE.code, RULE.message, RULE.fields),
        RowError(RULE.mode, RULE.code, RULE.message, ("Description",)),
    ],
)
def test_a_signature_tells_codes_modes_and_fields_apart(error: RowError) -> None:
    assert troubles.signature(error) != troubles.signature(RULE)


@pytest.mark.django_db
class TestProbing:
    @pytest.fixture
    def org(self) -> Connection:
        org = make_connection()
        complete(org, 5)
        settle_all(org, RULE)
        return org

    def test_equal_errors_are_one_trouble_in_the_crms_words(self, org: Connection) -> None:
        trouble = Trouble.objects.get()
        assert (trouble.error_code, trouble.error_message) == (RULE.code, RULE.message)
        assert trouble.rows.filter(state=OutboxState.PENDING).count() == 5
        assert outbox.claim(org, 10).rows == ()

    @pytest.mark.parametrize("count", [2, 30])
    def test_the_number_of_queries_does_not_grow(self, org: Connection, count: int) -> None:
        complete(org, count)
        batch = outbox.claim(org, 200)
        attempts = outbox.start(org, batch.token, batch.rows)
        answers = [Answer(row, attempts[row.pk], error=RULE) for row in batch.rows]
        with CaptureQueriesContext(database) as queries:
            settling.settle(org, batch.token, answers, Call(200, "request-1"))
        assert len(queries) == 8

    def test_one_row_goes_out_each_hour(self, org: Connection) -> None:
        now = timezone.now()
        assert troubles.probe(now) == set()
        assert troubles.probe(now + PROBE_EVERY) == {org.pk}
        assert OutboxRow.objects.due(now + PROBE_EVERY).count() == 1
        assert troubles.probe(now + PROBE_EVERY) == set()

    def test_a_failing_probe_waits_for_the_next_hour(self, org: Connection) -> None:
        troubles.probe_at_once(org)
        troubles.probe(timezone.now())
        assert settle_all(org, RULE) == 1
        assert Trouble.objects.get().ended_at is None
        assert OutboxRow.objects.due(timezone.now()).count() == 0

    def test_when_the_probe_passes_the_rest_is_due(self, org: Connection) -> None:
        troubles.probe_at_once(org)
        troubles.probe(timezone.now())
        assert settle_all(org, None) == 1
        assert Trouble.objects.get().ended_at is not None
        assert settle_all(org, None) == 4
        assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.DONE}

    def test_a_trouble_for_which_nothing_waits_is_closed(self, org: Connection) -> None:
        OutboxRow.objects.update(state=OutboxState.CANCELLED)
        troubles.probe_at_once(org)
        assert troubles.probe(timezone.now()) == set()
        assert Trouble.objects.get().ended_at is not None

    def test_the_same_cause_later_is_a_new_trouble(self, org: Connection) -> None:
        Trouble.objects.update(ended_at=timezone.now())
        complete(org)
        settle_all(org, RULE)
        assert Trouble.objects.count() == 2

    def test_m24_after_thirty_days_it_fails_and_says_so(self, org: Connection) -> None:
        long_ago = timezone.now() - timedelta(days=30, seconds=1)
        OutboxRow.objects.update(first_attempt_at=long_ago, not_before=timezone.now())
        settle_all(org, RULE)
        assert set(OutboxRow.objects.values_list("state", "error_code")) == {(OutboxState.FAILED, RULE.code)}
        assert Decision.objects.filter(code=DecisionCode.GAVE_UP).count() == 5

    def test_m24_the_clock_stands_while_the_connection_is_down(self, org: Connection) -> None:
        long_ago = timezone.now() - timedelta(days=30, seconds=1)
        OutboxRow.objects.update(first_attempt_at=long_ago, not_before=timezone.now())
        Connection.objects.update(down_total=timedelta(days=2))
        org.refresh_from_db()
        settle_all(org, RULE)
        assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.PENDING}

    def test_a_waiting_row_shows_the_hourly_try_not_the_end_of_the_thirty_days(self, org: Connection) -> None:
        row = OutboxRow.objects.select_related("trouble").filter(state=OutboxState.PENDING)[0]
        assert row.next_try == Trouble.objects.get().next_probe_at
        assert row.next_try < row.not_before

    def test_a_probe_that_meets_a_busy_crm_still_frees_the_rest(self, org: Connection) -> None:
        troubles.probe_at_once(org)
        troubles.probe(timezone.now())
        assert settle_all(org, RowError(FailureMode.TRANSIENT, "UNABLE_TO_LOCK_ROW", "busy")) == 1
        make_due([row.task for row in OutboxRow.objects.filter(error_code="UNABLE_TO_LOCK_ROW") if row.task])
        assert settle_all(org, None) == 1
        assert settle_all(org, None) == 4

    def test_a_retry_by_hand_that_passes_frees_the_rest(self, org: Connection) -> None:
        outbox.retry_now(OutboxRow.objects.order_by("-pk")[:1], make_user())
        assert settle_all(org, None) == 1
        assert settle_all(org, None) == 4

    def test_a_row_that_came_late_to_a_trouble_that_ended_does_not_wait_thirty_days(self, org: Connection) -> None:
        # Two workers: one settles a refusal at the moment in which the other ends the trouble.
        Trouble.objects.update(ended_at=timezone.now())
        assert troubles.probe(timezone.now()) == {org.pk}
        assert settle_all(org, None) == 5

    def test_what_was_waiting_does_not_keep_new_tasks(self, org: Connection) -> None:
        troubles.probe_at_once(org)
        troubles.probe(timezone.now())
        settle_all(org, None)
        new = complete(org, 2)
        batch = outbox.claim(org, 4)
        assert {row.task for row in batch.rows} >= set(new)

    def test_m24_down_time_before_the_first_attempt_adds_nothing(self, org: Connection) -> None:
        Connection.objects.update(down_total=timedelta(days=10))
        org.refresh_from_db()
        (task,) = complete(org)
        settle_all(org, RULE)
        ends_in = OutboxRow.objects.get(task=task).not_before - timezone.now()
        assert timedelta(days=29) < ends_in < timedelta(days=31)

    def test_a_trouble_whose_last_row_was_cancelled_ends_with_the_next_sweep(self, org: Connection) -> None:
        outbox.cancel(OutboxRow.objects.all(), make_user())
        troubles.probe(timezone.now())
        assert Trouble.objects.get().ended_at is not None
