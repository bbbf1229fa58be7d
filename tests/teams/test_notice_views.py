"""Everyone's own notices: the list, the bell, and how they are told."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from teams import notices
from teams.models import Notice, NoticeKind, User
from teams.notice_choices import Channels, choices_of
from tests.people import People, logged_in, people

__all__ = ["people"]

PAGE = "/notices/"
CHOICES = "/settings/notices/"
ERRORS = NoticeKind.ERRORS


def tell(user: User, title: str = "Something needs you", path: str = "/manager/") -> Notice:
    notices.tell([user], ERRORS, title=title, text="Why.", path=path)
    return Notice.objects.latest("pk")


@pytest.mark.parametrize("path", [PAGE, CHOICES])
def test_everyone_has_the_pages_and_strangers_log_in_first(people: People, path: str, client: Client) -> None:
    for user in (people.rep, people.manager, people.admin):
        assert logged_in(user).get(path).status_code == 200
    assert client.get(path).status_code == 302


def test_the_list_is_ones_own(people: People) -> None:
    tell(people.manager, "Mia's")
    tell(people.admin, "Ada's")
    html = logged_in(people.admin).get(PAGE).content.decode()
    assert [html.count(words) > 0 for words in ("Ada&#x27;s", "Mia&#x27;s")] == [True, False]


@pytest.mark.parametrize("count", [3, 300])
def test_queries_do_not_grow(people: People, count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(count):
        tell(people.rep, f"Notice {number}")
    client = logged_in(people.rep)
    client.get(PAGE)
    with django_assert_num_queries(6):
        assert len(client.get(PAGE).context["notices"]) == min(count, 30)


@pytest.mark.parametrize(("count", "shown"), [(0, ""), (1, "1"), (99, "99"), (100, "99+")])
def test_the_bell_says_how_many_wait(people: People, count: int, shown: str) -> None:
    Notice.objects.bulk_create(Notice(user=people.manager, kind=ERRORS, title="T") for _number in range(count))
    for path in ("/manager/", PAGE):
        html = logged_in(people.manager).get(path).content.decode()
        assert html.count("pb-bell-count") == bool(count)
        assert html.count(f"Notices: {shown or 'none'} unread") == 1


def test_reading_one(people: People) -> None:
    notice, other = tell(people.rep), tell(people.rep)
    response = logged_in(people.rep).post(f"{PAGE}{notice.uuid}/read/")
    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert list(Notice.objects.unread()) == [other]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/manager/", "/manager/"), ("", PAGE), ("//evil.example", PAGE), ("https://evil.example/", PAGE)],
)
def test_opening_one_marks_it_as_read_and_leads_to_the_page_that_helps(
    people: People, path: str, leads_to: str
) -> None:
    notice = tell(people.rep, path=path)
    response = logged_in(people.rep).post(f"{PAGE}{notice.uuid}/read/", {"open": "yes"})
    assert response["Location"] == leads_to
    assert Notice.objects.unread().count() == 0


def test_nobody_reads_anothers(people: People) -> None:
    notice = tell(people.rep)
    for user in (people.manager, people.admin, people.other_rep):
        client = logged_in(user)
        assert client.post(f"{PAGE}{notice.uuid}/read/").status_code == 404
        client.post(f"{PAGE}read/")
    assert Notice.objects.unread().count() == 1


def test_reading_all(people: People) -> None:
    tell(people.rep)
    tell(people.rep)
    response = logged_in(people.rep).post(f"{PAGE}read/", follow=True)
    assert [str(message) for message in response.context["messages"]] == ["2 notices were marked as read."]
    assert Notice.objects.unread().count() == 0


@pytest.mark.parametrize("path", ["read/", "{uuid}/read/"])
def test_a_link_reads_nothing(people: People, path: str) -> None:
    notice = tell(people.rep)
    assert logged_in(people.rep).get(PAGE + path.format(uuid=notice.uuid)).status_code == 405


def test_a_notice_is_no_markup(people: People) -> None:
    tell(people.rep, "<script>alert(1)</script>")
    assert logged_in(people.rep).get(PAGE).content.decode().count("<script>alert") == 0


def test_choosing(people: People) -> None:
    client = logged_in(people.manager)
    response = client.post(CHOICES, {"errors_page": "on", "connection_email": "on"})
    assert (response.status_code, response["Location"]) == (302, CHOICES)
    neither = Channels(on_page=False, by_email=False)
    assert choices_of(people.manager) == {
        NoticeKind.CONNECTION: Channels(on_page=False, by_email=True),
        NoticeKind.ERRORS: Channels(on_page=True, by_email=False),
        NoticeKind.FILE_READY: neither,
        NoticeKind.CRM_USERS: neither,
    }
    form = client.get(CHOICES).context["form"]
    assert [name for name in form.fields if form.get_initial_for_field(form.fields[name], name)] == [
        "connection_email",
        "errors_page",
    ]


def test_a_rep_chooses_only_what_concerns_reps(people: People) -> None:
    logged_in(people.rep).post(CHOICES, {"file_ready_page": "on", "connection_page": "on", "connection_email": "on"})
    assert choices_of(people.rep) == {NoticeKind.FILE_READY: Channels(on_page=True, by_email=False)}
    assert people.rep.notice_choices.count() == 1


def test_what_is_on_no_page_is_not_in_the_list(people: People) -> None:
    Notice.objects.create(user=people.rep, kind=ERRORS, title="By e-mail", on_page=False, read_at=timezone.now())
    assert list(logged_in(people.rep).get(PAGE).context["notices"]) == []
