"""A day's work in the browser: in place, by keyboard alone, without scripts, and when something goes wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from sync.enums import TaskState
from sync.models import Task
from tests.factories import RecordFactory, TaskFactory
from tests.people import People

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[..., Page]


@pytest.fixture
def tasks(people: People) -> list[Task]:
    """Three tasks that are due, the latest first, on a record with two numbers."""
    record = RecordFactory.create(name="Hana Novak", phones=["+1 212 555 0141", "+1 212 555 0199"])
    return [
        TaskFactory.create(
            user=people.rep,
            state=TaskState.OPEN,
            completed_at=None,
            record=record,
            subject=subject,
            due_on=timezone.localdate() - timedelta(days=days),
        )
        for subject, days in (("Ask", 2), ("Offer", 1), ("Remind", 0))
    ]


def test_completing_in_place_moves_on_to_the_next(open_page: Open, people: People, tasks: list[Task]) -> None:
    page = open_page("/tasks/", people.rep)
    page.get_by_role("link", name="Complete Ask").click()
    form = page.get_by_role("form", name="Complete Ask")
    expect(form.get_by_label("+1 212 555 0141")).to_be_focused()
    form.get_by_label("Duration").fill("x")
    form.get_by_role("button", name="Complete").click()
    expect(form.locator(".pb-errors")).to_be_focused()
    expect(form.get_by_label("Duration")).to_have_value("x")
    form.get_by_label("+1 212 555 0199").check()
    form.get_by_label("Duration").fill("3:05")
    form.get_by_role("button", name="Complete").click()
    expect(page.get_by_role("link", name="Complete Offer")).to_be_focused()
    expect(page.locator("#said")).to_have_text("“Ask” is completed.")
    expect(page.locator("#count-today")).to_have_text("2")
    expect(page.locator("#count-completed")).to_have_text("1")
    tasks[0].refresh_from_db()
    assert (tasks[0].phone_number, tasks[0].call_duration_seconds) == ("+1 212 555 0199", 185)


def test_skipping_and_taking_it_back_by_keyboard(open_page: Open, people: People, tasks: list[Task]) -> None:
    page = open_page("/tasks/", people.rep)
    page.get_by_role("button", name="Skip Ask").press("Enter")
    expect(page.get_by_role("link", name="Complete Offer")).to_be_focused()
    expect(page.locator("#said")).to_have_text("“Ask” is skipped.")
    page.get_by_role("button", name="Undo Ask").press("Enter")
    expect(page.get_by_role("link", name="Complete Ask")).to_be_focused()
    expect(page.locator("#count-skipped")).to_have_text("0")


def test_snoozing_in_place_and_closing_with_escape(open_page: Open, people: People, tasks: list[Task]) -> None:
    page = open_page("/tasks/", people.rep)
    page.get_by_role("link", name="Snooze Ask").press("Enter")
    expect(page.get_by_role("button", name="Tomorrow")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".pb-snooze-day")).to_have_count(0)
    page.get_by_role("link", name="Snooze Ask").click()
    page.get_by_role("button", name="Tomorrow").click()
    expect(page.locator("#count-upcoming")).to_have_text("1")
    expect(page.get_by_role("link", name="Complete Offer")).to_be_focused()
    tasks[0].refresh_from_db()
    assert tasks[0].due_on == timezone.localdate() + timedelta(days=1)


def test_without_scripts_every_button_is_a_page_or_a_form(open_page: Open, people: People, tasks: list[Task]) -> None:
    page = open_page("/tasks/", people.rep, java_script_enabled=False)
    page.get_by_role("link", name="Complete Ask").click()
    page.get_by_role("button", name="Complete, and on to the next").click()
    expect(page.locator("main h2").first).to_contain_text("Offer")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Skip Offer").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="Snooze Remind").click()
    page.get_by_role("button", name="Next week").click()
    expect(page.get_by_text("is snoozed until")).to_be_visible()
    assert [task.state for task in Task.objects.order_by("pk")] == ["completed", "open", "open"]


def test_an_ad_hoc_call_for_a_record_that_is_found_while_one_types(
    open_page: Open, people: People, tasks: list[Task]
) -> None:
    page = open_page("/tasks/new/", people.rep)
    page.get_by_label("Subject").fill("Asked for prices")
    page.get_by_role("searchbox").press_sequentially("hana")
    page.get_by_role("button", name="Choose Hana Novak").click()
    expect(page.get_by_label("Subject")).to_have_value("Asked for prices")
    page.get_by_role("button", name="Log the call").click()
    expect(page.get_by_text("It is logged on")).to_be_visible()
    assert Task.objects.get(subject="Asked for prices").who is not None


def test_an_ad_hoc_call_without_scripts(open_page: Open, people: People, tasks: list[Task]) -> None:
    page = open_page("/tasks/new/", people.rep, java_script_enabled=False)
    page.get_by_label("Subject").fill("Asked for prices")
    page.get_by_label("Result").fill("Connected")
    for kind in ("E-mail", "Call"):
        page.get_by_role("navigation", name="Kind").get_by_role("button", name=kind).click()
    page.get_by_role("searchbox").fill("hana")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("button", name="Choose Hana Novak").click()
    expect(page.get_by_label("Result")).to_have_value("Connected")
    page.get_by_label("Subject").press("Enter")
    expect(page.get_by_text("It is logged on")).to_be_visible()


def test_logged_out_meanwhile_one_logs_in_and_comes_back(open_page: Open, people: People, tasks: list[Task]) -> None:
    page = open_page("/tasks/", people.rep)
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("link", name="Complete Ask").click()
    page.wait_for_url("**/accounts/login/?next=/tasks/")


def test_what_was_typed_before_the_log_in_ended_can_be_copied(
    open_page: Open, people: People, tasks: list[Task]
) -> None:
    page = open_page("/tasks/", people.rep)
    page.get_by_role("link", name="Complete Ask").click()
    page.get_by_label("Description").fill("My own notes")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Complete", exact=True).click()
    expect(page.get_by_text("You were logged out meanwhile. Nothing was stored.")).to_be_visible()
    expect(page.get_by_text("My own notes")).to_be_visible()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_out_of_reach_is_said(open_page: Open, people: People, tasks: list[Task], visitor: object) -> None:
    page = open_page("/tasks/", people.rep)
    page.route("**/skip/", lambda route: route.abort())
    page.get_by_role("button", name="Skip Ask").click()
    expect(page.get_by_text("Playbooks can't be reached.")).to_be_visible()
    visitor.complaints.clear()  # type: ignore[attr-defined]
    page.unroute("**/skip/")
    page.get_by_role("button", name="Skip Ask").click()
    expect(page.get_by_text("Playbooks can't be reached.")).to_be_hidden()
    expect(page.locator("#said")).to_have_text("“Ask” is skipped.")
