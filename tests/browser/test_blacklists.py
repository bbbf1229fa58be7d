"""The blacklists as people fill them: M18 to M20 and B4 step by step."""

import re
from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, expect

from blacklist.models import Rule
from teams.models import User
from tests.people import People

OpenPage = Callable[..., Page]
COMPANY = "/manager/settings/email/company-blacklist/"
MINE = "/settings/email/my-blacklist/"
MAIL = b"""From ann@acme.example Mon Mar  3 12:00:00 2025
From: Ann Lee <ann@acme.example>
To: rosa@example.com
Date: Mon, 3 Mar 2025 12:00:00 +0000
Subject: About the merger
Message-ID: <1@acme.example>

It is on.

From di@d.example Mon Mar  3 13:00:00 2025
From: di@d.example
To: rosa@example.com
Date: Mon, 3 Mar 2025 13:00:00 +0000
Subject: Lunch
Message-ID: <2@d.example>

At noon?

"""
MBOX: FilePayload = {"name": "inbox.mbox", "mimeType": "application/mbox", "buffer": MAIL}


def values(owner: User | None = None) -> list[str]:
    return list(Rule.objects.filter(user=owner).order_by("value").values_list("value", flat=True))


def save(page: Page) -> None:
    page.get_by_role("button", name="SAVE CHANGES").first.click()


def enter(page: Page, *, senders: str = "", keywords: str = "") -> None:
    page.get_by_label("Add domains and addresses").fill(senders)
    page.get_by_label("Add keywords").fill(keywords)


def test_m18_managers_fill_the_company_blacklist(people: People, open_page: OpenPage) -> None:
    page = open_page("/manager/", people.manager)
    page.get_by_role("link", name="Company Blacklist").first.click()
    enter(page, senders="rival.example\nboss@bank.example", keywords="merger, layoff")
    save(page)
    expect(page.get_by_role("heading", name="4 entries")).to_be_visible()
    assert values() == ["boss@bank.example", "layoff", "merger", "rival.example"]

    page.get_by_role("checkbox", name="Remove layoff").check()
    save(page)
    expect(page.get_by_role("heading", name="3 entries")).to_be_visible()
    assert values() == ["boss@bank.example", "merger", "rival.example"]


def test_m18_what_is_no_domain_is_told_beside_its_field(people: People, open_page: OpenPage) -> None:
    page = open_page(COMPANY, people.manager)
    enter(page, senders="rival.example\nco.uk")
    save(page)
    box = page.get_by_label("Add domains and addresses")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_have_accessible_description(
        re.compile(re.escape("Line 2: “co.uk” is an ending that many organisations share."))
    )
    expect(box).to_have_value("rival.example\nco.uk")
    assert values() == []


def test_m18_reps_have_no_way_to_it(people: People, open_page: OpenPage) -> None:
    page = open_page(MINE, people.rep)
    expect(page.get_by_role("link", name="Company Blacklist")).to_have_count(0)
    page.goto(COMPANY)
    expect(page.get_by_role("heading", level=1)).to_have_text("This isn't yours to see")


def test_m19_my_blacklist_narrows_the_companys_which_stands_there_unchangeable(
    people: People, open_page: OpenPage
) -> None:
    manager = open_page(COMPANY, people.manager)
    enter(manager, keywords="merger")
    save(manager)
    expect(manager.get_by_role("heading", name="1 entry")).to_be_visible()

    page = open_page("/", people.rep)
    page.get_by_role("link", name="My Blacklist").first.click()
    enter(page, senders="family.example")
    save(page)
    expect(page.get_by_role("checkbox", name="Remove family.example")).to_be_visible()
    company = page.get_by_role("region", name="Company Blacklist")
    expect(company.get_by_role("cell", name="merger")).to_be_visible()
    expect(company.get_by_role("checkbox")).to_have_count(0)
    assert (values(), values(people.rep)) == (["merger"], ["family.example"])

    # The manager is told how many there are, not which.
    manager.goto(f"/manager/teams/team/{people.north.uuid}/users/{people.rep.uuid}/")
    expect(manager.get_by_text("family.example")).to_have_count(0)


def test_m20_a_word_of_generic_signatures_warns_before_it_is_saved(people: People, open_page: OpenPage) -> None:
    page = open_page(MINE, people.rep)
    enter(page, keywords="confidential")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved yet. Please look at this first:")
    expect(page.get_by_role("alert").get_by_role("listitem")).to_contain_text("confidential")
    assert values(people.rep) == []
    page.get_by_role("button", name="Save, leaving out signatures, disclaimers and quoted text").click()
    expect(page.get_by_role("heading", name="1 entry")).to_be_visible()
    assert list(people.rep.blacklist_rules.values_list("value", "ignore_quoted")) == [("confidential", True)]


def test_b4_a_rule_is_tried_on_mail_before_it_counts(people: People, open_page: OpenPage) -> None:
    page = open_page(COMPANY, people.manager)
    enter(page, keywords="merger")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_label("Add keywords")).to_have_value("merger")
    page.get_by_label("Mail that passes today").set_input_files(MBOX)
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_role("status").get_by_role("heading")).to_have_text(
        "Would have stopped 1 of the 2 messages that pass today"
    )
    stopped = page.get_by_role("table", name="Messages that would be stopped").get_by_role("row")
    expect(stopped).to_have_count(2)
    expect(stopped.last).to_contain_text("ann@acme.example")
    assert values() == []
    save(page)
    expect(page.get_by_role("heading", name="1 entry")).to_be_visible()
    assert values() == ["merger"]


def test_m18_without_javascript(people: People, open_page: OpenPage) -> None:
    page = open_page(COMPANY, people.manager, java_script_enabled=False)
    enter(page, senders="rival.example", keywords="private")
    save(page)
    assert values() == []
    page.get_by_role("button", name="Save as entered").click()
    expect(page.get_by_role("heading", name="2 entries")).to_be_visible()
    assert values() == ["private", "rival.example"]


def test_whoever_comes_second_is_told_what_changed_and_loses_nothing(people: People, open_page: OpenPage) -> None:
    page = open_page(COMPANY, people.manager)
    first = open_page(COMPANY, people.admin)
    enter(first, keywords="layoff")
    save(first)
    expect(first.get_by_role("heading", name="1 entry")).to_be_visible()
    enter(page, keywords="merger")
    save(page)
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was saved: this blacklist was changed")
    expect(page.get_by_role("alert").first).to_contain_text("Ada Admin")
    expect(page.get_by_label("Add keywords")).to_have_value("merger")
    save(page)
    expect(page.get_by_role("heading", name="2 entries")).to_be_visible()
    assert values() == ["layoff", "merger"]


def test_m18_a_file_is_previewed_then_imported(people: People, open_page: OpenPage) -> None:
    page = open_page(COMPANY, people.manager)
    page.get_by_role("link", name="Import a CSV file").click()
    content = b"kind,value\ndomain,rival.example\nkeyword,merger\n"
    file: FilePayload = {"name": "rules.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Preview: nothing is saved yet")).to_be_visible()
    assert values() == []
    page.get_by_role("button", name="Import as it stands in the file").click()
    expect(page.get_by_role("heading", name="2 entries")).to_be_visible()
    assert values() == ["merger", "rival.example"]
