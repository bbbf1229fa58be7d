"""What a page says to a form: the looks of errors, warnings, previews and outcomes."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import looks
from tests.browser.conftest import Visitor
from tests.browser.test_blacklists import COMPANY, MBOX, MINE, enter, save
from tests.browser.test_sign_in import log_in
from tests.browser.world import World, make_world
from tests.teams.switches import team_page

Step = Callable[[Page, World], None]


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def csv(page: Page, label: str, content: str) -> None:
    file: FilePayload = {"name": "some.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.get_by_label(label).set_input_files(file)


def refused_log_in(page: Page, world: World) -> None:
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    log_in(page, world.people.rep, "wrong")
    expect(page.get_by_role("alert").first).to_be_visible()


def refused_entries(page: Page, world: World) -> None:
    page.goto(COMPANY)
    enter(page, senders="co.uk", keywords="!")
    save(page)
    expect(page.get_by_text("Nothing was saved yet.")).to_be_visible()


def doubtful_entries(page: Page, world: World) -> None:
    page.goto(MINE)
    enter(page, keywords="confidential\nmerger")
    save(page)
    expect(page.get_by_text("Nothing was saved yet. Please look at this first:")).to_be_visible()


def tried_rules(page: Page, world: World) -> None:
    page.goto(f"{COMPANY}try/")
    enter(page, keywords="lunch, private")
    page.get_by_label("Mail that passes today").set_input_files(MBOX)
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_role("table", name="Messages that would be stopped")).to_be_visible()


def previewed_import(page: Page, world: World) -> None:
    page.goto(f"{COMPANY}import/")
    csv(page, "CSV file", "kind,value\ndomain,other.example\nkeyword,private\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Preview: nothing is saved yet")).to_be_visible()


def refused_import(page: Page, world: World) -> None:
    page.goto(f"{COMPANY}import/")
    csv(page, "CSV file", "kind,value\ndomain,co.uk\ncolour,red\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("table", name="The first lines that can't be imported")).to_be_visible()


def refused_user(page: Page, world: World) -> None:
    page.goto("/manager/teams/user/add/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()


def previewed_team(page: Page, world: World) -> None:
    page.goto(team_page(world.people.north))
    page.get_by_role("button", name="Show who changes").click()
    expect(page.get_by_role("heading", name="Will change:")).to_be_visible()


def asked_retry(page: Page, world: World) -> None:
    page.goto("/manager/settings/crm/task-sync/errors/")
    page.get_by_role("button", name="Retry all").first.click()
    expect(page.get_by_role("button", name="Yes, retry")).to_be_visible()


def refused_results(page: Page, world: World) -> None:
    page.goto("/manager/settings/crm/task-sync/results/")
    page.get_by_label("CRM user id", exact=True).fill("no id")
    page.get_by_role("button", name="Prepare CSV").click()
    expect(page.get_by_text("This is no CRM id")).to_be_visible()


STEPS: list[Step] = [
    refused_log_in,
    refused_entries,
    doubtful_entries,
    tried_rules,
    previewed_import,
    refused_import,
    refused_user,
    previewed_team,
    asked_retry,
    refused_results,
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_answer(step: Step, dark: bool, world: World, visitor: Visitor) -> None:
    page = visitor.page(world.people.admin, dark=dark)
    step(page, world)
    assert looks.faults(page) == looks.NONE
