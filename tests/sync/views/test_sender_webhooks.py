"""A sender's webhook on its page: test, secret, what was told and telling it again."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sync import webhook_events, webhooks
from sync.enums import DeliveryState, WebhookError
from sync.models import Sender, WebhookDelivery, WebhookReceiver
from tests.people import People, logged_in
from tests.sync.receivers import SECRET, Receiver, hand_in, listening, make_sender
from tests.sync.rows import complete, make_connection

LIST = "/manager/settings/api/"


@pytest.fixture(autouse=True)
def loopback(settings: Settings) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def admin(people: People) -> Client:
    return logged_in(people.admin)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as one:
        yield one


@pytest.fixture
def sender(db: None, receiver: Receiver) -> Sender:
    return make_sender("Dialer", receiver.url)


def deliveries(sender: Sender, count: int = 1, **values: object) -> list[WebhookDelivery]:
    tasks = complete(make_connection(), count)
    hand_in(sender, tasks)
    webhook_events.note(webhook_events.hearers_of(task.pk for task in tasks), timezone.now())
    WebhookDelivery.objects.update(**values)
    return list(WebhookDelivery.objects.all())


def test_b8_webhook_test_event_shows_the_answer(admin: Client, sender: Sender, receiver: Receiver) -> None:
    receiver.answers, receiver.says = [401], b"<b>who are you?</b>"
    response = admin.post(f"{LIST}{sender.uuid}/webhook/test/")
    text = response.content.decode()
    assert "The test was not taken" in text
    assert "The receiver refused it (HTTP 401)" in text
    assert "&lt;b&gt;who are you?&lt;/b&gt;" in text
    receiver.answers = [200]
    assert "The test was taken" in admin.post(f"{LIST}{sender.uuid}/webhook/test/").content.decode()


def test_a_test_to_an_address_that_is_refused_by_now_says_why(
    admin: Client, sender: Sender, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    assert "WEBHOOK_PRIVATE_NETWORKS" in admin.post(f"{LIST}{sender.uuid}/webhook/test/").content.decode()
    assert receiver.got == []


def test_a_new_secret_is_asked_for_shown_once_and_audited(admin: Client, people: People, sender: Sender) -> None:
    address = f"{LIST}{sender.uuid}/webhook/secret/"
    admin.get(address)
    sender.refresh_from_db()
    assert sender.webhook_secret == SECRET
    response = admin.post(address)
    sender.refresh_from_db()
    assert sender.webhook_secret != SECRET
    assert sender.webhook_secret in response.content.decode()
    assert WebhookReceiver.objects.get().former_secret == SECRET
    entry = LogEntry.objects.get_for_object(sender).first()
    assert entry.changes == {"webhook secret": ["", "changed"]}
    assert entry.actor == people.admin


def test_a_secret_in_wrong_hands_signs_nothing_any_more(admin: Client, sender: Sender) -> None:
    admin.post(f"{LIST}{sender.uuid}/webhook/secret/", {"at_once": "yes"})
    assert WebhookReceiver.objects.get().former_secret == ""


def test_a_secret_that_cannot_be_read_is_replaced(admin: Client, sender: Sender, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = ["b3RoZXJrZXlvdGhlcmtleW90aGVya2V5b3RoZXJrZXk="]
    assert "can&#x27;t be read" in admin.post(f"{LIST}{sender.uuid}/webhook/test/").content.decode()
    assert admin.post(f"{LIST}{sender.uuid}/webhook/secret/").status_code == 200
    assert Sender.objects.get().webhook_secret.startswith("whsec_")


def test_the_last_deliveries_say_in_words_what_became_of_them(admin: Client, sender: Sender) -> None:
    deliveries(sender, attempts=4, error=WebhookError.TIMEOUT)
    text = admin.get(f"{LIST}{sender.uuid}/").content.decode()
    assert "No answer in time" in text
    assert "Tell again" in text


def test_one_delivery_is_told_again_at_once(admin: Client, sender: Sender, receiver: Receiver) -> None:
    (delivery,) = deliveries(sender, state=DeliveryState.GIVEN_UP, attempts=30)
    WebhookReceiver.objects.create(sender=sender, failures=3, resting_until=timezone.now() + webhooks.LEASE)
    response = admin.post(f"{LIST}{sender.uuid}/webhook/again/", {"delivery": delivery.uuid}, follow=True)
    assert "1 is being told again." in response.content.decode()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 0)
    assert WebhookReceiver.objects.get().resting_until is None


def test_all_that_were_given_up_are_told_again(admin: Client, sender: Sender) -> None:
    deliveries(sender, 3, state=DeliveryState.GIVEN_UP)
    admin.post(f"{LIST}{sender.uuid}/webhook/again/")
    assert WebhookDelivery.objects.waiting().count() == 3


@pytest.mark.parametrize("chosen", ["x", "00000000-0000-0000-0000-000000000000"])
def test_what_was_taken_meanwhile_is_not_told_again(admin: Client, sender: Sender, chosen: str) -> None:
    deliveries(sender, state=DeliveryState.DELIVERED)
    response = admin.post(f"{LIST}{sender.uuid}/webhook/again/", {"delivery": chosen}, follow=True)
    assert "nothing to tell again" in response.content.decode()


def test_another_sender_s_delivery_is_left_alone(admin: Client, sender: Sender) -> None:
    (delivery,) = deliveries(sender, state=DeliveryState.GIVEN_UP)
    other = make_sender("Other", sender.webhook_url)
    admin.post(f"{LIST}{other.uuid}/webhook/again/", {"delivery": delivery.uuid})
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.GIVEN_UP


def test_switching_on_again_after_410(admin: Client, sender: Sender) -> None:
    WebhookReceiver.objects.create(sender=sender, switched_off_at=timezone.now(), failures=1, error=WebhookError.GONE)
    assert "Switch on again" in admin.get(f"{LIST}{sender.uuid}/").content.decode()
    admin.post(f"{LIST}{sender.uuid}/webhook/on/")
    assert WebhookReceiver.objects.get().switched_off_at is None


@pytest.mark.parametrize("what", ["secret", "test", "on", "again"])
def test_a_sender_without_a_webhook_has_none_of_these(admin: Client, what: str) -> None:
    bare = Sender.objects.create(name="Bare")
    assert admin.post(f"{LIST}{bare.uuid}/webhook/{what}/").status_code == 404
