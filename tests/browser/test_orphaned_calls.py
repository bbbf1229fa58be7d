"""Orphaned calls in a browser: adopted in place, by keyboard, without JavaScript, and taken back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from sync.models import Adoption, Record, Task
from tests.browser.conftest import Visitor
from tests.factories import RecordFactory, TaskFactory
from tests.people import People

pytestmark = pytest.mark.django_db(transaction=True)

OpenPage = Callable[..., Page]


def orphan(people: People, number: str = "+12125550141") -> Task:
    return TaskFactory.create(user=people.rep, is_orphan=True, phone_number=number, phone_e164=number)


@pytest.fixture
def hana(people: People) -> Record:
    return RecordFactory.create(name="Hana Novak", phones=["+1 212 555 0141"])


def test_m6_a_call_is_adopted_in_place_said_aloud_and_taken_back(
    people: People, hana: Record, open_page: OpenPage
) -> None:
    first, second = orphan(people), orphan(people)
    page = open_page("/orphaned-calls/", people.rep)
    rows = page.locator("[data-task]")
    expect(page.locator("#count-orphaned")).to_have_text("2")
    rows.first.get_by_role("button", name="Adopt: Hana Novak").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("The call with +12125550141 belongs to Hana Novak now.")
    expect(rows.first).to_contain_text("belongs to Hana Novak now.")
    expect(page.locator("#count-orphaned")).to_have_text("1")
    expect(page.locator("#count-adopted")).to_have_text("1")
    # On to the next one.
    expect(rows.nth(1).get_by_role("button", name="Adopt: Hana Novak")).to_be_focused()
    rows.first.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("is an orphan again")
    expect(rows.first.get_by_role("button", name="Adopt: Hana Novak")).to_be_focused()
    expect(page.locator("#count-orphaned")).to_have_text("2")
    assert {first.pk, second.pk} == set(Task.objects.orphans().values_list("pk", flat=True))


def test_m6_somebody_else_was_faster(people: People, hana: Record, open_page: OpenPage, visitor: Visitor) -> None:
    orphan(people)
    mine, theirs = open_page("/orphaned-calls/", people.rep), open_page("/orphaned-calls/", people.manager)
    theirs.get_by_role("button", name="Adopt: Hana Novak").click()
    expect(theirs.locator("#said")).to_contain_text("belongs to Hana Novak now")
    mine.get_by_role("button", name="Adopt: Hana Novak").click()
    expect(mine.locator("[data-task]")).to_contain_text("Mia Manager has adopted this call already")
    assert Adoption.objects.count() == 1


def test_m6_any_record_is_found_while_typing_and_adopted_with_its_deal(
    people: People, hana: Record, open_page: OpenPage
) -> None:
    account = RecordFactory.create(kind="account", name="Birchwood")
    RecordFactory.create(kind="opportunity", name="Winter season", account_crm_id=account.crm_id)
    RecordFactory.create(name="Otto Birke", account_crm_id=account.crm_id)
    task = orphan(people, "+12125550199")
    page = open_page(f"/orphaned-calls/{task.uuid}/", people.rep)
    page.get_by_role("searchbox").press_sequentially("otto")
    found = page.get_by_role("list", name="Records found")
    found.get_by_label("Related to").select_option("Winter season (Opportunity)")
    found.get_by_role("button", name="Adopt").click()
    expect(page.get_by_text("Adopted: the call belongs to Otto Birke now.")).to_be_visible()
    page.get_by_role("button", name="Undo the adoption").click()
    expect(page.get_by_text("is an orphan again")).to_be_visible()
    expect(page.get_by_role("heading", name="Earlier adoptions")).to_be_visible()


def test_m6_without_javascript_as_well(people: People, hana: Record, visitor: Visitor) -> None:
    task = orphan(people)
    page = visitor.page(people.rep, java_script_enabled=False)
    page.goto("/orphaned-calls/")
    page.get_by_role("button", name="Adopt: Hana Novak").click()
    expect(page.get_by_text("The call with +12125550141 belongs to Hana Novak now.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="Another").click()
    page.get_by_role("searchbox").fill("novak")
    page.get_by_role("button", name="Search").click()
    found = page.get_by_role("list", name="Records found")
    found.get_by_role("button", name="Adopt").click()
    expect(page.get_by_text("Adopted: the call belongs to Hana Novak now.")).to_be_visible()
    task.refresh_from_db()
    assert task.who == hana
