"""Logging in and out, a new password, throttling, and sessions that end."""

import re
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as site
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from pytest_django import Settings

from teams.models import User
from tests.people import PASSWORD, People, logged_in
from tests.teams.logging_in import LOG_IN, log_in

RESET = "/accounts/password/reset/"
NEW = "a new one that is long"


def link_in(text: str) -> str:
    """The path of the only link in a mail to choose a password."""
    [path] = re.findall(rf"{re.escape(site.SITE_URL)}(/accounts/password/reset/key/\S+)", text)
    return str(path)


def choose(path: str, password: str = NEW) -> tuple[int, str]:
    """Follow a link and send the form; the status, and where it led."""
    client = Client()
    response = client.get(path, follow=True)
    url = response.redirect_chain[-1][0] if response.redirect_chain else path
    answer = client.post(url, {"password1": password, "password2": password})
    return answer.status_code, answer.get("Location", "")


@pytest.mark.parametrize(
    ("email", "next_url", "leads_to"),
    [
        ("MIA@example.com", "", "/"),
        (" mia@example.com ", "/manager/sync/task/", "/manager/sync/task/"),
        ("mia@example.com", "https://evil.example/", "/"),
        ("mia@example.com", "//evil.example/", "/"),
        ("rosa@example.com", "", "/"),
    ],
)
def test_log_in_leads_on_within_this_site(people: People, email: str, next_url: str, leads_to: str) -> None:
    response = log_in(email, next=next_url)
    assert (response.status_code, response["Location"]) == (302, leads_to)


@pytest.mark.parametrize("email", ["mia@example.com", "nobody@example.com", "rosa@example.com"])
def test_log_in_wrong_tells_neither_who_works_here_nor_who_was_deactivated(people: People, email: str) -> None:
    User.objects.filter(pk=people.rep.pk).update(is_active=False)
    password = PASSWORD if email == "rosa@example.com" else "wrong"
    response = Client().post(LOG_IN, {"login": email, "password": password})
    assert response.status_code == 200
    assert response.context["form"].non_field_errors() == [
        "E-mail and password don't fit together, or the user is deactivated."
    ]


def test_log_in_forged_is_refused(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(LOG_IN, {"login": "mia@example.com", "password": PASSWORD}).status_code == 403


@pytest.mark.parametrize(("remember", "ends_with_browser"), [("", True), ("on", False)])
def test_log_in_lasts_as_chosen(people: People, remember: str, ends_with_browser: bool) -> None:
    client = Client()
    log_in("mia@example.com", client=client, **({"remember": remember} if remember else {}))
    assert client.session.get_expire_at_browser_close() is ends_with_browser
    assert client.session.get_expiry_age() == site.SESSION_COOKIE_AGE


def test_log_in_wrong_too_often_is_throttled_for_this_address_alone(people: People) -> None:
    for _ in range(5):
        log_in("mia@example.com", "wrong")
    response = Client().post(LOG_IN, {"login": "MIA@example.com", "password": PASSWORD})
    assert response.context["form"].non_field_errors() == [
        "Too many wrong tries. Wait five minutes, or ask for a new password."
    ]
    assert log_in("rosa@example.com").status_code == 302


def test_log_in_wrong_too_often_is_throttled_whatever_host_the_request_names(people: People) -> None:
    for port in range(8001, 8006):
        log_in("mia@example.com", "wrong", client=Client(headers={"host": f"localhost:{port}"}))
    elsewhere = Client(headers={"host": "127.0.0.1:9000"})
    assert log_in("mia@example.com", client=elsewhere).status_code == 200


def test_log_in_counts_wrong_tries_by_visitor_whatever_they_claim(people: People) -> None:
    for number in range(50):
        Client().post(
            LOG_IN,
            {"login": f"u{number}@example.com", "password": "x"},
            headers={"x-forwarded-for": f"10.0.0.{number}"},
        )
    response = Client().post(LOG_IN, {"login": "mia@example.com", "password": PASSWORD})
    assert response.context["form"].non_field_errors() == [
        "Too many wrong tries. Wait five minutes, or ask for a new password."
    ]


def test_log_in_behind_a_proxy_counts_the_address_that_the_proxy_saw(people: People, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for _ in range(50):
        Client().post(
            LOG_IN, {"login": "x@example.com", "password": "x"}, headers={"x-forwarded-for": "6.6.6.6, 10.1.1.1"}
        )
    elsewhere = {"x-forwarded-for": "10.1.1.1, 10.2.2.2"}
    data = {"login": "mia@example.com", "password": PASSWORD}
    assert Client().post(LOG_IN, data, headers=elsewhere).status_code == 302


def test_too_many_requests_have_a_clear_page(people: People) -> None:
    client = Client()
    answers = [client.post(RESET, {"email": "mia@example.com"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 5 + [429]
    assert answers[-1].templates[0].name == "429.html"
    assert len(mail.outbox) == 5


def test_reset_by_mail_then_the_new_password_and_no_other(people: People) -> None:
    for _ in range(5):
        log_in("mia@example.com", "wrong")  # throttled: the new password lets in at once
    response = Client().post(RESET, {"email": "MIA@example.com"})
    assert (response.status_code, response["Location"]) == (302, "/accounts/password/reset/done/")
    [message] = mail.outbox
    assert (message.to, message.subject) == (["mia@example.com"], "Choose a new password for Playbooks")
    path = link_in(str(message.body))
    assert choose(path) == (302, "/accounts/password/reset/key/done/")
    assert log_in("mia@example.com", NEW)["Location"] == "/"
    assert Client().get(path).templates[0].name == "account/password_reset_from_key.html"
    assert choose(path, "yet another long one")[0] == 200
    assert log_in("mia@example.com", NEW).status_code == 302


def test_reset_link_names_this_site_whatever_the_request_says(people: People, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Client().post(RESET, {"email": "mia@example.com"}, headers={"host": "evil.example"})
    assert str(mail.outbox[0].body).count("evil.example") == 0
    assert link_in(str(mail.outbox[0].body)).startswith("/accounts/password/reset/key/")


@pytest.mark.parametrize("email", ["nobody@example.com", "rosa@example.com"])
def test_reset_answers_alike_for_whoever_has_no_access(people: People, email: str) -> None:
    User.objects.filter(pk=people.rep.pk).update(is_active=False)
    response = Client().post(RESET, {"email": email})
    assert (response.status_code, response["Location"]) == (302, "/accounts/password/reset/done/")
    [message] = mail.outbox
    assert message.subject == "Nobody can log in to Playbooks with this address"
    assert str(message.body).count("/accounts/") == 0


def test_reset_says_when_no_mail_can_be_sent(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise OSError("no mail server")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    answers = [Client().post(RESET, {"email": email}) for email in ("mia@example.com", "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].content == answers[1].content
    assert answers[0].content.decode().count("<h1>No mail was sent</h1>") == 1


def test_reset_weak_password_is_refused_beside_the_field(people: People) -> None:
    Client().post(RESET, {"email": "mia@example.com"})
    assert choose(link_in(str(mail.outbox[0].body)), "short")[0] == 200
    assert log_in("mia@example.com").status_code == 302


def test_password_change_ends_all_other_sessions(people: People) -> None:
    here, elsewhere = Client(), Client()
    log_in("mia@example.com", client=here)
    log_in("mia@example.com", client=elsewhere)
    data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/accounts/password/change/", data)["Location"] == "/settings/profile/"
    assert here.get("/settings/profile/").status_code == 200
    assert elsewhere.get("/settings/profile/")["Location"] == "/accounts/login/?next=/settings/profile/"
    assert mail.outbox[0].subject == "Your password for Playbooks was changed"
    assert [NEW in str(message.body) for message in mail.outbox] == [False]


def test_password_change_stands_when_the_mail_about_it_fails(
    people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_args: object) -> int:
        raise OSError("no mail server")

    client = Client()
    log_in("mia@example.com", client=client)
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", data).status_code == 302
    assert log_in("mia@example.com", NEW).status_code == 302
    assert [record.message for record in caplog.records if record.name == "teams.sign_in"] == [
        "A notice about a changed log-in could not be sent"
    ]


def test_password_change_needs_the_old_one(people: People) -> None:
    data = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    response = logged_in(people.rep).post("/accounts/password/change/", data)
    assert response.context["form"].errors == {"oldpassword": ["This is not your password."]}


@pytest.mark.parametrize("url", ["/manager/", "/settings/profile/", "/accounts/2fa/"])
def test_deactivated_is_out_at_the_very_next_request_and_stays_out(people: People, url: str) -> None:
    client = logged_in(people.manager)
    assert client.get(url).status_code == 200
    User.objects.filter(pk=people.manager.pk).update(is_active=False)
    assert client.get(url).status_code == 302
    User.objects.filter(pk=people.manager.pk).update(is_active=True)
    assert client.get(url).status_code == 302


def deactivate_by_update(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def deactivate_by_save(user: User) -> None:
    user = User.objects.get(pk=user.pk)
    user.is_active = False
    user.save(update_fields=["is_active"])


def deactivate_on_the_page(user: User) -> None:
    form = {"name": user.name, "email": user.email, "role": user.role, "mail_provider": "none"}
    admin = User.objects.get(email="ada@example.com")
    assert logged_in(admin).post(f"/manager/teams/user/{user.uuid}/change/", form).status_code == 302


def deactivate_in_the_list(user: User) -> None:
    admin = User.objects.get(email="ada@example.com")
    data = {"action": "deactivate", "_selected_action": [str(user.pk)]}
    assert logged_in(admin).post("/manager/teams/user/", data).status_code == 302


@pytest.mark.parametrize(
    "deactivate", [deactivate_by_update, deactivate_by_save, deactivate_on_the_page, deactivate_in_the_list]
)
def test_deactivated_and_activated_again_while_away_must_log_in_anew(
    people: People, deactivate: Callable[[User], None]
) -> None:
    client = logged_in(people.manager)
    deactivate(people.manager)
    assert not User.objects.get(pk=people.manager.pk).is_active
    User.objects.filter(pk=people.manager.pk).update(is_active=True)
    assert client.get("/settings/profile/").status_code == 302
    people.manager.refresh_from_db()
    again = logged_in(people.manager)
    people.manager.save()
    assert again.get("/settings/profile/").status_code == 200


def test_deactivated_and_activated_again_needs_a_new_link_for_the_password(people: People) -> None:
    Client().post(RESET, {"email": "rosa@example.com"})
    path = link_in(str(mail.outbox[0].body))
    deactivate_by_update(people.rep)
    assert choose(path) == (200, "")
    User.objects.filter(pk=people.rep.pk).update(is_active=True)
    assert choose(path) == (200, "")
    assert log_in("rosa@example.com").status_code == 302


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/accounts/signup/", 404),
        ("/accounts/email/", 404),
        ("/accounts/confirm-email/", 404),
        ("/accounts/3rdparty/", 404),
        ("/accounts/3rdparty/signup/", 404),
        ("/accounts/social/connections/", 404),
        ("/accounts/google/login/", 404),
        ("/accounts/microsoft/login/", 404),
        ("/accounts/google/login/token/", 404),
        ("/accounts/google/login/callback/", 404),
    ],
)
def test_what_nobody_needs_is_not_there(people: People, url: str, status: int) -> None:
    assert Client().get(url).status_code == status
    assert logged_in(people.admin).post(url).status_code == status


def test_user_email_stays_the_only_address(people: People) -> None:
    log_in("mia@example.com")
    Client().post(RESET, {"email": "mia@example.com"})
    choose(link_in(str(mail.outbox[0].body)))
    assert EmailAddress.objects.count() == 0
