"""The Task Sync Log, its files and its errors: M21, M22, M25 and B6 step by step."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from sandbox.control import SandboxControl
from sync.completion import Completion, complete
from sync.enums import OutboxState, TaskKind
from sync.models import Connection, OutboxRow, Task
from teams.models import User
from tests.people import People
from tests.real_worker import work_off
from tests.sync.results import read

OpenPage = Callable[..., Page]
LOG = "/manager/settings/crm/task-sync/"
WORDS = "A call needs a description (see wiki, §4)."
CODE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@pytest.fixture(autouse=True)
def var_dir(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def people(people: People, connection: Connection, sandbox: SandboxControl) -> People:
    """With a connection to the sandbox, whose users Rosa and Sven aren't: the Access User owns their Tasks."""
    sandbox_users = [row["Id"] for row in sandbox.rows("User")]
    for user, crm_user_id in zip((people.rep, people.other_rep), sandbox_users, strict=False):
        user.crm_user_id = crm_user_id
        user.save(update_fields=["crm_user_id"])
    return people


def call(user: User, subject: str, description: str = "") -> Task:
    return complete(Completion(user=user, kind=TaskKind.CALL, subject=subject, description=description))


def require_descriptions(sandbox: SandboxControl) -> None:
    """The org's admins make a validation rule."""
    rule = {"object": "Task", "name": "Needs_description", "condition": {"field": "Description", "blank": True}}
    sandbox.change_schema(validation_rules=[{**rule, "message": WORDS}])


def states() -> list[str]:
    return list(OutboxRow.objects.order_by("pk").values_list("state", flat=True))


def test_m21_the_log_shows_the_crms_exact_code_and_message(
    people: People, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    require_descriptions(sandbox)
    call(people.rep, "Call about the offer")
    call(people.rep, "Call with a result", "They agreed.")
    work_off()
    page = open_page("/manager/", people.manager)
    page.get_by_role("link", name="Task Sync").first.click()
    refused = page.get_by_role("row").filter(has_text="Call about the offer")
    expect(refused).to_contain_text(CODE)
    expect(refused).to_contain_text(WORDS)
    expect(page.get_by_role("row").filter(has_text="Call with a result")).not_to_contain_text(CODE)
    refused.get_by_role("link", name="Call about the offer").click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    expect(page.get_by_text(WORDS).first).to_be_visible()


def prepare(page: Page, crm_user_id: str = "") -> None:
    page.goto(LOG)
    page.get_by_role("link", name="Results", exact=True).click()
    page.get_by_label("CRM user id", exact=True).fill(crm_user_id)
    page.get_by_role("button", name="Prepare CSV").click()
    expect(page.get_by_text("The file is being prepared.")).to_be_visible()


def subjects(page: Page, press: str) -> list[str]:
    """Download a file with the button or link `press`; the subjects in it."""
    with page.expect_download() as download:
        page.get_by_text(press).first.click()
    return sorted(row["subject"] for row in read(Path(download.value.path()).read_bytes()))


def test_m22_results_are_prepared_shown_with_their_size_and_downloaded(people: People, open_page: OpenPage) -> None:
    for user in (people.rep, people.other_rep):
        call(user, f"Call of {user.name}", "They agreed.")
    work_off()
    page = open_page("/manager/", people.admin)
    prepare(page)
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    work_off()
    # The page looks by itself how far it is.
    download = page.get_by_role("link", name="Download (")
    expect(download).to_be_visible(timeout=60_000)
    expect(page.get_by_role("article").first).to_contain_text("2 rows")
    expect(download).to_have_text(re.compile(r"Download \(\d+\sbytes\)"))
    assert subjects(page, "Download (") == ["Call of Rosa Rep", "Call of Sven Stranger"]

    page.get_by_role("link", name="Notices: 1 unread").click()
    expect(page.get_by_role("heading", name="Task Sync Results are ready")).to_be_visible()
    page.go_back()

    # Filtered by a CRM id afterwards ...
    page.get_by_label("Only one CRM user id:").fill(str(people.rep.crm_user_id))
    assert subjects(page, "Download these rows") == ["Call of Rosa Rep"]
    # ... and before.
    prepare(page, str(people.other_rep.crm_user_id))
    work_off()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("link", name="Download (")).to_have_count(2, timeout=60_000)
    assert subjects(page, "Download (") == ["Call of Sven Stranger"]


def test_m22_without_javascript(people: People, open_page: OpenPage) -> None:
    call(people.rep, "Call of Rosa Rep", "They agreed.")
    work_off()
    page = open_page("/manager/", people.manager, java_script_enabled=False)
    prepare(page)
    expect(page.get_by_role("article")).to_have_attribute("data-state", "waiting")
    work_off()
    page.get_by_role("link", name="Reload").click()
    assert subjects(page, "Download (") == ["Call of Rosa Rep"]


def test_m25_b6_an_error_is_one_card_with_what_helps_and_all_are_retried(
    people: People, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    require_descriptions(sandbox)
    for number in range(3):
        call(people.rep, f"Call {number}")
    work_off()
    assert OutboxState.DONE not in states()

    page = open_page(LOG, people.manager)
    page.get_by_role("link", name="Errors", exact=True).click()
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=CODE))
    expect(card).to_have_count(1)
    for words in (WORDS, "A validation rule of your org refuses the Task.", "an admin can mend it", "of one user"):
        expect(card).to_contain_text(words)
    card.get_by_role("link", name="3 tasks").click()
    expect(page.get_by_role("link", name="Call 0")).to_be_visible()
    expect(page.get_by_role("link", name="Call 2")).to_be_visible()

    sandbox.change_schema(validation_rules=[])
    page.go_back()
    card.get_by_role("button", name="Retry all").click()
    expect(page.get_by_role("heading", name="Retry 3 tasks?")).to_be_visible()
    page.get_by_role("button", name="Yes, retry").click()
    expect(page.get_by_text("3 tasks go out at once.")).to_be_visible()
    work_off()
    assert states() == [OutboxState.DONE] * 3
    page.reload()
    expect(page.get_by_role("heading", name="No errors")).to_be_visible()
