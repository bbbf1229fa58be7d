"""Connecting in the browser: to Salesforce and back, over HTTP."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from auditlog.models import LogEntry
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.utils import timezone
from pytest_django import Settings

from sandbox.codes import challenge_of
from sandbox.control import SandboxControl
from sync import connecting, consent, delivery, jobs, outbox
from sync.enums import AuthFlow, ConnectionState, TaskState
from sync.models import Connection, OutboxRow, PendingConnection
from tests.factories import TaskFactory
from tests.people import People, logged_in
from tests.sync.views.conftest import CONNECTION, Browser, refresh_tokens_work

pytestmark = pytest.mark.django_db(transaction=True)


def access_users(sandbox: SandboxControl) -> list[str]:
    return [user["Id"] for user in sandbox.rows("User") if user["IsActive"]]


@pytest.mark.parametrize(
    ("form", "host"),
    [
        ({"place": "production"}, "https://login.salesforce.com"),
        ({"place": "sandbox"}, "https://test.salesforce.com"),
        ({"place": "my_domain", "my_domain": "acme.my.salesforce.com"}, "https://acme.my.salesforce.com"),
        (
            {"place": "my_domain", "my_domain": " https://acme--test.sandbox.my.salesforce.com/home?x=1 "},
            "https://acme--test.sandbox.my.salesforce.com",
        ),
    ],
)
def test_it_sends_the_browser_to_the_chosen_place(browser: Browser, form: dict[str, str], host: str) -> None:
    response = browser.client.post(f"{CONNECTION}start/", form)
    address = urlsplit(response["Refresh"].removeprefix("0; url="))
    asked = {name: value for name, (value,) in parse_qs(address.query).items()}
    begun = browser.client.session["crm_consent"]
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{host}/services/oauth2/authorize"
    assert asked == {
        "response_type": "code",
        "client_id": "sandbox-client",
        "redirect_uri": f"http://testserver{CONNECTION}callback/",
        "scope": "api refresh_token",
        "prompt": "login consent",
        "state": begun["state"],
        "code_challenge": challenge_of(begun["verifier"]),
        "code_challenge_method": "S256",
    }
    assert len(begun["verifier"]) >= 43
    html = response.content.decode()
    assert (html.count(begun["verifier"]), html.count("sandbox-secret")) == (0, 0)


@pytest.mark.parametrize(
    ("my_domain", "error"),
    [
        ("", "Enter the org&#x27;s address, or choose Production or Sandbox."),
        ("acme.lightning.force.com", "the host is not Salesforce&#x27;s"),
        ("https://acme.my.salesforce.com.evil.example", "the host is not Salesforce&#x27;s"),
        ("http://acme.my.salesforce.com", "plain http is accepted for this machine"),
        ("https://user@acme.my.salesforce.com", "it must hold a host name only"),
        ("https://[", "it is not an address"),
        ("javascript:alert(1)", "it is not an address"),
    ],
)
def test_an_address_that_no_secret_may_be_sent_to_is_refused(browser: Browser, my_domain: str, error: str) -> None:
    response = browser.client.post(f"{CONNECTION}start/", {"place": "my_domain", "my_domain": my_domain})
    assert (response.status_code, response.content.decode().count(error)) == (400, 1)
    assert "crm_consent" not in browser.client.session


def test_plain_http_is_for_development_only(browser: Browser, site: Settings) -> None:
    site.PRODUCTION = True
    response = browser.client.post(f"{CONNECTION}start/", {"place": "my_domain", "my_domain": browser.sandbox.url})
    assert response.status_code == 400
    assert response.content.decode().count("plain http is for ENVIRONMENT=development only") == 1


@pytest.mark.parametrize("name", ["SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"])
def test_what_the_server_lacks_is_said_and_nobody_is_sent_away(browser: Browser, site: Settings, name: str) -> None:
    setattr(site, name, "")
    assert browser.client.get(CONNECTION).content.decode().count(f'<span class="pb-mono">{name}</span> is not set') == 1
    assert browser.client.post(f"{CONNECTION}start/", {"place": "production"}).status_code == 400


def test_it_is_opened_where_salesforce_sends_the_browser_back(browser: Browser, site: Settings) -> None:
    site.SITE_URL = "https://playbooks.example"
    html = browser.client.get(CONNECTION).content.decode()
    assert html.count(f'href="https://playbooks.example{CONNECTION}"') == 1
    assert browser.client.post(f"{CONNECTION}start/", {"place": "production"}).status_code == 400


def test_what_was_let_in_is_shown_and_counts_for_nothing_yet(browser: Browser, sandbox: SandboxControl) -> None:
    sandbox.change_schema(
        fields=[{"object": "Task", "name": "Play_Step__c", "hidden": True}],
        permissions={"Lead": {"read": False}},
        limits={"daily_used": 1000},
    )
    browser.log_in()
    html = browser.client.get(f"{CONNECTION}review/").content.decode()
    org = sandbox.rows("Organization")[0]
    pending = PendingConnection.objects.get()
    for words in (
        "Playbooks Access User (access.user@northwind.example)",
        access_users(sandbox)[0],
        org["Name"],
        org["Id"],
        "of 100,000, of the whole org",
        "The Access User may not read Lead: give it a permission set that allows it.",
        "Task: Play_Step__c don&#x27;t exist or are hidden, and are left out.",
    ):
        assert html.count(words) == 1, words
    assert (html.count(pending.access_token), html.count(pending.refresh_token)) == (0, 0)
    assert not Connection.objects.exists()


def test_m23_accepting_connects_and_what_waited_is_delivered(browser: Browser, sandbox: SandboxControl) -> None:
    task = TaskFactory.create(subject="Before the connection")
    browser.log_in(user_id=access_users(sandbox)[1])
    html = browser.answer("accept")
    connection = Connection.objects.get()
    assert html.count("What waited is being sent.") == 1
    assert (connection.state, connection.auth_flow) == (ConnectionState.CONNECTED, AuthFlow.WEB_SERVER)
    assert (connection.login_url, connection.access_user_id) == (sandbox.url, access_users(sandbox)[1])
    assert connection.org_name == sandbox.rows("Organization")[0]["Name"]
    assert not PendingConnection.objects.exists()
    delivery.deliver(connection.pk)
    task.refresh_from_db()
    assert (task.state, sandbox.row("Task", task.crm_id)["Subject"]) == (TaskState.COMPLETED, "Before the connection")
    sandbox.expire_sessions()
    later = TaskFactory.create(subject="After the session")
    outbox.enqueue_missing(connection)
    delivery.deliver(connection.pk)
    later.refresh_from_db()
    renewed = Connection.objects.get()
    assert sandbox.row("Task", later.crm_id)["Subject"] == "After the session"
    assert (renewed.token_number, renewed.refresh_token == connection.refresh_token) == (2, False)


def test_the_audit_says_who_connected_and_holds_no_token(browser: Browser, people: People) -> None:
    browser.log_in()
    browser.answer("accept")
    browser.log_in()
    browser.answer("accept")
    connection = Connection.objects.get()
    entries = list(LogEntry.objects.get_for_object(connection).order_by("pk"))
    assert {entry.actor for entry in entries} == {people.admin}
    assert entries[-1].changes["state"] == ["Connected", "Connected anew"]
    everything = str([entry.changes for entry in entries])
    assert (everything.count(connection.refresh_token), everything.count(connection.access_token)) == (0, 0)


def test_tokens_that_wait_are_encrypted(browser: Browser) -> None:
    browser.log_in()
    pending = PendingConnection.objects.get()
    with database.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token FROM sync_pendingconnection")
        stored = cursor.fetchone()
    assert [text.startswith("gAAAA") for text in stored] == [True, True]
    sessions = str([session.get_decoded() for session in Session.objects.all()])
    assert (sessions.count(pending.refresh_token), sessions.count(pending.access_token)) == (0, 0)


def test_discarding_revokes_and_changes_nothing(browser: Browser, sandbox: SandboxControl) -> None:
    browser.log_in()
    token = PendingConnection.objects.get().refresh_token
    assert browser.answer("discard").count("Discarded: nothing has changed, and Salesforce has ended that log-in.") == 1
    assert not refresh_tokens_work(sandbox, token)
    assert not PendingConnection.objects.exists()
    assert not Connection.objects.exists()


def test_discarding_when_salesforce_can_t_be_told(browser: Browser, sandbox: SandboxControl) -> None:
    browser.log_in()
    sandbox.add_fault("http_error", status=503, match={"path": "oauth2/revoke"})
    assert browser.answer("discard").count("Salesforce could not be told so (HTTP_503") == 1
    assert not PendingConnection.objects.exists()


@pytest.mark.parametrize("verb", ["accept", "discard"])
def test_nobody_else_decides(browser: Browser, people: People, verb: str) -> None:
    browser.log_in()
    pending = PendingConnection.objects.get()
    people.other_manager.role = "admin"
    people.other_manager.save()
    other = logged_in(people.other_manager)
    assert other.get(f"{CONNECTION}review/")["Location"] == CONNECTION
    assert other.post(f"{CONNECTION}{verb}/", {"pending": pending.uuid})["Location"] == CONNECTION
    assert PendingConnection.objects.get() == pending
    assert not Connection.objects.exists()


@pytest.mark.parametrize("verb", ["accept", "discard"])
def test_what_was_seen_is_what_is_decided(browser: Browser, verb: str) -> None:
    browser.log_in()
    seen = PendingConnection.objects.get().uuid
    browser.log_in()
    assert browser.client.post(f"{CONNECTION}{verb}/", {"pending": seen})["Location"] == CONNECTION
    assert PendingConnection.objects.get().uuid != seen
    assert not Connection.objects.exists()


def test_what_nobody_accepts_in_time_is_discarded(browser: Browser, sandbox: SandboxControl) -> None:
    browser.log_in()
    pending = PendingConnection.objects.get()
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        client = logged_in(pending.user)
        assert client.post(f"{CONNECTION}accept/", {"pending": pending.uuid})["Location"] == CONNECTION
        assert not Connection.objects.exists()
        jobs.discard_unaccepted()
        assert PendingConnection.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(minutes=36)):
        jobs.discard_unaccepted()
    assert not PendingConnection.objects.exists()
    assert not refresh_tokens_work(sandbox, pending.refresh_token)


def test_what_was_accepted_and_then_went_wrong_is_not_revoked_as_unaccepted(
    browser: Browser, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.log_in()
    pending = PendingConnection.objects.get()
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "enqueue_missing", lambda _connection: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            consent.accept(pending, pending.user)
    assert Connection.objects.get().refresh_token == pending.refresh_token
    assert (consent.accept(pending, pending.user), consent.discard(pending)) == (None, None)
    with time_machine.travel(timezone.now() + timedelta(minutes=36)):
        jobs.discard_unaccepted()
    assert refresh_tokens_work(sandbox, pending.refresh_token)


def test_what_no_key_reads_any_more_keeps_nobody_from_beginning_again(browser: Browser, site: Settings) -> None:
    browser.log_in()
    first = PendingConnection.objects.get()
    site.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    browser.log_in()
    second = PendingConnection.objects.get()
    assert second.uuid != first.uuid
    site.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert browser.client.get(f"{CONNECTION}review/").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=36)):
        jobs.discard_unaccepted()
    assert not PendingConnection.objects.exists()


def test_a_second_log_in_takes_the_first_one_s_place(browser: Browser, sandbox: SandboxControl) -> None:
    browser.log_in()
    first = PendingConnection.objects.get().refresh_token
    browser.log_in()
    assert PendingConnection.objects.count() == 1
    assert not refresh_tokens_work(sandbox, first)


def test_of_two_log_ins_that_come_back_at_once_the_later_takes_the_other_s_place(
    browser: Browser, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.log_in()
    rival = PendingConnection.objects.get()
    discard = consent.discard
    came_between: list[str] = []

    def discard_and_lose_the_race(pending: PendingConnection) -> None:
        discard(pending)
        if not came_between:
            rival.save(force_insert=True)
            came_between.append(rival.refresh_token)

    monkeypatch.setattr(consent, "discard", discard_and_lose_the_race)
    browser.log_in()
    kept = PendingConnection.objects.get()
    assert kept.refresh_token not in came_between
    assert refresh_tokens_work(sandbox, kept.refresh_token)


def refused(browser: Browser, path: str) -> str:
    response = browser.client.get(path)
    html = response.content.decode()
    assert (response.status_code, html.count("Nothing has changed.")) == (400, 1)
    assert not PendingConnection.objects.exists()
    return html


STALE = "This answer fits no log-in that you began here"


def test_denied(browser: Browser) -> None:
    html = refused(browser, browser.decide(browser.begin(), "deny"))
    assert html.count("access_denied: end-user denied authorization") == 1
    assert html.count("begin again and choose Allow.") == 1


def test_an_app_that_an_admin_of_the_org_has_blocked(browser: Browser, sandbox: SandboxControl) -> None:
    sandbox.add_fault("consent_refused")
    html = refused(browser, browser.decide(browser.begin()))
    assert html.count("OAUTH_APP_BLOCKED: this app is blocked by admin") == 1


def test_a_forged_answer_changes_nothing_and_ends_nothing(browser: Browser) -> None:
    address = browser.begin()
    html = refused(browser, f"{CONNECTION}callback/?code=aPrxForged&state=forged&error_description=%3Cb%3EHa")
    assert (html.count(STALE), html.count("Ha")) == (1, 0)
    assert browser.client.get(browser.decide(address)).status_code == 302


def test_an_answer_works_once(browser: Browser, sandbox: SandboxControl) -> None:
    back = browser.decide(browser.begin())
    assert browser.client.get(back).status_code == 302
    PendingConnection.objects.all().delete()
    calls = sandbox.stats()["token_calls"]
    assert refused(browser, back).count(STALE) == 1
    assert sandbox.stats()["token_calls"] == calls


def test_an_answer_is_for_the_session_that_asked(browser: Browser, people: People) -> None:
    back = browser.decide(browser.begin())
    other = Browser(logged_in(people.admin), browser.sandbox)
    assert refused(other, back).count(STALE) == 1


def test_an_answer_is_for_the_user_who_asked(browser: Browser, people: People) -> None:
    back = browser.decide(browser.begin())
    session = browser.client.session
    session["crm_consent"] = {**session["crm_consent"], "user_pk": people.manager.pk}
    session.save()
    assert refused(browser, back).count(STALE) == 1


def test_an_answer_must_come_in_time(browser: Browser) -> None:
    back = browser.decide(browser.begin())
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert refused(browser, back).count(STALE) == 1


def test_what_the_session_holds_may_be_another_version_s(browser: Browser) -> None:
    session = browser.client.session
    session["crm_consent"] = {"state": "x"}
    session.save()
    assert refused(browser, f"{CONNECTION}callback/?code=x&state=x").count(STALE) == 1


def test_a_code_that_has_ended(browser: Browser, sandbox: SandboxControl) -> None:
    sandbox.change_schema(code_seconds=0)
    html = refused(browser, browser.decide(browser.begin()))
    assert html.count("invalid_grant: expired authorization code") == 1


def test_an_answer_without_a_code(browser: Browser) -> None:
    browser.begin()
    state = browser.client.session["crm_consent"]["state"]
    assert refused(browser, f"{CONNECTION}callback/?state={state}").count("Salesforce sent no code.") == 1


def test_a_wrong_secret(browser: Browser, site: Settings) -> None:
    back = browser.decide(browser.begin())
    site.SALESFORCE_CLIENT_SECRET = "wrong"
    html = refused(browser, back)
    assert html.count("invalid_client: invalid client credentials") == 1
    assert html.count("Copy the app&#x27;s consumer secret again.") == 1


def test_a_scope_that_the_app_lacks(browser: Browser, sandbox: SandboxControl) -> None:
    sandbox.register_client("sandbox-client", scopes=["api"])
    browser.begin()
    state = browser.client.session["crm_consent"]["state"]
    html = refused(browser, f"{CONNECTION}callback/?error=invalid_scope&error_description=no&state={state}")
    assert html.count("Give it api and refresh_token") == 1


def test_without_a_refresh_token_nothing_is_kept(browser: Browser, sandbox: SandboxControl) -> None:
    back = browser.decide(browser.begin())
    token = {"access_token": "short-lived", "instance_url": sandbox.url, "id": f"{sandbox.url}/id/x/y"}
    sandbox.add_fault("http_error", status=200, body=token, match={"path": "oauth2/token"})
    assert refused(browser, back).count("Salesforce gave no refresh token") == 1


def test_a_user_without_the_api_is_refused_and_revoked(browser: Browser, sandbox: SandboxControl) -> None:
    back = browser.decide(browser.begin())
    sandbox.add_fault("api_disabled")
    html = refused(browser, back)
    assert html.count("API_DISABLED_FOR_ORG: API is not enabled for this Organization or Partner") == 1
    assert [each["path"] for each in sandbox.requests()][-1] == "/services/oauth2/revoke"


def test_another_org_is_refused_with_both_ids_and_revoked(
    browser: Browser, connection: Connection, sandbox: SandboxControl
) -> None:
    Connection.objects.update(org_id="00D000000000001EAA")
    before = Connection.objects.values().get()
    html = refused(browser, browser.decide(browser.begin()))
    assert html.count(f"You logged in to the org {connection.org_id}, but") == 1
    assert html.count("is connected to 00D000000000001EAA.") == 1
    assert Connection.objects.values().get() == before
    assert [each["path"] for each in sandbox.requests()][-1] == "/services/oauth2/revoke"


def test_another_org_that_was_connected_meanwhile_is_refused_at_the_end(
    browser: Browser, sandbox: SandboxControl
) -> None:
    browser.log_in()
    token = PendingConnection.objects.get().refresh_token
    connecting.connect()
    Connection.objects.update(org_id="00D000000000001EAA")
    assert browser.answer("accept").count("is connected to 00D000000000001EAA.") == 1
    assert Connection.objects.get().auth_flow == AuthFlow.CLIENT_CREDENTIALS
    assert not refresh_tokens_work(sandbox, token)


def test_both_ways_of_connecting_take_each_other_s_place(
    browser: Browser, connection: Connection, sandbox: SandboxControl
) -> None:
    browser.log_in()
    html = browser.client.get(f"{CONNECTION}review/").content.decode()
    assert html.count("Until now the server signed in by itself (Client credentials).") == 1
    browser.answer("accept")
    in_browser = Connection.objects.get()
    assert (in_browser.pk, in_browser.auth_flow) == (connection.pk, AuthFlow.WEB_SERVER)
    connecting.connect()
    again = Connection.objects.get()
    assert (again.auth_flow, again.refresh_token) == (AuthFlow.CLIENT_CREDENTIALS, "")
    assert not refresh_tokens_work(sandbox, in_browser.refresh_token)


def test_reconnecting_as_another_user_says_so_and_revokes_the_old_log_in(
    browser: Browser, sandbox: SandboxControl
) -> None:
    browser.log_in()
    browser.answer("accept")
    first = Connection.objects.get()
    browser.log_in(user_id=access_users(sandbox)[1])
    html = browser.client.get(f"{CONNECTION}review/").content.decode()
    assert html.count("Until now it was Playbooks Access User (access.user@northwind.example).") == 1
    browser.answer("accept")
    second = Connection.objects.get()
    assert (second.pk, second.access_user_id) == (first.pk, access_users(sandbox)[1])
    assert not refresh_tokens_work(sandbox, first.refresh_token)
    assert refresh_tokens_work(sandbox, second.refresh_token)


def test_m23_a_revoked_log_in_is_lost_and_comes_back_by_the_browser_alone(
    browser: Browser, sandbox: SandboxControl
) -> None:
    browser.log_in()
    browser.answer("accept")
    sandbox.expire_sessions(refresh_tokens=True)
    TaskFactory.create()
    connection = Connection.objects.get()
    outbox.enqueue_missing(connection)
    delivery.deliver(connection.pk)
    lost = Connection.objects.get()
    assert (lost.state, lost.error_code) == (ConnectionState.DISCONNECTED, "invalid_grant")
    jobs.reconnect()
    lost.refresh_from_db()
    assert (lost.state, lost.error_message) == (ConnectionState.DISCONNECTED, "expired access/refresh token")
    browser.log_in()
    browser.answer("accept")
    delivery.deliver(connection.pk)
    assert Connection.objects.get().state == ConnectionState.CONNECTED
    assert OutboxRow.objects.get().state == "done"


def test_m23_the_reconnect_job_uses_the_refresh_token_and_keeps_the_rotated_one(
    browser: Browser, sandbox: SandboxControl
) -> None:
    browser.log_in()
    browser.answer("accept")
    connection = Connection.objects.get()
    connection.mark_disconnected("API_DISABLED_FOR_ORG", "API is not enabled")
    fault = sandbox.add_fault("api_disabled")
    jobs.reconnect()
    still = Connection.objects.get()
    assert (still.state, still.token_number) == (ConnectionState.DISCONNECTED, connection.token_number + 1)
    assert still.refresh_token != connection.refresh_token
    sandbox.remove_fault(fault["id"])
    jobs.reconnect()
    back = Connection.objects.get()
    assert (back.state, back.auth_flow) == (ConnectionState.CONNECTED, AuthFlow.WEB_SERVER)
    assert refresh_tokens_work(sandbox, back.refresh_token)


def test_without_rotation_the_refresh_token_stays(browser: Browser, sandbox: SandboxControl) -> None:
    sandbox.change_schema(rotate_refresh_tokens=False)
    browser.log_in()
    browser.answer("accept")
    before = Connection.objects.get().refresh_token
    sandbox.expire_sessions()
    connecting.gateway(Connection.objects.get()).read_usage()
    connecting.forget_gateways()
    after = Connection.objects.get()
    assert (after.refresh_token, after.token_number) == (before, 2)


ADDRESSES = [
    ("get", ""),
    ("post", "check/"),
    ("get", "disconnect/"),
    ("post", "disconnect/"),
    ("post", "start/"),
    ("get", "callback/"),
    ("get", "review/"),
    ("post", "accept/"),
    ("post", "discard/"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_it_is_the_admins_alone(site: Settings, people: People, method: str, path: str) -> None:
    for user in (people.manager, people.other_manager, people.rep):
        assert getattr(logged_in(user), method)(f"{CONNECTION}{path}").status_code == 403
    stranger = logged_in(people.admin)
    stranger.logout()
    assert getattr(stranger, method)(f"{CONNECTION}{path}").status_code == 302
    people.admin.is_active = False
    people.admin.save()
    assert getattr(logged_in(people.admin), method)(f"{CONNECTION}{path}").status_code == 302


@pytest.mark.parametrize("path", ["check/", "accept/", "discard/"])
def test_what_changes_something_is_no_link(browser: Browser, path: str) -> None:
    assert browser.client.get(f"{CONNECTION}{path}").status_code == 405


def test_a_refused_forms_address_entered_again_leads_to_the_page_and_begins_nothing(browser: Browser) -> None:
    answer = browser.client.get(f"{CONNECTION}start/")
    assert (answer.status_code, answer["Location"]) == (302, CONNECTION)
    assert "crm_consent" not in browser.client.session


@pytest.mark.parametrize("path", ["check/", "disconnect/", "start/", "accept/", "discard/"])
def test_forged_forms_are_refused(browser: Browser, people: People, path: str) -> None:
    browser.client.handler.enforce_csrf_checks = True
    assert browser.client.post(f"{CONNECTION}{path}").status_code == 403
