"""Records in a real browser: found while one types, logged on, and seen to arrive in the CRM."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from sandbox.control import SandboxControl
from sync import connecting
from sync.enums import TaskState
from sync.models import Connection, Record
from sync.refresh import fetch, known
from teams.crm_ids import to_18
from teams.models import User
from tests.browser.conftest import Visitor
from tests.factories import PlayFactory, PlayStepFactory, TaskFactory, crm_id
from tests.people import People
from tests.real_worker import work_off


@pytest.fixture
def hana(people: People, connection: Connection, sandbox: SandboxControl) -> Record:
    (row,) = [row for row in sandbox.rows("Contact") if row["LastName"] == "Novak"]
    (record,) = known(connection, [to_18(row["Id"])]).values()
    fetch(connection, connecting.gateway(connection), [record])
    # The sandbox has no such user: the Access User owns what she logs.
    User.objects.filter(pk=people.rep.pk).update(crm_user_id=None)
    return record


def test_a_call_is_logged_on_a_record_and_its_state_follows(visitor: Visitor, people: People, hana: Record) -> None:
    page = visitor.page(people.rep)
    page.goto("/records/")
    page.get_by_role("searchbox").press_sequentially("nova")
    page.get_by_role("link", name=hana.name).click()
    page.get_by_role("link", name="Log a call").click()
    page.get_by_label("Subject").fill("Talked about the winter season")
    page.get_by_role("button", name="Log the call").click()
    row = page.get_by_role("listitem").filter(has_text="Talked about the winter season")
    expect(row).to_contain_text("Waiting")
    work_off()
    expect(row).to_contain_text("Synced", timeout=10_000)
    assert page.evaluate("document.querySelector('#watcher').hasAttribute('hx-get')") is False


def test_it_works_by_keyboard_and_without_scripts(visitor: Visitor, people: People, hana: Record) -> None:
    page = visitor.page(people.rep, narrow=True, java_script_enabled=False)
    page.goto("/records/?kind=contact")
    page.get_by_role("searchbox").fill("hana")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=hana.name).focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Log something else").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Subject").fill("Sent a card")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem").filter(has_text="Sent a card")).to_contain_text("Waiting")
    work_off()
    page.reload()
    expect(page.get_by_role("listitem").filter(has_text="Sent a card")).to_contain_text("Synced")


def test_a_record_that_is_opened_by_its_id_arrives_by_itself(
    visitor: Visitor, people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    (row,) = [row for row in sandbox.rows("Contact") if row["LastName"] == "Novak"]
    page = visitor.page(people.rep)
    page.goto(f"/records/?q={to_18(row['Id'])}")
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_role("status").filter(has_text="being fetched")).to_be_visible()
    work_off()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Novak", timeout=10_000)


def test_a_record_that_the_crm_does_not_have_is_told_by_itself(
    visitor: Visitor, people: People, connection: Connection
) -> None:
    page = visitor.page(people.rep)
    page.goto(f"/records/?q={crm_id('003', 404)}")
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_role("link", name="Log a call")).to_be_visible()
    work_off()
    expect(page.get_by_text("The CRM has no such record, or the Access User may not see it")).to_be_visible(
        timeout=10_000
    )
    expect(page.get_by_role("link", name="Log a call")).to_have_count(0)


def test_nothing_lies_over_the_bell_where_a_play_is_started(visitor: Visitor, people: People, hana: Record) -> None:
    PlayStepFactory.create(play=PlayFactory.create(name="Winter"))
    page = visitor.page(people.rep)
    page.goto(f"/records/{hana.uuid}/start-play/")
    page.get_by_text("Steps: Winter").click()
    for summary in page.locator("fieldset summary").all():
        assert summary.evaluate("each => getComputedStyle(each, '::after').content") == "none"


def test_a_task_that_is_completed_in_its_row_arrives_by_itself(visitor: Visitor, people: People, hana: Record) -> None:
    task = TaskFactory.create(
        user=people.rep,
        state=TaskState.OPEN,
        completed_at=None,
        record=hana,
        subject="Ask",
        due_on=timezone.localdate(),
    )
    page = visitor.page(people.rep)
    page.goto("/tasks/")
    page.get_by_role("link", name="Complete Ask").click()
    page.get_by_role("form", name="Complete Ask").get_by_role("button", name="Complete").click()
    state = page.locator(f"#state-{task.uuid}")
    expect(state).to_contain_text("Waiting")
    work_off()
    expect(state).to_contain_text("Synced", timeout=10_000)
    expect(state).not_to_have_attribute("hx-get", re.compile("."))
