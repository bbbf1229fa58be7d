"""A day in the workspace from one end to the other: people in a browser, the real worker, the CRM over HTTP."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from sandbox.control import SandboxControl
from sync import connecting, plays
from sync.crm.package import package_zip
from sync.enums import TaskKind
from sync.models import Attempt, Connection, Enrolment, OutboxRow, Play, PlayStep, Record, Task
from sync.refresh import fetch, known
from teams.crm_ids import to_18
from teams.models import User
from tests.browser.conftest import Visitor
from tests.browser.test_sign_in import log_in
from tests.factories import PlayFactory, PlayStepFactory
from tests.people import People
from tests.real_worker import work_off

OpenPage = Callable[..., Page]
UNKNOWN_NUMBER = "+49 30 901820"
WORDS = "Say how the call ended."
CODE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


@pytest.fixture(autouse=True)
def var_dir(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def people(people: People, connection: Connection, sandbox: SandboxControl) -> People:
    """With a connection to the sandbox; Rosa and Sven are users there."""
    for user, row in zip((people.rep, people.other_rep), sandbox.rows("User"), strict=False):
        user.crm_user_id = row["Id"]
        user.save(update_fields=["crm_user_id"])
    return people


@pytest.fixture
def hana(connection: Connection, sandbox: SandboxControl) -> Record:
    """A contact of the org, as it was fetched."""
    return fetched(connection, sandbox, "Novak")


def fetched(connection: Connection, sandbox: SandboxControl, last_name: str) -> Record:
    crm_id = to_18(next(row["Id"] for row in sandbox.rows("Contact") if row["LastName"] == last_name))
    record = known(connection, [crm_id])[crm_id]
    assert fetch(connection, connecting.gateway(connection), [record]) == {}
    return record


def enrol(record: Record, rep: User) -> Task:
    play = PlayFactory.create(name="Winter campaign")
    PlayStepFactory.create(play=play, kind=TaskKind.CALL, name="First call", subject="Ask about lifts")
    return plays.enrol(play, record, rep).tasks.get()


def in_crm(sandbox: SandboxControl, subject: str) -> dict[str, Any]:
    """The one Task in the CRM with this subject."""
    (row,) = [row for row in sandbox.rows("Task") if row.get("Subject") == subject]
    return dict(row)


def visit(page: Page, name: str) -> None:
    """By the navigation, as people go."""
    page.get_by_role("link", name=re.compile(rf"(^|\s){name}$")).first.click()


def row_of(page: Page, words: str) -> Locator:
    return page.locator("[data-task]").filter(has_text=words)


def complete_the_step(page: Page) -> None:
    visit(page, "My tasks")
    page.get_by_role("link", name="Complete Ask about lifts").click()
    page.get_by_label("Duration").fill("3:05")
    page.get_by_label("Result").fill("Connected")
    page.get_by_label("Description").fill("They want two.")
    page.get_by_role("button", name="Complete", exact=True).click()
    expect(page.get_by_text("“Ask about lifts” is completed.").first).to_be_visible()


def log_a_call(page: Page, subject: str, number: str) -> None:
    visit(page, "My tasks")
    page.get_by_role("link", name="Log a task").first.click()
    page.get_by_label("Number", exact=True).fill(number)
    page.get_by_label("Subject").fill(subject)
    page.get_by_role("button", name="Log the call").click()
    expect(page.get_by_text(f"“{subject}” is completed.")).to_be_visible()


def see_synced(page: Page, subject: str, crm_task: str) -> None:
    """In the list of what is completed, and on the task's page with the way to its Task."""
    visit(page, "My tasks")
    page.get_by_role("link", name="Completed").click()
    expect(row_of(page, subject)).to_contain_text("Synced")
    row_of(page, subject).get_by_role("link", name=subject).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(subject)
    see_it_stands(page, crm_task)


def see_it_stands(page: Page, crm_task: str) -> None:
    state = page.get_by_role("region", name="Sync state")
    expect(state).to_contain_text("Synced")
    expect(state.get_by_role("link")).to_have_attribute("href", re.compile(f"/{crm_task}(/|$)"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
def test_m1_m6_b2_a_rep_completes_logs_adopts_and_retries(
    people: People, hana: Record, sandbox: SandboxControl, visitor: Visitor, scripts: bool
) -> None:
    enrol(hana, people.rep)
    page = visitor.page(java_script_enabled=scripts)
    page.goto("/")
    log_in(page, people.rep)
    expect(page.get_by_role("heading", name="My tasks")).to_be_visible()

    complete_the_step(page)
    work_off()
    row = in_crm(sandbox, "Ask about lifts")
    assert (row["WhoId"], row["CallDurationInSeconds"], row["CallDisposition"]) == (hana.crm_id, 185, "Connected")
    assert (row["Play_Name__c"], row["Play_Step__c"]) == ("Winter campaign", "First call")
    see_synced(page, "Ask about lifts", row["Id"])

    log_a_call(page, "Who was that?", UNKNOWN_NUMBER)
    work_off()
    assert in_crm(sandbox, "Who was that?").get("WhoId") is None
    adopt_and_take_back(page, hana, sandbox)

    sandbox.change_schema(validation_rules=[ended_rule()])
    log_a_call(page, "Called back", hana.phones.all()[0].number)
    work_off()
    see_why_and_retry(page, sandbox, scripts=scripts)
    assert in_crm(sandbox, "Called back")["WhoId"] == hana.crm_id
    assert sandbox.stats()["duplicates"] == []


def ended_rule() -> dict[str, Any]:
    """A rule that the org's admins make."""
    condition = {"field": "CallDisposition", "blank": True}
    return {"object": "Task", "name": "Ended", "condition": condition, "message": WORDS}


def adopt_and_take_back(page: Page, hana: Record, sandbox: SandboxControl) -> None:
    adopt_for(page, hana)
    work_off()
    assert in_crm(sandbox, "Who was that?")["WhoId"] == hana.crm_id
    page.get_by_role("button", name="Undo the adoption").click()
    expect(page.get_by_text("is an orphan again")).to_be_visible()
    work_off()
    assert in_crm(sandbox, "Who was that?").get("WhoId") is None
    # Whom one worked with shortly before is offered.
    offered = page.get_by_role("list", name="Whom it may have been with").get_by_role("listitem")
    offered.filter(has_text=hana.name).get_by_role("button", name="Adopt").click()
    expect(page.get_by_text("Adopted: the call belongs to Hana Novak now.")).to_be_visible()
    work_off()
    row = in_crm(sandbox, "Who was that?")
    assert row["WhoId"] == hana.crm_id
    page.get_by_role("link", name="Who was that?").click()
    told = page.get_by_role("listitem").filter(has_text="by Rosa Rep, Contact Hana Novak")
    expect(told.filter(has_text="Adopted: ")).to_have_count(2)
    expect(told.filter(has_text="Adoption undone: ")).to_have_count(1)
    see_it_stands(page, row["Id"])


def adopt_for(page: Page, hana: Record) -> None:
    visit(page, "Orphaned calls")
    row_of(page, UNKNOWN_NUMBER).get_by_role("link", name="Choose the record").click()
    page.get_by_role("searchbox").fill("novak")
    page.get_by_role("button", name="Search").click()
    found = page.get_by_role("list", name="Records found")
    found.get_by_role("button", name="Adopt").click()
    expect(page.get_by_text(f"Adopted: the call belongs to {hana.name} now.")).to_be_visible()


def see_why_and_retry(page: Page, sandbox: SandboxControl, *, scripts: bool) -> None:
    visit(page, "My tasks")
    page.get_by_role("link", name="Completed").click()
    expect(row_of(page, "Called back")).to_contain_text(WORDS.rstrip("."))
    row_of(page, "Called back").get_by_role("link", name="Called back", exact=True).click()
    state = page.get_by_role("region", name="Sync state")
    expect(state.get_by_text(CODE, exact=True)).to_be_visible()
    expect(state.get_by_text(WORDS).last).to_be_visible()
    sandbox.change_schema(validation_rules=[])
    state.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text("1 task goes out at once.")).to_be_visible()
    work_off()
    if not scripts:
        page.reload()
    # With scripts the page keeps up by itself.
    see_it_stands(page, in_crm(sandbox, "Called back")["Id"])


ONCE = "“Ask about lifts” is completed."
TWICE = "“Ask about lifts” was completed already."


def both_have_typed(people: People, task: Task, open_page: OpenPage) -> tuple[Page, Page]:
    """The rep and the manager have the same task's form open, in two browsers."""
    pages = tuple(open_page(f"/tasks/{task.uuid}/complete/", user) for user in (people.rep, people.manager))
    for page, words in zip(pages, ("They want two.", "They want three."), strict=True):
        page.get_by_label("Description").fill(words)
    return pages[0], pages[1]


def test_the_second_of_two_people_is_told_that_the_task_was_completed_already(
    people: People, hana: Record, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    rep, manager = both_have_typed(people, enrol(hana, people.rep), open_page)
    rep.get_by_role("button", name="Complete", exact=True).click()
    expect(rep.get_by_text(ONCE)).to_be_visible()
    manager.get_by_role("button", name="Complete", exact=True).click()
    expect(manager.get_by_role("alert").filter(has_text=TWICE)).to_be_visible()
    # What was typed is not lost.
    expect(manager.get_by_text("They want three.")).to_be_visible()
    work_off()
    assert in_crm(sandbox, "Ask about lifts")["Description"] == "They want two."
    assert OutboxRow.objects.count() == 1


def test_two_people_who_press_the_button_at_once_log_the_task_once(
    people: People, hana: Record, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    pages = both_have_typed(people, enrol(hana, people.rep), open_page)
    for page in pages:
        # Without waiting for the answer.
        page.get_by_role("button", name="Complete", exact=True).evaluate("button => setTimeout(() => button.click())")
    for page in pages:
        expect(page.get_by_text(ONCE).or_(page.get_by_text(TWICE))).to_be_visible()
    assert [sum(page.get_by_text(words).count() for page in pages) for words in (ONCE, TWICE)] == [1, 1]
    work_off()
    assert in_crm(sandbox, "Ask about lifts")["WhoId"] == hana.crm_id
    assert OutboxRow.objects.count() == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_manager_makes_a_play_enrols_records_and_ends_one(
    people: People,
    connection: Connection,
    hana: Record,
    sandbox: SandboxControl,
    open_page: OpenPage,
    scripts: bool,
) -> None:
    others = [row["LastName"] for row in sandbox.rows("Contact") if row["LastName"] != "Novak"]
    other = fetched(connection, sandbox, others[0])
    Record.objects.update(owner=people.rep)
    page = open_page("/manager/", people.manager, java_script_enabled=scripts)
    make_a_play(page, scripts=scripts)
    assert list(PlayStep.objects.order_by("position").values_list("name", "kind", "day_offset")) == [
        ("First call", TaskKind.CALL, 0),
        ("Send the offer", TaskKind.EMAIL, 3),
    ]

    visit(page, "Records")
    for record in (hana, other):
        page.get_by_role("row").filter(has_text=record.name).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label="Enrol in a play")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("2 records are chosen.")).to_be_visible()
    page.get_by_label("Play", exact=True).select_option("Winter campaign")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("4 open tasks are made: Rosa Rep (2 records).")).to_be_visible()
    page.get_by_role("button", name="Enrol 2 records").click()
    expect(page.get_by_text("2 records were enrolled in “Winter campaign”.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=hana.name)).to_contain_text("0 of 2")

    page.get_by_role("row").filter(has_text=other.name).get_by_role("link").first.click()
    page.get_by_label("Why (may stay empty)").fill("Has left the company")
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_text("Has left the company").first).to_be_visible()
    play = Play.objects.get()
    assert [each.record for each in Enrolment.objects.running().filter(play=play)] == [hana]
    assert set(other.tasks.values_list("state", flat=True)) == {"skipped"}


def make_a_play(page: Page, *, scripts: bool) -> None:
    visit(page, "Plays")
    page.get_by_role("link", name="Add play").first.click()
    if not scripts:
        page.get_by_role("link", name="Show five empty rows for steps").click()
    page.get_by_label("Name", exact=False).first.fill("Winter campaign")
    for number, (kind, name, day) in enumerate((("call", "First call", "0"), ("email", "Send the offer", "3"))):
        if scripts:
            page.get_by_text("Add another Play step").click()
        page.locator(f"[name=steps-{number}-kind]").select_option(kind)
        page.locator(f"[name=steps-{number}-name]").fill(name)
        page.locator(f"[name=steps-{number}-day_offset]").fill(day)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def test_b8_an_admin_lets_a_tool_in_whose_task_arrives_and_shuts_it_out(
    people: People, hana: Record, sandbox: SandboxControl, visitor: Visitor
) -> None:
    page = visitor.page(people.admin)
    page.goto("/manager/")
    visit(page, "Senders")
    page.get_by_role("link", name="Add a sender").click()
    page.get_by_label("Name").fill("Dialer")
    page.get_by_role("button", name="Add sender").click()
    page.get_by_role("button", name="Issue a token").click()
    token = page.locator("[data-once]").inner_text()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_text(token)).to_have_count(0)

    said = {"key": "call-1", "kind": "call", "user": people.rep.email, "subject": "Dialled", "record": hana.crm_id}
    address, headers = f"{visitor.site}/api/v1/tasks", {"Authorization": f"Bearer {token}"}
    answer = requests.post(address, json=said, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["key"]) == (202, "call-1")
    work_off()
    assert in_crm(sandbox, "Dialled")["WhoId"] == hana.crm_id
    visit(page, "Task Sync")
    expect(page.get_by_role("row").filter(has_text="Dialled")).to_contain_text("Synced")
    visit(page, "Tasks")
    page.get_by_role("link", name="Dialled").click()
    expect(page.get_by_text("Dialer").first).to_be_visible()

    visit(page, "Senders")
    page.get_by_role("link", name="Dialer").click()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked").first).to_be_visible()
    answer = requests.post(address, json=said, headers=headers, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


def test_m7_an_admin_installs_the_package_and_sees_its_fields(
    people: People, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    gone = ("Playbooks_Key__c", "Play_Name__c", "Play_Step__c")
    sandbox.change_schema(fields=[{"object": "Task", "name": name, "removed": True} for name in gone])
    page = open_page("/manager/", people.admin)
    visit(page, "Fields")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Something is missing")).to_be_visible()
    for name in gone:
        expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("Missing")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the package").click()
    zipped = Path(download.value.path()).read_bytes()
    assert zipped == package_zip()
    assert sandbox.install_package(zipped) == ["Play_Name__c", "Play_Step__c", "Playbooks_Key__c"]
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Complete", exact=True)).to_be_visible()
    for name in gone:
        expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("from package 1")


CALLS = """Call ID,Agent Email,Date,Direction,Duration,To Number,Disposition,Notes
c-1,rosa@example.com,2025-03-31T14:05:00+02:00,Outgoing,2:05,+1 212 555 0141,Reached,She said yes.
c-2,nobody@example.com,2025-03-31T14:10:00+02:00,Outgoing,0:05,+1 212 555 0142,No answer,
c-3,rosa@example.com,2025-03-31T14:15:00+02:00,Incoming,1:00,+1 212 555 0143,Reached,
"""


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
def test_a_manager_imports_a_dialers_file_with_a_bad_line(
    people: People, sandbox: SandboxControl, open_page: OpenPage, scripts: bool
) -> None:
    page = open_page("/manager/sync/task/", people.manager, java_script_enabled=scripts)
    page.get_by_role("link", name="Import").first.click()
    file: Any = {"name": "calls.csv", "mimeType": "text/csv", "buffer": CALLS.encode()}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    work_off()
    page.reload()
    expect(page.get_by_text("You see no active user with this e-mail address or CRM user id.")).to_be_visible()
    assert not Task.objects.exists()
    page.get_by_role("button", name="Import 2 tasks without the refused lines").click()
    work_off()
    page.reload()
    expect(page.get_by_role("region", name="State of the import")).to_contain_text("Imported")
    page.get_by_role("link", name="See the tasks").click()
    for number in ("+1 212 555 0141", "+1 212 555 0143"):
        expect(page.get_by_role("row").filter(has_text=f"Call with {number}")).to_contain_text("Synced")
    assert Attempt.objects.count() == 2
    assert in_crm(sandbox, "Call with +1 212 555 0141")["CallDurationInSeconds"] == 125
