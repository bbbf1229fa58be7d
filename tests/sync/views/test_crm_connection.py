"""The page Connection: what it says, checking now, and disconnecting on purpose."""

from datetime import timedelta

import pytest
import time_machine
from auditlog.models import LogEntry
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from sandbox.control import SandboxControl
from sync import connecting, delivery, jobs, outbox
from sync.enums import ConnectionState, OutboxState
from sync.models import Connection, OutboxRow
from tests.factories import TaskFactory
from tests.people import People, logged_in
from tests.sync.admin.conftest import SCHEMA, make_connection
from tests.sync.views.conftest import CONNECTION, Browser, refresh_tokens_work

pytestmark = pytest.mark.django_db(transaction=True)


def page(people: People) -> str:
    return logged_in(people.admin).get(CONNECTION).content.decode()


def test_without_a_connection_it_says_how(site: Settings, people: People) -> None:
    html = page(people)
    assert html.count("Continue to Salesforce</button>") == 1
    assert html.count(f"http://testserver{CONNECTION}callback/") == 1
    assert (html.count('id="state"'), html.count(" disabled>")) == (0, 0)


def test_it_shows_the_crm_s_words_escaped_and_no_token(site: Settings, people: People) -> None:
    make_connection(
        state="disconnected",
        down_since=timezone.now(),
        error_code="invalid_grant",
        error_message="<b>inactive</b>",
        error_at=timezone.now(),
        api_used=12_345,
        api_limit=100_000,
        access_token="the-token",
        refresh_token="the-other",
        org_name="Northwind",
        schema={**SCHEMA, "has_key": False, "missing": ["key", "play_name"]},
    )
    html = page(people)
    assert html.count("12,345 of 100,000, of the whole org (12 %)") == 1
    assert html.count("key field (without it, a lost answer costs minutes instead of seconds), Play Name") == 1
    # In the banner and on the page.
    assert (html.count("&lt;b&gt;inactive&lt;/b&gt;"), html.count("<b>inactive")) == (2, 0)
    assert (html.count("the-token"), html.count("the-other")) == (0, 0)
    assert html.count("A new log-in is tried every five minutes.") == 1


def test_a_lost_key_doesn_t_take_the_page_away(site: Settings, people: People) -> None:
    connection = make_connection(access_token="the-token")
    Connection.objects.filter(pk=connection.pk).update(access_token="kept")
    site.ENCRYPTION_KEYS = ["OTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTBmZWRjYmE="]
    assert page(people).count("Integration User") == 1


def test_a_lost_key_costs_one_log_in_and_nothing_else(browser: Browser, connection: Connection, site: Settings) -> None:
    site.ENCRYPTION_KEYS = ["OTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTBmZWRjYmE="]
    browser.log_in()
    browser.answer("accept")
    assert Connection.objects.get().token_number == connection.token_number + 1


def test_a_lost_key_is_what_check_now_tells(people: People, connection: Connection, site: Settings) -> None:
    site.ENCRYPTION_KEYS = ["OTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTBmZWRjYmE="]
    response = logged_in(people.admin).post(f"{CONNECTION}check/", follow=True)
    html = response.content.decode()
    assert (response.status_code, html.count("Put the key that it was written with back")) == (200, 1)
    assert Connection.objects.without_tokens().get().state == ConnectionState.CONNECTED


def test_its_queries_don_t_grow(
    site: Settings, people: People, connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = logged_in(people.admin)
    client.get(CONNECTION)
    with django_assert_num_queries(7):
        client.get(CONNECTION)
    for _number in range(300):
        TaskFactory.create()
    outbox.enqueue_missing(connection)
    with django_assert_num_queries(7):
        client.get(CONNECTION)


def test_check_now_sees_what_changed(people: People, connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.change_schema(
        fields=[{"object": "Task", "name": "Play_Step__c", "hidden": True}], permissions={"Case": {"read": False}}
    )
    html = logged_in(people.admin).post(f"{CONNECTION}check/", follow=True).content.decode()
    assert html.count("Checked: Salesforce lets the Access User in.") == 1
    assert html.count("The Access User may not read Case: give it a permission set that allows it.") == 1
    assert html.count("Task: Play_Step__c don&#x27;t exist or are hidden") == 1
    stored = Connection.objects.get()
    assert stored.task_schema is not None
    assert stored.task_schema.missing == ("play_step",)


def test_check_now_says_what_the_crm_says(people: People, connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("api_disabled")
    html = logged_in(people.admin).post(f"{CONNECTION}check/", follow=True).content.decode()
    words = "API_DISABLED_FOR_ORG: API is not enabled for this Organization or Partner"
    assert html.count(f"Salesforce could not be asked: {words}") == 1
    assert Connection.objects.get().state == ConnectionState.DISCONNECTED


def test_m23_check_now_brings_a_lost_one_back(people: People, connection: Connection, sandbox: SandboxControl) -> None:
    connection.mark_disconnected("inactive_user", "user is inactive")
    fault = sandbox.add_fault("inactive_user")
    client = logged_in(people.admin)
    html = client.post(f"{CONNECTION}check/", follow=True).content.decode()
    assert html.count("Salesforce still doesn&#x27;t let the Access User in.") == 1
    sandbox.remove_fault(fault["id"])
    html = client.post(f"{CONNECTION}check/", follow=True).content.decode()
    assert html.count("Salesforce lets the Access User in again.") == 1
    assert Connection.objects.get().state == ConnectionState.CONNECTED


def test_disconnecting_says_first_what_it_does(people: People, connection: Connection) -> None:
    TaskFactory.create()
    outbox.enqueue_missing(connection)
    html = logged_in(people.admin).get(f"{CONNECTION}disconnect/").content.decode()
    assert html.count("Nothing is lost: 1 task that waits stays") == 1
    assert Connection.objects.get().state == ConnectionState.CONNECTED


def test_m23_disconnected_on_purpose_it_stays_so_until_a_person_connects_it(
    browser: Browser, people: People, sandbox: SandboxControl
) -> None:
    browser.log_in()
    browser.answer("accept")
    before = Connection.objects.get()
    TaskFactory.create()
    outbox.enqueue_missing(before)
    html = browser.client.post(f"{CONNECTION}disconnect/", follow=True).content.decode()
    assert html.count("Disconnected. Salesforce has ended the Access User&#x27;s log-in.") == 1
    assert html.count("Ada Admin disconnected it on ") == 1
    assert html.count("Ada Admin disconnected Salesforce on ") == 1
    assert not refresh_tokens_work(sandbox, before.refresh_token)
    calls = sandbox.stats()["token_calls"]
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        jobs.reconnect()
        jobs.sweep()
        delivery.deliver(before.pk)
        assert not connecting.reconnect(Connection.objects.get())
    off = Connection.objects.get()
    assert (off.state, off.disconnected_by) == (ConnectionState.DISCONNECTED, people.admin)
    assert (off.access_token, off.refresh_token, off.error_code) == ("", "", "")
    assert sandbox.stats()["token_calls"] == calls
    assert OutboxRow.objects.get().state == OutboxState.PENDING
    browser.log_in()
    browser.answer("accept")
    delivery.deliver(off.pk)
    on = Connection.objects.get()
    assert (on.state, on.disconnected_by, on.down_since) == (ConnectionState.CONNECTED, None, None)
    assert on.down_total > timedelta()
    assert OutboxRow.objects.get().state == OutboxState.DONE


def test_m24_the_30_days_stand_still_while_it_is_disconnected_on_purpose(
    people: People, connection: Connection
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        connecting.disconnect(connection, people.admin)
        clock.shift(timedelta(days=40))
        assert connection.down_time(timezone.now()) == timedelta(days=40)


def test_m24_one_that_was_lost_before_says_since_when_a_person_disconnected_it(
    people: People, connection: Connection
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        connection.mark_disconnected("invalid_grant", "expired")
        clock.shift(timedelta(days=2))
        connecting.disconnect(connection, people.admin)
        assert connection.down_since == timezone.now()
        clock.shift(timedelta(days=1))
        assert connection.down_time(timezone.now()) == timedelta(days=3)


def test_the_audit_says_who_disconnected(people: People, connection: Connection) -> None:
    logged_in(people.admin).post(f"{CONNECTION}disconnect/")
    entry = LogEntry.objects.get_for_object(connection).latest("pk")
    assert (entry.actor, entry.changes) == (people.admin, {"state": ["Connected", "Disconnected on purpose"]})


def test_one_that_salesforce_can_t_be_told_of_is_disconnected_anyway(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("http_error", status=503, match={"path": "oauth2/revoke"})
    html = logged_in(people.admin).post(f"{CONNECTION}disconnect/", follow=True).content.decode()
    assert html.count("Disconnected here, but Salesforce could not be told (HTTP_503: ") == 1
    assert Connection.objects.get().disconnected_by == people.admin


def test_a_session_is_ended_where_there_is_no_refresh_token(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    token = connection.access_token
    logged_in(people.admin).post(f"{CONNECTION}disconnect/")
    assert [each["path"] for each in sandbox.requests()][-1] == "/services/oauth2/revoke"
    assert Connection.objects.get().access_token != token


def test_crm_connect_brings_it_back_too(people: People, connection: Connection) -> None:
    connecting.disconnect(connection, people.admin)
    assert connecting.connect().connection.state == ConnectionState.CONNECTED
    assert Connection.objects.get().disconnected_by is None


def test_what_is_disconnected_on_purpose_is_neither_checked_nor_disconnected_again(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    connecting.disconnect(connection, people.admin)
    before, calls = Connection.objects.values().get(), sandbox.stats()["calls"]
    client = logged_in(people.admin)
    html = client.post(f"{CONNECTION}check/", follow=True).content.decode()
    assert html.count("It was disconnected on purpose.") == 1
    for method in (client.get, client.post):
        assert method(f"{CONNECTION}disconnect/")["Location"] == CONNECTION
    assert (Connection.objects.values().get(), sandbox.stats()["calls"]) == (before, calls)


@pytest.mark.parametrize(("method", "path"), [("post", "check/"), ("get", "disconnect/"), ("post", "disconnect/")])
def test_without_a_connection_there_is_nothing_to_do(site: Settings, people: People, method: str, path: str) -> None:
    assert getattr(logged_in(people.admin), method)(f"{CONNECTION}{path}").status_code == 404
