"""The promises, from a form that a rep sends to what stands in the CRM: through the pages, sent by the real worker."""

from typing import Any

import pytest
from django.test import Client

from sandbox.control import SandboxControl
from sync import plays
from sync.connecting import gateway
from sync.enums import TaskKind
from sync.models import Connection, Record, Task
from sync.refresh import fetch, known
from teams.crm_ids import to_18
from teams.models import Organisation, User
from tests.factories import PlayFactory, PlayStepFactory, UserFactory
from tests.people import logged_in
from tests.real_worker import work_off

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN_NUMBER = "+49 30 901820"


@pytest.fixture
def rep(connection: Connection) -> User:
    Organisation.load()
    return UserFactory.create(name="Mara")


@pytest.fixture
def client(rep: User) -> Client:
    return logged_in(rep)


@pytest.fixture
def hana(connection: Connection, sandbox: SandboxControl) -> Record:
    """A contact of the org, as it was fetched."""
    (row,) = [row for row in sandbox.rows("Contact") if row["LastName"] == "Novak"]
    crm_id = to_18(row["Id"])
    record = known(connection, [crm_id])[crm_id]
    assert fetch(connection, gateway(connection), [record]) == {}
    return record


def written(sandbox: SandboxControl) -> dict[str, Any]:
    """The one Task in the CRM that a task of ours carried its key into."""
    keys = set(Task.objects.values_list("key", flat=True))
    (row,) = [row for row in sandbox.rows("Task") if row.get("Playbooks_Key__c") in keys]
    return dict(row)


def step(record: Record, rep: User, kind: TaskKind) -> Task:
    play = PlayFactory.create(name="Winter campaign")
    PlayStepFactory.create(play=play, kind=kind, name="Follow up", description="Ask about lifts")
    return plays.enrol(play, record, rep).tasks.get()


@pytest.mark.parametrize(("kind", "subtype"), [("call", "Call"), ("email", "Email"), ("other", "Task")])
def test_m1_a_step_completed_on_its_page_stands_in_the_crm(
    sandbox: SandboxControl, hana: Record, rep: User, client: Client, kind: str, subtype: str
) -> None:
    task = step(hana, rep, TaskKind(kind))
    said = {"subject": "Asked about lifts", "description": "They want\r\ntwo", "completed_at": "2025-03-31T14:05"}
    extra = {"call_direction": "outbound", "call_duration_seconds": "1:15"} if kind == "call" else {}
    assert client.post(f"/tasks/{task.uuid}/complete/", said | extra).status_code == 302
    work_off()
    row = written(sandbox)
    assert (row["Subject"], row["Description"], row["ActivityDate"]) == (
        "Asked about lifts",
        "They want\ntwo",
        "2025-03-31",
    )
    assert (row["TaskSubtype"], row["WhoId"], row["Status"]) == (subtype, hana.crm_id, "Completed")
    assert (row["Play_Name__c"], row["Play_Step__c"]) == ("Winter campaign", "Follow up")
    if kind == "call":
        assert (row["CallType"], row["CallDurationInSeconds"]) == ("Outbound", 75)
    html = client.get("/tasks/?show=completed").content.decode()
    assert html.count(">Synced</span>") == 1


@pytest.mark.parametrize("kind", TaskKind.values)
def test_m5_an_ad_hoc_task_leaves_play_name_and_step_blank(
    sandbox: SandboxControl, hana: Record, rep: User, client: Client, kind: str
) -> None:
    step(hana, rep, TaskKind(kind))
    said = {"kind": kind, "subject": "By the way", "record": str(hana.uuid)}
    assert client.post("/tasks/new/", said).status_code == 302
    work_off()
    row = written(sandbox)
    assert (row["Subject"], row["WhoId"]) == ("By the way", hana.crm_id)
    assert (row.get("Play_Name__c"), row.get("Play_Step__c")) == (None, None)


def test_m6_a_call_to_an_unknown_number_stands_unrelated_in_the_crm(
    sandbox: SandboxControl, hana: Record, client: Client
) -> None:
    client.post("/tasks/new/", {"kind": "call", "subject": "Somebody asked", "phone_number": UNKNOWN_NUMBER})
    work_off()
    row = written(sandbox)
    assert (row.get("WhoId"), row.get("WhatId"), row["Subject"]) == (None, None, "Somebody asked")


def test_m1_two_who_send_one_form_write_one_task(
    sandbox: SandboxControl, hana: Record, rep: User, client: Client
) -> None:
    task = step(hana, rep, TaskKind.OTHER)
    for _time in range(2):
        client.post(f"/tasks/{task.uuid}/complete/", {"subject": "Done"})
    work_off()
    assert written(sandbox)["Subject"] == "Done"


def test_nothing_of_a_skipped_step_reaches_the_crm(
    sandbox: SandboxControl, hana: Record, rep: User, client: Client
) -> None:
    before = len(sandbox.rows("Task"))
    client.post(f"/tasks/{step(hana, rep, TaskKind.CALL).uuid}/skip/")
    work_off()
    assert len(sandbox.rows("Task")) == before
