"""Settings › API: senders, who may see and change them, and what the pages say."""  # noqa: RUF002

import socket
from datetime import timedelta
from ipaddress import ip_network

import pytest
from auditlog.models import LogEntry
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from sync.models import ApiToken, Sender, WebhookReceiver
from sync.views.sender_facts import COUNT_TO, received_words
from tests.people import People, logged_in
from tests.sync.receivers import hand_in, make_sender
from tests.sync.rows import complete, make_connection

LIST = "/manager/settings/api/"
PUBLIC = "https://93.184.215.14/hook"  # an address needs no name server


def page_of(sender: Sender) -> str:
    return f"{LIST}{sender.uuid}/"


def form(client: Client, sender: Sender, **values: object) -> dict[str, object]:
    """What the page's form would send, with changes."""
    shown = client.get(page_of(sender)).context["form"]
    sent = {name: shown[name].value() for name in shown.fields}
    sent |= values
    return {name: value for name, value in sent.items() if value not in (None, False)}


@pytest.fixture
def admin(people: People) -> Client:
    return logged_in(people.admin)


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender.objects.create(name="Dialer")


def test_without_senders_the_page_says_what_the_api_is(admin: Client) -> None:
    text = admin.get(LIST).content.decode()
    assert "No tool hands tasks in yet" in text
    assert 'href="/api/v1/docs"' in text
    assert f'href="{LIST}new/"' in text


@pytest.mark.parametrize("who", ["manager", "rep"])
def test_admins_alone_see_and_change_senders(people: People, sender: Sender, who: str) -> None:
    client = logged_in(getattr(people, who))
    assert client.get(LIST).status_code == 403
    assert client.get(page_of(sender)).status_code == 403
    assert client.post(f"{page_of(sender)}tokens/", {"days": 30}).status_code == 403
    assert Client().get(LIST).status_code == 302


def test_the_list_says_how_each_fares(admin: Client, people: People) -> None:
    dialer = make_sender("Dialer", PUBLIC, team=people.north)
    make_sender("Old", "", is_active=False)
    ApiToken.issue(dialer)
    ApiToken.objects.update(last_used_at=timezone.now())
    hand_in(dialer, complete(make_connection(), 3))
    WebhookReceiver.objects.create(sender=dialer, delivered_at=timezone.now())
    first, second = admin.get(LIST).context["rows"]
    assert (first["sender"].name, first["sender"].tokens_usable, first["received"]) == ("Dialer", 1, "3")
    assert first["webhook"].label == "Taken"
    assert (second["sender"].tokens_usable, second["webhook"].label) == (None, "No webhook")
    assert "North" in admin.get(LIST).content.decode()


def test_a_sender_that_handed_in_a_million_is_not_counted_to_its_end() -> None:
    assert received_words(COUNT_TO) == "10000"
    assert received_words(COUNT_TO + 1) == "more than 10000"


@pytest.mark.parametrize("count", [3, 30])
def test_list_queries_do_not_grow(admin: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(count):
        ApiToken.issue(make_sender(f"Dialer {number}", PUBLIC))
    admin.get(LIST)
    with django_assert_num_queries(7):
        admin.get(LIST)


def test_adding_a_sender(admin: Client, people: People) -> None:
    response = admin.post(f"{LIST}new/", {"name": "Dialer", "team": people.north.pk})
    made = Sender.objects.get()
    assert (response.status_code, response["Location"]) == (302, page_of(made))
    assert (made.name, made.team, made.is_active, made.webhook_secret) == ("Dialer", people.north, True, "")
    assert LogEntry.objects.get_for_object(made).get().actor == people.admin


def test_adding_a_sender_with_a_webhook_shows_its_secret_once(admin: Client) -> None:
    response = admin.post(f"{LIST}new/", {"name": "Dialer", "webhook_url": PUBLIC})
    secret = Sender.objects.get().webhook_secret
    assert secret.startswith("whsec_")
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert secret not in admin.get(page_of(Sender.objects.get())).content.decode()


def test_a_name_that_another_sender_has_is_said_at_its_field(admin: Client, sender: Sender) -> None:
    response = admin.post(f"{LIST}new/", {"name": "Dialer"})
    assert "Another sender has this name" in response.context["form"].errors["name"][0]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://93.184.215.14/", "Begin it with https://"),
        ("https://10.0.0.1/hook", "WEBHOOK_PRIVATE_NETWORKS"),
        ("https://127.0.0.1/", "WEBHOOK_PRIVATE_NETWORKS"),
        ("https://user:pw@93.184.215.14/", "Leave out user name and password"),
        ("dialer", "This is no web address"),
    ],
)
def test_b8_webhook_address_in_a_private_network_is_refused_at_its_field(
    admin: Client, sender: Sender, url: str, words: str
) -> None:
    response = admin.post(page_of(sender), form(admin, sender, webhook_url=url))
    assert response.status_code == 422
    assert words in response.context["form"].errors["webhook_url"][0]
    assert f'value="{url}"' in response.content.decode()
    sender.refresh_from_db()
    assert sender.webhook_url == ""


def test_b8_webhook_address_in_a_private_network_that_the_settings_allow(
    admin: Client, sender: Sender, settings: Settings
) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("10.0.0.0/8")]
    admin.post(page_of(sender), form(admin, sender, webhook_url="http://10.0.0.1/hook"))
    sender.refresh_from_db()
    assert sender.webhook_url == "http://10.0.0.1/hook"


def test_changing_a_sender_is_audited(admin: Client, people: People, sender: Sender) -> None:
    response = admin.post(page_of(sender), form(admin, sender, is_active=False, is_outlook_plugin="on"))
    assert response.status_code == 302
    entry = LogEntry.objects.get_for_object(sender).first()
    assert entry.actor == people.admin
    assert entry.changes == {"is_active": ["True", "False"], "is_outlook_plugin": ["False", "True"]}


def test_an_outlook_plug_in_comes_with_a_warning(admin: Client, sender: Sender) -> None:
    assert "passes by all blacklists" in admin.get(page_of(sender)).content.decode()
    Sender.objects.update(is_outlook_plugin=True)
    assert "pb-banner-warn" in admin.get(page_of(sender)).content.decode()


def test_a_form_that_is_stale_says_so_once(admin: Client, sender: Sender) -> None:
    old = form(admin, sender, name="Mine")
    Sender.objects.update(name="Theirs")
    response = admin.post(page_of(sender), old)
    assert "Somebody has changed this sender meanwhile" in response.content.decode()
    assert 'value="Mine"' in response.content.decode()
    again = response.context["form"]
    sent = {name: again[name].value() for name in again.fields}
    admin.post(page_of(sender), {name: value for name, value in sent.items() if value})
    sender.refresh_from_db()
    assert sender.name == "Mine"


def test_another_address_begins_anew_and_keeps_the_secret(admin: Client) -> None:
    sender = make_sender("Dialer", PUBLIC)
    WebhookReceiver.objects.create(sender=sender, failures=5, switched_off_at=timezone.now())
    secret = sender.webhook_secret
    admin.post(page_of(sender), form(admin, sender, webhook_url=PUBLIC + "/new"))
    receiver = WebhookReceiver.objects.get()
    assert (receiver.failures, receiver.switched_off_at) == (0, None)
    sender.refresh_from_db()
    assert sender.webhook_secret == secret


def test_nobody_s_sender_is_not_found(admin: Client) -> None:
    assert admin.get(f"{LIST}00000000-0000-0000-0000-000000000000/").status_code == 404


def test_page_queries_do_not_grow(
    admin: Client, people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from sync import webhook_events  # noqa: PLC0415

    sender = make_sender("Dialer", PUBLIC)
    org = make_connection()
    for count in (3, 15):
        for _ in range(count):
            ApiToken.issue(sender, people.admin)
        tasks = complete(org, count)
        hand_in(sender, tasks)
        webhook_events.note(webhook_events.hearers_of(task.pk for task in tasks), timezone.now())
        admin.get(page_of(sender))
        with django_assert_num_queries(11):
            admin.get(page_of(sender))


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({}, "Nothing told yet"),
        ({"delivered_at": timezone.now()}, "Taken"),
        ({"failing_since": timezone.now(), "error": "timeout"}, "Not taken"),
        ({"failing_since": timezone.now() - timedelta(days=2), "error": "refused", "http_status": 500}, "Failing"),
        ({"switched_off_at": timezone.now()}, "Switched off"),
    ],
)
def test_the_webhook_s_state_is_said_in_words(admin: Client, values: dict[str, object], label: str) -> None:
    sender = make_sender("Dialer", PUBLIC)
    WebhookReceiver.objects.create(sender=sender, **values)
    assert admin.get(page_of(sender)).context["webhook"].label == label


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_held_while_the_name_server_is_asked(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take half a minute; on SQLite nobody else could write meanwhile."""
    client, sender = logged_in(people.admin), Sender.objects.create(name="Dialer")
    held: list[bool] = []

    def resolve(*_args: object, **_named: object) -> list[tuple[object, ...]]:
        held.append(database.in_atomic_block)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]

    said = form(client, sender, webhook_url="https://receiver.example/hook")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client.post(page_of(sender), said)
    sender.refresh_from_db()
    assert (sender.webhook_url, held) == ("https://receiver.example/hook", [False])
