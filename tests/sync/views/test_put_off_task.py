"""Skipping and snoozing from the list: with a page's reload and without, and the way to take it back."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from sync.enums import TaskState
from sync.models import Task
from teams.models import User
from tests.factories import TaskFactory
from tests.people import People, logged_in, people

__all__ = ["people"]

pytestmark = pytest.mark.django_db

HTMX = {"hx-request": "true"}
TODAY = date(2025, 3, 5)  # a Wednesday


@pytest.fixture(autouse=True)
def at_noon() -> object:
    with time_machine.travel(datetime(2025, 3, 5, 12, tzinfo=UTC), tick=False):
        yield


def due(user: User, subject: str = "Call Hana") -> Task:
    task: Task = TaskFactory.create(user=user, state=TaskState.OPEN, completed_at=None, due_on=TODAY, subject=subject)
    return task


def state(task: Task) -> str:
    return Task.objects.get(pk=task.pk).state


def test_a_skip_comes_back_to_the_list_with_undo(people: People) -> None:
    task = due(people.rep)
    client = logged_in(people.rep)
    response = client.post(f"/tasks/{task.uuid}/skip/", {"next": "/tasks/?show=today&q=hana"})
    assert response["Location"] == f"/tasks/?show=today&q=hana&skipped={task.uuid}"
    html = client.get(response["Location"]).content.decode()
    assert html.count("“Call Hana” is skipped: nothing of it is sent.") == 1
    assert html.count(f'action="/tasks/{task.uuid}/unskip/"') == 1
    response = client.post(f"/tasks/{task.uuid}/unskip/", {"next": f"/tasks/?q=hana&skipped={task.uuid}"})
    assert (response["Location"], state(task)) == ("/tasks/?q=hana", TaskState.OPEN)


def test_what_is_skipped_stands_in_a_part_of_its_own_and_can_be_opened_again(people: People) -> None:
    task = due(people.rep)
    client = logged_in(people.rep)
    client.post(f"/tasks/{task.uuid}/skip/")
    assert client.get("/tasks/?show=skipped").content.decode().count(f'action="/tasks/{task.uuid}/unskip/"') == 1
    assert client.get("/tasks/").content.decode().count(str(task.uuid)) == 0


def test_undo_is_offered_for_ones_own_skipped_task_alone(people: People) -> None:
    task, theirs = due(people.rep), due(people.other_rep)
    for owner, each in ((people.rep, task), (people.other_rep, theirs)):
        logged_in(owner).post(f"/tasks/{each.uuid}/skip/")
    client = logged_in(people.rep)
    for uuid in (theirs.uuid, "nonsense"):
        assert client.get(f"/tasks/?skipped={uuid}").context["undo"] is None
    client.post(f"/tasks/{task.uuid}/unskip/")
    assert client.get(f"/tasks/?skipped={task.uuid}").context["undo"] is None


def test_in_place_the_row_says_it_and_offers_undo(people: People) -> None:
    task = due(people.rep)
    client = logged_in(people.rep)
    html = client.post(f"/tasks/{task.uuid}/skip/", headers=HTMX).content.decode()
    assert html.count('data-arrived="skipped"') == 1
    assert html.count(f'hx-post="/tasks/{task.uuid}/unskip/"') == 1
    assert html.count('hx-swap-oob="innerHTML:#count-skipped">1<') == 1
    html = client.post(f"/tasks/{task.uuid}/unskip/", headers=HTMX).content.decode()
    assert html.count('data-arrived="open"') == 1
    assert html.count(f'hx-get="/tasks/{task.uuid}/complete/"') == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_clicked_twice(people: People, headers: dict[str, str]) -> None:
    task = due(people.rep)
    client = logged_in(people.rep)
    client.post(f"/tasks/{task.uuid}/skip/")
    response = client.post(f"/tasks/{task.uuid}/skip/", headers=headers, follow=True)
    assert response.content.decode().count("This task is skipped already. Nothing was changed.") >= 1


@pytest.mark.parametrize("verb", ["skip", "unskip"])
def test_a_link_changes_nothing(people: People, verb: str) -> None:
    assert logged_in(people.rep).get(f"/tasks/{due(people.rep).uuid}/{verb}/").status_code == 405


def test_the_days_on_offer(people: People) -> None:
    offers = logged_in(people.rep).get(f"/tasks/{due(people.rep).uuid}/snooze/").context["offers"]
    assert [(title, day.isoformat()) for title, day in offers] == [
        ("Tomorrow", "2025-03-06"),
        ("In 3 days", "2025-03-08"),
        ("Next week", "2025-03-10"),
    ]


@pytest.mark.parametrize("name", ["until", "day"])
def test_snoozed(people: People, name: str) -> None:
    task = due(people.rep)
    client = logged_in(people.rep)
    response = client.post(f"/tasks/{task.uuid}/snooze/", {name: "2025-03-10"})
    assert response["Location"] == "/tasks/"
    task.refresh_from_db()
    assert task.due_on == date(2025, 3, 10)
    assert client.get("/tasks/").content.decode().count("is snoozed until Monday, 10 March.") == 1


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("", "Choose a day."),
        ("soon", "Enter a day, like 2025-03-31."),
        ("2025-03-04", "This day has passed."),
        ("2025-03-05", "The task is due on this day already."),
        ("2026-03-06", "This is more than a year ahead."),
        ("9999-12-31", "This is more than a year ahead."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_days_that_will_not_do(people: People, day: str, words: str, headers: dict[str, str]) -> None:
    task = due(people.rep)
    response = logged_in(people.rep).post(f"/tasks/{task.uuid}/snooze/", {"day": day}, headers=headers)
    assert response.status_code == 200
    assert response.content.decode().count(words) == 2
    assert response.context["form"]["day"].value() == day
    task.refresh_from_db()
    assert task.due_on == TODAY


def test_snoozed_in_place(people: People) -> None:
    task = due(people.rep)
    client = logged_in(people.rep)
    panel = client.get(f"/tasks/{task.uuid}/snooze/", headers=HTMX)
    assert panel["HX-Retarget"] == f"#panel-{task.uuid}"
    until = TODAY + timedelta(days=1)
    html = client.post(f"/tasks/{task.uuid}/snooze/", {"until": f"{until}"}, headers=HTMX).content.decode()
    assert html.count('data-arrived="snoozed"') == 1
    assert html.count("“Call Hana” is snoozed until Thursday, 6 March.") == 2


def test_a_manager_acts_for_the_rep(people: People) -> None:
    task = due(people.rep)
    client = logged_in(people.manager)
    response = client.post(f"/tasks/{task.uuid}/skip/", {"next": "/tasks/"}, follow=True)
    assert state(task) == TaskState.SKIPPED
    assert response.content.decode().count("is skipped: nothing of it is sent.") == 1
