"""The page of errors: scoped, in the CRM's words, and with a button that asks first."""

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries

from sync import error_cards
from sync.enums import DecisionCode, FailureMode, OutboxState
from sync.errors import RowError
from sync.models import Connection, Decision, OutboxRow
from tests.factories import ConnectionFactory
from tests.people import People, logged_in, people
from tests.sync.failing import LONG, RULE, refuse

__all__ = ["people"]

PAGE = "/manager/settings/crm/task-sync/errors/"
TASKS = "/manager/sync/task/"


@pytest.fixture
def org(people: People) -> Connection:
    return ConnectionFactory.create()


def retry_url(people: People) -> str:
    [card] = error_cards.cards(people.admin)
    return f"{PAGE}{card.signature}/retry/"


def retried() -> int:
    return Decision.objects.filter(code=DecisionCode.RETRIED_BY_HAND).count()


def test_m25_the_page_shows_the_crms_words_what_they_mean_and_who_can_mend_it(org: Connection, people: People) -> None:
    refuse(org, people.rep, RULE, 2)
    html = logged_in(people.manager).get(PAGE).content.decode()
    for words in (
        RULE.code,
        RULE.message,
        "A validation rule of your org refuses the Task.",
        "Setup › Object Manager › Activity › Validation Rules",  # noqa: RUF001
        "an admin can mend it",
        "2 tasks",
    ):
        assert (words, html.count(words) > 0) == (words, True)


def test_m25_a_tasks_page_says_what_its_last_error_means(org: Connection, people: People) -> None:
    [task] = refuse(org, people.rep, LONG)
    html = logged_in(people.manager).get(f"{TASKS}{task.uuid}/change/").content.decode()
    assert html.count("A text is longer than its field in the CRM.") == 1
    assert html.count("Make the field that the message names longer") == 1


def test_the_crms_words_are_no_markup(org: Connection, people: People) -> None:
    refuse(org, people.rep, RowError(FailureMode.DATA, "<b>CODE", "<script>alert(1)</script>"))
    html = logged_in(people.admin).get(PAGE).content.decode()
    assert (html.count("<script>alert"), html.count("<b>CODE"), html.count("&lt;script&gt;alert(1)")) == (0, 0, 1)


def test_another_managers_errors_are_invisible(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG)
    refuse(org, people.other_rep, RULE)
    html = logged_in(people.manager).get(PAGE).content.decode()
    assert [html.count(words) > 0 for words in (LONG.message, RULE.message)] == [True, False]


@pytest.mark.parametrize(("viewer", "status"), [("rep", 403), ("manager", 200), ("colleague", 200), ("admin", 200)])
def test_who_may_open_it(people: People, viewer: str, status: int) -> None:
    assert logged_in(getattr(people, viewer)).get(PAGE).status_code == status


def test_strangers_log_in_first(client: Client, db: None) -> None:
    assert client.get(PAGE).status_code == 302
    assert client.post(f"{PAGE}{'a' * 64}/retry/").status_code == 302


@pytest.mark.parametrize("page", ["0", "-1", "x", "1" * 30, "%00"])
def test_a_page_that_is_none_is_a_bad_request(people: People, page: str) -> None:
    assert logged_in(people.admin).get(f"{PAGE}?page={page}").status_code == 400


def test_the_count_of_a_card_is_that_of_its_list(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG, 3)
    refuse(org, people.rep, RULE, 1)
    refuse(org, people.other_rep, LONG, 2)
    for viewer in (people.manager, people.other_manager, people.admin):
        client = logged_in(viewer)
        for entry in client.get(PAGE).context["cards"]:
            listed = client.get(entry["tasks_url"]).context["cl"].result_list
            assert len(listed) == entry["card"].tasks


def test_a_list_by_a_forged_error_holds_only_what_the_viewer_may_see(org: Connection, people: People) -> None:
    refuse(org, people.other_rep, LONG)
    [card] = error_cards.cards(people.admin)
    response = logged_in(people.manager).get(f"{TASKS}?error={card.signature}")
    assert list(response.context["cl"].result_list) == []
    assert response.content.decode().count(LONG.code) == 0


@pytest.mark.parametrize("causes", [3, 300])
def test_queries_do_not_grow(
    org: Connection, people: People, causes: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    refuse(org, people.rep, LONG, causes)
    # Each a cause of its own.
    rows = list(OutboxRow.objects.all())
    for number, row in enumerate(rows):
        row.signature = f"{number:064x}"
    OutboxRow.objects.bulk_update(rows, ["signature"])
    client = logged_in(people.manager)
    client.get(PAGE)
    with django_assert_num_queries(7):
        assert len(client.get(PAGE).context["cards"]) == min(causes, 30)


def test_many_errors_are_several_pages(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG, 31)
    rows = list(OutboxRow.objects.all())
    for number, row in enumerate(rows):
        row.signature = f"{number:064x}"
    OutboxRow.objects.bulk_update(rows, ["signature"])
    client = logged_in(people.manager)
    pages = [client.get(f"{PAGE}?page={number}").context for number in (1, 2)]
    assert [(len(page["cards"]), page["has_next"]) for page in pages] == [(30, True), (1, False)]


def test_without_errors_it_says_so(people: People) -> None:
    assert logged_in(people.manager).get(PAGE).content.decode().count("No errors") == 1


def test_b6_retry_all_asks_first_and_says_how_many(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG, 3)
    response = logged_in(people.manager).post(retry_url(people))
    assert response.status_code == 200
    assert response.content.decode().count("Retry 3 tasks?") == 1
    assert retried() == 0


def test_b6_retry_all_once_confirmed_sends_them_again(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG, 3)
    response = logged_in(people.manager).post(retry_url(people), {"confirmed": "yes"}, follow=True)
    assert response.redirect_chain == [(reverse("task_sync_errors"), 302)]
    assert [str(message) for message in response.context["messages"]] == ["3 tasks go out at once."]
    assert retried() == 3


def test_retry_all_of_many_is_a_job_and_the_count_is_told(
    org: Connection, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_cards, "CHUNK", 2)
    refuse(org, people.rep, LONG, 3)
    url = retry_url(people)
    OrmQ.objects.all().delete()
    response = logged_in(people.manager).post(url, {"confirmed": "yes"}, follow=True)
    told = [str(message) for message in response.context["messages"]]
    assert told == ["3 tasks are being retried, one after the other."]
    assert [job.task["func"] for job in OrmQ.objects.all()] == ["sync.jobs.retry_errors"]
    assert retried() == 0


@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
def test_retry_all_forged_reaches_nobody_elses_tasks(
    org: Connection, people: People, confirmed: dict[str, str]
) -> None:
    refuse(org, people.other_rep, LONG)
    response = logged_in(people.manager).post(retry_url(people), confirmed, follow=True)
    assert response.redirect_chain == [(reverse("task_sync_errors"), 302)]
    assert response.content.decode().count(LONG.message) == 0
    assert (retried(), OutboxRow.objects.get().state) == (0, OutboxState.PENDING)


def test_retry_all_by_a_rep_or_by_a_link_is_refused(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG)
    url = retry_url(people)
    assert logged_in(people.rep).post(url, {"confirmed": "yes"}).status_code == 403
    assert logged_in(people.admin).get(url).status_code == 405
    assert retried() == 0


def test_admins_find_the_way_to_how_it_is_tried(org: Connection, people: People) -> None:
    refuse(org, people.rep, RULE)
    counts = [
        logged_in(viewer).get(PAGE).content.decode().count("/manager/sync/trouble/") > 0
        for viewer in (people.manager, people.admin)
    ]
    # The admins' navigation names the list, too; a manager sees neither.
    assert counts == [False, True]
