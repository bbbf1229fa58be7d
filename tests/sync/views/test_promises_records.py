"""Promises about what is logged from a record's page: posted as a browser does, sent by the real worker, read back."""

from typing import Any
from uuid import uuid4

import pytest

from sandbox.control import SandboxControl
from sync import connecting
from sync.enums import LinkChoice, TaskKind
from sync.models import Connection, Enrolment, Record, Task
from sync.refresh import fetch, known
from teams.crm_ids import to_18
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, UserFactory
from tests.people import logged_in
from tests.real_worker import work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rep() -> User:
    return UserFactory.create(name="Mara Lindqvist")


def in_crm(sandbox: SandboxControl, sobject: str, **values: str) -> str:
    (row,) = [row for row in sandbox.rows(sobject) if values.items() <= row.items()]
    return to_18(row["Id"])


def mirrored(connection: Connection, crm_id: str) -> Record:
    record = known(connection, [crm_id])[crm_id]
    assert fetch(connection, connecting.gateway(connection), [record]) == {}
    return record


def related(sandbox: SandboxControl, task: Task) -> tuple[str | None, str | None]:
    (row,) = [row for row in sandbox.rows("Task") if row.get("Playbooks_Key__c") == task.key]
    return row.get("WhoId"), row.get("WhatId")


def log(user: User, record: Record, kind: TaskKind = TaskKind.CALL, **values: Any) -> str:
    said = {"subject": "Talked", "call_direction": "outbound", "form_key": uuid4(), **values}
    return logged_in(user).post(f"/records/{record.uuid}/log/{kind}/", said, follow=True).content.decode()


@pytest.fixture
def hana(connection: Connection, sandbox: SandboxControl) -> Record:
    return mirrored(connection, in_crm(sandbox, "Contact", LastName="Novak"))


@pytest.fixture
def deal(connection: Connection, sandbox: SandboxControl, hana: Record) -> Record:
    return mirrored(connection, in_crm(sandbox, "Opportunity", Name="Birchwood winter season"))


def test_m4_what_is_completed_on_a_records_page_needs_no_history_and_is_one(
    connection: Connection, sandbox: SandboxControl, rep: User, hana: Record
) -> None:
    number = hana.phones.earliest("pk").number
    page = log(rep, hana, known_number=number)
    assert "It is logged on" in page
    assert "Waiting" in page
    task = Task.objects.get()
    assert (task.link_choice, task.who_id) == (LinkChoice.PAGE, hana.pk)
    work_off()
    assert related(sandbox, task) == (hana.crm_id, None)
    # The page that waited for it is told.
    address = f"/records/{hana.uuid}/states/?look=1&task={task.uuid}"
    assert "Synced" in logged_in(rep).get(address).content.decode()
    # From now on the number alone is enough.
    said = {"kind": "call", "subject": "Again", "phone_number": number, "call_direction": "inbound"}
    logged_in(rep).post("/tasks/new/", {**said, "form_key": uuid4()})
    again = Task.objects.get(subject="Again")
    assert (again.link_choice, again.who_id) == (LinkChoice.MATCH, hana.pk)


def test_m3_on_a_contacts_page_a_deal_goes_along(
    connection: Connection, sandbox: SandboxControl, rep: User, hana: Record, deal: Record
) -> None:
    assert hana.account_crm_id == deal.account_crm_id
    log(rep, hana, TaskKind.EMAIL, related_record=deal.uuid)
    work_off()
    assert related(sandbox, Task.objects.get()) == (hana.crm_id, deal.crm_id)


def test_m3_on_an_opportunitys_page_the_contact_is_the_person(
    connection: Connection, sandbox: SandboxControl, rep: User, hana: Record, deal: Record
) -> None:
    log(rep, deal, TaskKind.OTHER, related_record=hana.uuid)
    work_off()
    task = Task.objects.get()
    assert related(sandbox, task) == (hana.crm_id, deal.crm_id)
    for record in (hana, deal):
        assert "Talked" in logged_in(rep).get(f"/records/{record.uuid}/").content.decode()


def test_m3_on_an_opportunitys_page_it_may_stand_alone(
    connection: Connection, sandbox: SandboxControl, rep: User, deal: Record
) -> None:
    log(rep, deal)
    work_off()
    assert related(sandbox, Task.objects.get()) == (None, deal.crm_id)


def test_m3_a_lead_has_nothing_else_and_the_page_says_so(
    connection: Connection, sandbox: SandboxControl, rep: User, deal: Record
) -> None:
    lead = mirrored(connection, to_18(sandbox.rows("Lead")[0]["Id"]))
    form = logged_in(rep).get(f"/records/{lead.uuid}/log/call/").content.decode()
    assert "relates a task with a Lead to nothing else" in form
    assert 'name="related_record"' not in form
    log(rep, lead, related_record=deal.uuid)
    work_off()
    assert related(sandbox, Task.objects.get()) == (lead.crm_id, None)


def test_m4_a_play_started_on_the_page_is_a_history(
    connection: Connection, sandbox: SandboxControl, rep: User, hana: Record
) -> None:
    play = PlayFactory.create()
    PlayStepFactory.create(play=play)
    logged_in(rep).post(f"/records/{hana.uuid}/start-play/", {"play": play.uuid})
    assert Enrolment.objects.get().record == hana
    said = {"kind": "call", "subject": "Rang", "phone_number": hana.phones.earliest("pk").number}
    logged_in(rep).post("/tasks/new/", {**said, "call_direction": "inbound", "form_key": uuid4()})
    work_off()
    assert related(sandbox, Task.objects.get(subject="Rang")) == (hana.crm_id, None)


def test_m2_a_record_that_is_opened_by_its_id_is_fetched(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    key = in_crm(sandbox, "Contact", LastName="Novak")
    page = logged_in(rep).post("/records/open/", {"crm_id": key}, follow=True).content.decode()
    assert "It is being fetched from the CRM" in page
    work_off()
    page = logged_in(rep).get(f"/records/{Record.objects.get().uuid}/").content.decode()
    assert "Novak" in page
    assert "being fetched" not in page
    assert "Novak" in logged_in(rep).get("/records/?q=novak").content.decode()


def test_m2_a_record_that_the_crm_doesnt_have_stays_unfetched(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    (record,) = known(connection, [to_18("003ZzZzZzZzZzZz")]).values()
    logged_in(rep).get(f"/records/{record.uuid}/")
    work_off()
    record.refresh_from_db()
    assert record.fetched_at is None
