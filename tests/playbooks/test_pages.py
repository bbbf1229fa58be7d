"""The pages around the apps: the start, logging in and out, errors."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.views.defaults import bad_request, permission_denied, server_error
from pytest_django import DjangoAssertNumQueries

from playbooks import urls
from tests.people import PASSWORD, People, logged_in, people

__all__ = ["people"]


def break_down(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the secret reason")


urlpatterns = [*urls.urlpatterns, path("break/", break_down)]


def test_start_strangers_log_in(db: None) -> None:
    assert Client().get("/")["Location"] == "/accounts/login/?next=/"


def test_start_managers_and_admins_go_to_the_manager_app(people: People) -> None:
    assert logged_in(people.manager).get("/")["Location"] == "/manager/"
    assert logged_in(people.admin).get("/")["Location"] == "/manager/"


def test_start_reps_go_to_their_tasks(people: People) -> None:
    assert logged_in(people.rep).get("/")["Location"] == "/tasks/"


@pytest.mark.parametrize("url", ["/manager/", "/manager/sync/task/", "/manager/nothing/", "/manager/search/"])
def test_rep_at_the_manager_app_is_told_so(people: People, url: str) -> None:
    response = logged_in(people.rep).get(url)
    assert (response.status_code, response.templates[0].name) == (403, "403.html")
    assert response.content.decode().count('href="/"') == 1


def test_stranger_at_the_manager_app_logs_in_and_comes_back(people: People) -> None:
    chain = Client().get("/manager/sync/task/", follow=True).redirect_chain
    assert [url for url, _status in chain] == [
        "/manager/login/?next=/manager/sync/task/",
        "/accounts/login/?next=%2Fmanager%2Fsync%2Ftask%2F",
    ]


def test_the_admins_own_pages_for_passwords_lead_to_the_one_for_everyone(people: People) -> None:
    client = logged_in(people.manager)
    assert client.get("/manager/password_change/")["Location"] == "/accounts/password/change/"


@pytest.mark.parametrize("url", ["/logout/", "/manager/logout/", "/accounts/logout/"])
def test_log_out(people: People, url: str) -> None:
    client = logged_in(people.rep)
    assert client.get(url).status_code == (200 if url.startswith("/accounts") else 405)
    assert client.post(url)["Location"] == "/accounts/login/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("400", "This request can't be read"),
        ("403", "This isn't yours to see"),
        ("403_csrf", "This form has grown old"),
        ("404", "There is nothing here"),
        ("429", "Too many tries in a short time"),
        ("500", "Something went wrong on our side"),
    ],
)
def test_error_page_is_whole_without_context_or_static_files(name: str, heading: str) -> None:
    html = get_template(f"{name}.html").render()
    assert html.count(f"<h1>{heading}</h1>") == 1
    assert html.count("/static/") == 0
    assert html.count("<script") == 0


def test_error_pages_without_a_query(
    db: None, rf: RequestFactory, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = rf.get("/")
    with django_assert_num_queries(0):
        answers = [bad_request(request, ValueError()), permission_denied(request, ValueError()), server_error(request)]
    assert [answer.status_code for answer in answers] == [400, 403, 500]


def test_error_404(db: None) -> None:
    response = Client().get("/nothing/")
    assert (response.status_code, response.templates[0].name) == (404, "404.html")


def test_error_403_csrf(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "mia@example.com", "password": PASSWORD})
    assert (response.status_code, response.templates[0].name) == (403, "403_csrf.html")


@override_settings(ROOT_URLCONF="tests.playbooks.test_pages")
def test_error_500_tells_nothing_of_the_reason(db: None) -> None:
    response = Client(raise_request_exception=False).get("/break/")
    assert response.status_code == 500
    assert response.content.decode().count("secret") == 0
    assert response.content.decode().count("<h1>Something went wrong on our side</h1>") == 1


@override_settings(ALLOWED_HOSTS=["playbooks.example"])
def test_error_400_for_a_strange_host(db: None) -> None:
    response = Client().get("/", headers={"host": "evil.example"})
    assert (response.status_code, response.content.decode().count("Error 400.")) == (400, 1)
