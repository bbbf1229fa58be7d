"""A task's page in a real browser: the reason, retry without reloading, and the state that keeps up by itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from sandbox.control import SandboxControl
from sync.completion import Completion, complete
from sync.enums import OutboxState, TaskKind
from sync.models import Connection, OutboxRow, Task
from tests.browser import looks
from tests.people import People
from tests.real_worker import work_off

OpenPage = Callable[..., Page]
WORDS = "Say how the call ended."


@pytest.fixture
def task(people: People, connection: Connection, sandbox: SandboxControl) -> Task:
    """Rosa's call, which a validation rule refuses."""
    people.rep.crm_user_id = None
    people.rep.save(update_fields=["crm_user_id"])
    rule = {"object": "Task", "name": "Ended", "condition": {"field": "CallDisposition", "blank": True}}
    sandbox.change_schema(validation_rules=[{**rule, "message": WORDS}])
    task = complete(
        Completion(
            user=people.rep,
            kind=TaskKind.CALL,
            subject="Call about the winter offer",
            description="She wants a quote.",
            phone_number="+1 212 555 0199",
            call_duration_seconds=125,
        )
    )
    work_off()
    return task


def test_b2_rep_sees_why_retries_and_sees_it_synced_without_reloading(
    task: Task, people: People, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    page = open_page(f"/tasks/{task.uuid}/", people.rep)
    state = page.get_by_role("region", name="Sync state")
    expect(state).to_contain_text(f"Refused by a validation rule of the CRM: {WORDS.rstrip('.')}")
    page.evaluate("window.stays = true")
    sandbox.change_schema(validation_rules=[])
    state.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text("1 task goes out at once.")).to_be_visible()
    work_off()
    expect(state).to_contain_text("Synced")
    expect(state.get_by_role("link")).to_have_attribute("target", "_blank")
    expect(page.locator("#task-way")).not_to_have_attribute("hx-trigger", "every 2s")
    assert page.evaluate("window.stays")


def test_cancel_by_keyboard_asks_first(task: Task, people: People, open_page: OpenPage) -> None:
    page = open_page(f"/tasks/{task.uuid}/", people.rep)
    page.get_by_text("Cancel it").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Yes, cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 task was cancelled.")).to_be_visible()
    assert OutboxRow.objects.get().state == OutboxState.CANCELLED


def test_it_works_without_scripts(task: Task, people: People, open_page: OpenPage) -> None:
    page = open_page(f"/tasks/{task.uuid}/", people.rep, java_script_enabled=False)
    page.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text("1 task goes out at once.")).to_be_visible()
    page.get_by_text("Cancel it").click()
    page.get_by_role("button", name="Yes, cancel").click()
    expect(page.get_by_text("1 task was cancelled.")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("narrow", [False, True])
def test_a_refused_tasks_page_looks_right(
    task: Task, people: People, open_page: OpenPage, narrow: bool, dark: bool
) -> None:
    for path, user in (
        (f"/tasks/{task.uuid}/", people.rep),
        (f"/manager/sync/task/{task.uuid}/change/", people.manager),
    ):
        page = open_page(path, user, narrow=narrow, dark=dark)
        assert (looks.findings(page), looks.overflow(page)) == ([], [])
