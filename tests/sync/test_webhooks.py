"""Telling senders: what is noted, told, tried again and given up, through real HTTP receivers."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync import outbox, settling, task_answers, webhook_events, webhook_settling, webhooks
from sync.enums import DeliveryState, FailureMode, OutboxState, TaskStatus, WebhookError
from sync.errors import RowError
from sync.models import Connection, OutboxRow, ReceivedTask, Sender, Task, WebhookDelivery, WebhookReceiver
from sync.settling import Answer, Call
from sync.webhook_process import Dispatcher
from sync.webhook_settling import Claim, begin_anew, delay, rest
from sync.webhooks import claim_due
from teams.models import Notice, Role, User
from tests.sync.real_cluster import wait_for
from tests.sync.receivers import SECRET, Receiver, hand_in, listening, make_sender, raw, say_nothing
from tests.sync.rows import complete, make_connection

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

REFUSAL = RowError(FailureMode.DATA, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "No", ())


@pytest.fixture(autouse=True)
def loopback(settings: "Settings") -> None:
    from ipaddress import ip_network  # noqa: PLC0415

    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


@pytest.fixture
def org() -> Connection:
    return make_connection()


def settle(org: Connection, tasks: list[Task], error: RowError | None = None, *, late: bool = False) -> None:
    """Let the CRM answer for these tasks; `late`: when their 30 days are over."""
    OutboxRow.objects.filter(task__in=tasks, state=OutboxState.PENDING).update(not_before=timezone.now())
    batch = outbox.claim(org, 200)
    if late:
        long_ago = timezone.now() - timedelta(days=31)
        for row in batch.rows:
            row.first_attempt_at = long_ago
    answers = [Answer(row, crm_id=f"00T{row.pk:015}", error=error) for row in batch.rows]
    settling.settle(org, batch.token, answers, Call())


def ended(org: Connection, sender: Sender, count: int = 1) -> list[ReceivedTask]:
    """So many tasks of a sender that came to their end."""
    tasks = complete(org, count)
    received = hand_in(sender, tasks)
    settle(org, tasks)
    return received


def turn() -> None:
    """What the process does: claim, carry and settle what is due, one after the other."""
    for claim in claim_due(timezone.now()):
        webhook_settling.settle(claim, webhooks.carry(claim))


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))


# What is noted.


def test_b8_webhook_of_a_task_that_reached_the_crm(org: Connection, receiver: Receiver) -> None:
    (received,) = ended(org, make_sender("Dialer", receiver.url))
    turn()
    (got,) = receiver.got
    delivery = WebhookDelivery.objects.get()
    assert got.is_signed
    assert got.headers["webhook-id"] == str(delivery.uuid)
    assert got.json["type"] == "task.synced"
    assert got.json["data"]["id"] == str(received.uuid)
    assert got.json["data"]["state"] == "synced"
    assert (delivery.state, delivery.attempts, delivery.http_status) == (DeliveryState.DELIVERED, 1, 204)
    assert delivery.status == TaskStatus.SYNCED


def test_b8_webhook_of_a_task_that_was_given_up(org: Connection, receiver: Receiver) -> None:
    tasks = complete(org)
    hand_in(make_sender("Dialer", receiver.url), tasks)
    settle(org, tasks, REFUSAL, late=True)
    turn()
    assert receiver.got[0].json["type"] == "task.failed"


def test_b8_webhook_of_a_task_that_was_cancelled_by_hand(org: Connection, receiver: Receiver) -> None:
    tasks = complete(org)
    hand_in(make_sender("Dialer", receiver.url), tasks)
    admin = User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)
    assert outbox.cancel(OutboxRow.objects.all(), admin) == 1
    turn()
    assert receiver.got[0].json["type"] == "task.cancelled"


def test_a_state_that_is_not_final_is_not_told(org: Connection, receiver: Receiver) -> None:
    tasks = complete(org)
    hand_in(make_sender("Dialer", receiver.url), tasks)
    settle(org, tasks, REFUSAL)
    assert not WebhookDelivery.objects.exists()


def test_b8_webhook_after_a_retry_by_hand_tells_the_later_end(org: Connection, receiver: Receiver) -> None:
    tasks = complete(org)
    hand_in(make_sender("Dialer", receiver.url), tasks)
    settle(org, tasks, REFUSAL, late=True)
    turn()
    admin = User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)
    outbox.retry_now(OutboxRow.objects.all(), admin)
    settle(org, tasks)
    turn()
    assert [got.json["type"] for got in receiver.got] == ["task.failed", "task.synced"]
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 2


def test_a_task_that_went_on_meanwhile_is_not_told_before_its_next_end(org: Connection, receiver: Receiver) -> None:
    tasks = complete(org)
    hand_in(make_sender("Dialer", receiver.url), tasks)
    settle(org, tasks, REFUSAL, late=True)
    admin = User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)
    outbox.retry_now(OutboxRow.objects.all(), admin)
    turn()
    assert receiver.got == []
    assert states() == [DeliveryState.OVERTAKEN]


@pytest.mark.parametrize("fields", [{"webhook_url": ""}, {"is_active": False}])
def test_nothing_is_noted_for_who_hears_nothing(org: Connection, fields: dict[str, object]) -> None:
    sender = make_sender("Dialer", "https://example.com/")
    Sender.objects.filter(pk=sender.pk).update(**fields)
    ended(org, sender)
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("count", [3, 30])
def test_settling_costs_one_query_more_where_a_sender_hears_of_it(
    org: Connection, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """And none where nobody does."""

    def batch_of(sender: Sender | None) -> tuple[outbox.Batch, list[Answer]]:
        tasks = complete(org, count)
        if sender:
            hand_in(sender, tasks)
        batch = outbox.claim(org, 200)
        return batch, [Answer(row, crm_id=f"00T{row.pk:015}") for row in batch.rows]

    make_sender("Deaf", "")
    for sender, queries in ((None, 6), (make_sender("Dialer", "https://example.com/"), 7)):
        batch, answers = batch_of(sender)
        with django_assert_num_queries(queries):
            settling.settle(org, batch.token, answers, Call())
    assert WebhookDelivery.objects.count() == count


def test_nothing_is_noted_when_the_transaction_fails(org: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = complete(org)
    hand_in(make_sender("Dialer", "https://example.com/"), tasks)
    monkeypatch.setattr(settling, "_write_crm_ids", lambda *_args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        settle(org, tasks)
    assert not WebhookDelivery.objects.exists()


# What is tried again.


def test_b8_webhook_is_tried_again_until_it_is_taken(org: Connection, receiver: Receiver) -> None:
    receiver.answers = [503, 500, 200]
    ended(org, make_sender("Dialer", receiver.url))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(8):
            turn()
            clock.shift(timedelta(seconds=30))
    assert [got.headers["webhook-id"] for got in receiver.got] == [str(WebhookDelivery.objects.get().uuid)] * 3
    assert all(got.is_signed for got in receiver.got)
    assert WebhookDelivery.objects.get().attempts == 3
    assert WebhookReceiver.objects.get().failures == 0


def test_delays_grow_from_seconds_to_hours() -> None:
    seconds = [delay(attempts).total_seconds() for attempts in (1, 2, 3, 4, 5, 6, 7, 60)]
    assert seconds == [5, 20, 80, 320, 1280, 5120, 7200, 7200]
    assert [rest(failures).total_seconds() for failures in (1, 2, 3, 9, 10, 500)] == [2, 4, 8, 512, 900, 900]


def test_a_receiver_that_failed_is_tried_with_one_delivery_at_a_time(org: Connection, receiver: Receiver) -> None:
    receiver.answers = [500]
    ended(org, make_sender("Dialer", receiver.url), 30)
    turn()
    first = len(receiver.got)
    assert 1 <= first <= webhooks.LANES
    turn()
    assert len(receiver.got) == first  # it rests
    WebhookReceiver.objects.update(resting_until=None)
    turn()
    assert len(receiver.got) == first + 1
    receiver.answers = [200]
    WebhookReceiver.objects.update(resting_until=None)
    turn()
    WebhookDelivery.objects.update(not_before=timezone.now())
    turn()
    assert set(states()) == {DeliveryState.DELIVERED}


def test_one_delivery_that_is_refused_keeps_no_other(org: Connection, receiver: Receiver) -> None:
    received = ended(org, make_sender("Dialer", receiver.url), 3)
    receiver.judge = lambda got: 500 if got.json["data"]["id"] == str(received[0].uuid) else 204
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(6):
            turn()
            clock.shift(timedelta(seconds=4))
    assert sorted(states()) == [DeliveryState.DELIVERED, DeliveryState.DELIVERED, DeliveryState.WAITING]


def test_what_nobody_takes_is_given_up_after_three_days(org: Connection, receiver: Receiver) -> None:
    receiver.answers = [500]
    ended(org, make_sender("Dialer", receiver.url))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(80):
            turn()
            clock.shift(timedelta(hours=1))
    assert states() == [DeliveryState.GIVEN_UP]
    assert 30 < len(receiver.got) < 60
    assert webhook_events.tell_again(WebhookDelivery.objects.all(), Sender.objects.get()) == 1
    receiver.answers = [200]
    turn()
    assert states() == [DeliveryState.DELIVERED]


def test_one_delivery_that_a_receiver_always_refuses_is_given_up_though_it_takes_the_others(
    org: Connection, receiver: Receiver
) -> None:
    sender = make_sender("Dialer", receiver.url)
    (bad,) = ended(org, sender)
    receiver.judge = lambda got: 500 if got.json["data"]["id"] == str(bad.uuid) else 204
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(76):
            ended(org, sender)
            turn()
            clock.shift(timedelta(minutes=30))
            turn()
            clock.shift(timedelta(minutes=30))
    assert WebhookDelivery.objects.get(received=bad).state == DeliveryState.GIVEN_UP
    assert not WebhookDelivery.objects.waiting().exists()


def test_admins_are_told_once_of_a_webhook_that_fails_for_a_day(org: Connection, receiver: Receiver) -> None:
    User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)
    User.objects.create_user("mia@example.com", name="Mia", role=Role.MANAGER)
    receiver.answers = [500]
    ended(org, make_sender("Dialer", receiver.url))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for hour in range(48):
            turn()
            assert hour >= 24 or not Notice.objects.exists()
            clock.shift(timedelta(hours=1))
        notice = Notice.objects.get()
        assert notice.title == "The webhook of Dialer has failed for a day"
        assert "The receiver refused it (HTTP 500)" in notice.text
        receiver.answers = [200]
        clock.shift(timedelta(hours=2))
        turn()
    notice.refresh_from_db()
    assert notice.read_at is not None
    assert WebhookReceiver.objects.get().failing_since is None


def test_410_switches_the_webhook_off_and_says_so(org: Connection, receiver: Receiver) -> None:
    User.objects.create_user("ada@example.com", name="Ada", role=Role.ADMIN)
    sender = make_sender("Dialer", receiver.url)
    receiver.answers = [410]
    ended(org, sender)
    turn()
    ended(org, sender)
    assert states() == [DeliveryState.GIVEN_UP]
    assert len(receiver.got) == 1
    assert Notice.objects.get().title == "The webhook of Dialer is switched off: its receiver wants no more"
    begin_anew(sender)
    receiver.answers = [200]
    ended(org, sender)
    turn()
    assert len(receiver.got) == 2


def test_after_an_outage_what_waited_is_due_at_once(org: Connection, receiver: Receiver) -> None:
    sender = make_sender("Dialer", receiver.url)
    ended(org, sender, 3)
    hour = timedelta(hours=1)
    WebhookReceiver.objects.create(sender=sender, failures=9, failing_since=timezone.now() - hour)
    WebhookDelivery.objects.exclude(pk=WebhookDelivery.objects.first().pk).update(not_before=timezone.now() + hour)  # type: ignore[union-attr]
    turn()
    turn()
    assert states() == [DeliveryState.DELIVERED] * 3


# Where it goes.


def test_b8_webhook_address_is_checked_again_when_it_is_sent(
    org: Connection, receiver: Receiver, settings: "Settings"
) -> None:
    ended(org, make_sender("Dialer", receiver.url))
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    turn()
    assert receiver.got == []
    assert WebhookDelivery.objects.get().error == WebhookError.ADDRESS


def test_a_secret_that_cannot_be_read_fails_this_webhook_alone(
    org: Connection, receiver: Receiver, settings: "Settings"
) -> None:
    lost = make_sender("Lost", receiver.url)
    settings.ENCRYPTION_KEYS = ["b3RoZXJrZXlvdGhlcmtleW90aGVya2V5b3RoZXJrZXk="]
    sender = make_sender("Dialer", receiver.url)
    ended(org, Sender.objects.defer("webhook_secret").get(pk=lost.pk))
    ended(org, sender)
    turn()
    assert len(receiver.got) == 1
    assert WebhookDelivery.objects.get(sender=lost.pk).error == WebhookError.SECRET


def test_an_old_secret_signs_for_a_day_after_a_change(org: Connection, receiver: Receiver) -> None:
    sender = make_sender("Dialer", receiver.url)
    new = webhooks.change_secret(sender)
    ended(org, sender)
    turn()
    assert receiver.got[0].is_signed
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 2
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        ended(org, sender)
        turn()
    assert not receiver.got[1].is_signed
    assert new != SECRET


def test_a_test_event_tells_what_the_receiver_said(receiver: Receiver) -> None:
    receiver.answers, receiver.says = [418], b"I am a teapot"
    reply = webhooks.send_test(make_sender("Dialer", receiver.url))
    assert (reply.status, reply.error, reply.text) == (418, WebhookError.REFUSED, "I am a teapot")
    assert receiver.got[0].json["type"] == "webhook.test"
    assert receiver.got[0].is_signed


# Whoever does it.


def test_a_receiver_is_claimed_by_one_alone_until_its_lease_lapses(org: Connection, receiver: Receiver) -> None:
    ended(org, make_sender("Dialer", receiver.url))
    now = timezone.now()
    (killed,) = claim_due(now)
    assert list(claim_due(now)) == []
    (taken_over,) = claim_due(now + webhooks.LEASE)
    webhook_settling.settle(killed, webhooks.carry(killed))
    assert states() == [DeliveryState.WAITING]  # no longer its own
    webhook_settling.settle(taken_over, webhooks.carry(taken_over))
    assert states() == [DeliveryState.DELIVERED]
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1


@pytest.mark.parametrize("count", [3, 30])
def test_claiming_and_settling_cost_the_same_for_any_number(
    org: Connection, receiver: Receiver, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sender = make_sender("Dialer", receiver.url)
    WebhookReceiver.objects.create(sender=sender)
    ended(org, sender, count)
    with django_assert_num_queries(11):
        (claim,) = claim_due(timezone.now())
    outcomes = webhooks.carry(claim)
    assert len(outcomes) == count
    with django_assert_num_queries(5):
        webhook_settling.settle(claim, outcomes)


def test_what_nobody_foresaw_of_one_sender_keeps_no_other(
    org: Connection, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = make_sender("Bad", receiver.url), make_sender("Good", receiver.url)
    ended(org, bad)
    ended(org, good)
    answer = task_answers.answer

    def fail(received: ReceivedTask) -> dict[str, object]:
        return answer(received) if received.sender_id == good.pk else {"n": 1 / 0}

    monkeypatch.setattr(task_answers, "answer", fail)
    turn()
    assert len(receiver.got) == 1


def test_who_was_claimed_before_the_database_went_away_is_told(
    org: Connection, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("First", "Second"):
        ended(org, make_sender(name, receiver.url))
    claim = webhooks._claim

    def fail(sender_pk: int, now: datetime) -> Claim | None:
        if sender_pk != Sender.objects.get(name="First").pk:
            raise OperationalError
        return claim(sender_pk, now)

    monkeypatch.setattr(webhooks, "_claim", fail)
    with pytest.raises(OperationalError):
        turn()
    assert (len(receiver.got), sorted(states())) == (1, [DeliveryState.DELIVERED, DeliveryState.WAITING])


def test_old_deliveries_are_forgotten(org: Connection, receiver: Receiver) -> None:
    ended(org, make_sender("Dialer", receiver.url))
    turn()
    assert webhook_events.tidy(timezone.now() + timedelta(days=29)) == 0
    assert webhook_events.tidy(timezone.now() + timedelta(days=31)) == 1


@pytest.fixture
def dispatcher(transactional_db: None) -> Iterator[Dispatcher]:
    """The process's loop, in a thread."""
    from django.db import connections  # noqa: PLC0415

    made = Dispatcher()

    def run() -> None:
        try:
            made.run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    yield made
    made.stop()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_b8_webhook_receivers_that_are_slow_or_dead_delay_nobody(
    receiver: Receiver, unused_port: int, dispatcher: Dispatcher
) -> None:
    """The slow one holds its lanes for ten seconds; meanwhile the good one hears of everything, in several turns."""
    org = make_connection()
    with raw(say_nothing) as slow_url:
        slow = make_sender("A slow one", slow_url)
        dead = make_sender("A dead one", f"http://127.0.0.1:{unused_port}/")
        good = make_sender("Good", receiver.url)
        for sender in (slow, dead):
            ended(org, sender, 20)
        wait_for(
            "the slow one holds its lanes",
            lambda: WebhookReceiver.objects.filter(sender=slow, lease_token__isnull=False),
        )
        wait_for("the dead one rests", lambda: WebhookReceiver.objects.filter(sender=dead, failures__gt=0))
        for count in (100, 1):
            ended(org, good, count)
            wait_for(
                "the good one heard", lambda: not WebhookDelivery.objects.waiting().filter(sender=good).exists(), 8
            )
        assert len(receiver.got) == 101
        # All that while the slow one was waited for, once.
        assert WebhookReceiver.objects.get(sender=slow).lease_token is not None
        assert not WebhookDelivery.objects.filter(sender=slow, attempts__gt=0).exists()
