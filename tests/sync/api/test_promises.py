"""The promises for tasks that other tools hand in: over HTTP, sent by the real worker, read back from the sandbox."""

from typing import Any

import pytest

from sandbox.control import SandboxControl
from sync.enums import DecisionCode, TaskSource
from sync.linking import with_history
from sync.models import Connection, ReceivedTask, Record, Task
from teams.crm_ids import to_18
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, UserFactory
from tests.people import People
from tests.real_worker import work_off
from tests.sync.api.conftest import Dialer, call, make_rule, track_and_sync

pytestmark = pytest.mark.django_db(transaction=True)


def in_crm(sandbox: SandboxControl, sobject: str, **values: str) -> str:
    (row,) = [row for row in sandbox.rows(sobject) if values.items() <= row.items()]
    return to_18(row["Id"])


def tasks_of(sandbox: SandboxControl, task_id: str) -> list[dict[str, Any]]:
    """What stands in the CRM with the task's key."""
    key = Task.objects.get(uuid=task_id).key
    return [dict(row) for row in sandbox.rows("Task") if row.get("Playbooks_Key__c") == key]


@pytest.fixture
def mara(sandbox: SandboxControl, people: People) -> User:
    return UserFactory.create(name="Mara Lindqvist", crm_user_id=in_crm(sandbox, "User", FirstName="Mara"))


def test_m1_b8_a_task_of_another_tool_stands_in_the_crm_field_by_field(
    connection: Connection, sandbox: SandboxControl, dialer: Dialer, mara: User
) -> None:
    play = PlayFactory.create(name="New customers")
    PlayStepFactory.create(play=play, name="First touch")
    hana = in_crm(sandbox, "Contact", LastName="Novak")
    said = call(
        mara,
        description="שלום 👩‍👩‍👧",
        completed_at="2025-03-31T14:05:00+02:00",
        record=hana,
        related_record=in_crm(sandbox, "Opportunity", Name="Birchwood winter season"),
        phone_number="(212) 555-0141",
        call={"direction": "outbound", "duration_seconds": 75, "disposition": "Connected"},
        play="new customers",
        play_step="first touch",
    )
    answer = dialer.post(said)
    assert not Record.objects.exclude(fetched_at=None).exists()
    work_off()
    (row,) = tasks_of(sandbox, answer["id"])
    assert {name: row[name] for name in row.keys() & _WRITTEN} == {
        "Subject": "Discovery call",
        "Description": "שלום 👩‍👩‍👧",
        "Status": "Completed",
        "ActivityDate": "2025-03-31",
        "OwnerId": mara.crm_user_id,
        "WhoId": hana,
        "WhatId": in_crm(sandbox, "Opportunity", Name="Birchwood winter season"),
        "TaskSubtype": "Call",
        "CallType": "Outbound",
        "CallDurationInSeconds": 75,
        "CallDisposition": "Connected",
        "Play_Name__c": "New customers",
        "Play_Step__c": "First touch",
    }
    told = dialer.get(f"/{answer['id']}")
    assert (told["state"], told["is_final"], told["crm_task_id"], told["who"]) == ("synced", True, row["Id"], hana)
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["written"]
    assert Record.objects.get(crm_id=hana).fetched_at is not None
    assert Task.objects.get(uuid=answer["id"]).source == TaskSource.API


_WRITTEN = {
    *("Subject", "Description", "Status", "ActivityDate", "OwnerId", "WhoId", "WhatId", "TaskSubtype"),
    *("CallType", "CallDurationInSeconds", "CallDisposition", "Play_Name__c", "Play_Step__c"),
}


def test_b8_equal_keys_stand_in_the_crm_once(
    connection: Connection, sandbox: SandboxControl, dialer: Dialer, mara: User
) -> None:
    first = dialer.post(call(mara))
    assert dialer.post([call(mara), call(mara)])[1]["id"] == first["id"]
    work_off()
    again = dialer.post(call(mara))
    assert (again["id"], again["state"], again["created"]) == (first["id"], "synced", False)
    work_off()
    assert len(tasks_of(sandbox, first["id"])) == 1
    assert len([row for row in sandbox.rows("Task") if row["Subject"] == "Discovery call"]) == 1


def test_b8_a_refused_task_tells_the_crms_own_code_and_words(
    connection: Connection, sandbox: SandboxControl, dialer: Dialer, mara: User
) -> None:
    sandbox.add_fault("row_error", statusCode="FIELD_CUSTOM_VALIDATION_EXCEPTION", message="Every call needs a result")
    answer = dialer.post(call(mara))
    work_off()
    told = dialer.get(f"/{answer['id']}")
    assert (told["state"], told["is_final"]) == ("waiting", False)
    assert "Every call needs a result" in told["reason"]
    assert told["next_try_at"] is not None
    (attempt,) = told["attempts"]
    assert attempt["error_code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert attempt["error_message"] == "Every call needs a result"
    assert [task["key"] for task in dialer.get(state="waiting")["items"]] == ["call-1"]


def test_m4_b8_a_record_that_a_tool_names_has_a_history_afterwards(
    connection: Connection, sandbox: SandboxControl, dialer: Dialer, mara: User
) -> None:
    hana = in_crm(sandbox, "Contact", LastName="Novak")
    explicit = dialer.post(call(mara, record=hana))
    work_off()
    record = Record.objects.get(crm_id=hana)
    assert with_history([record.pk]) == {record.pk}
    by_number = dialer.post(call(mara, "call-2", phone_number="+1 212 555 0141"))
    work_off()
    assert dialer.get(f"/{by_number['id']}")["who"] == hana
    assert tasks_of(sandbox, by_number["id"])[0]["WhoId"] == tasks_of(sandbox, explicit["id"])[0]["WhoId"] == hana
    codes = Task.objects.get(uuid=by_number["id"]).decisions.values_list("code", flat=True)
    assert DecisionCode.PERSON_MATCHED in codes


def test_m6_b8_a_call_to_an_unknown_number_is_an_orphan(
    connection: Connection, sandbox: SandboxControl, dialer: Dialer, mara: User
) -> None:
    answer = dialer.post(call(mara, phone_number="+1 415 555 0199"))
    work_off()
    told = dialer.get(f"/{answer['id']}")
    assert (told["state"], told["is_orphaned"], told["who"], told["what"]) == ("synced", True, None, None)


def test_m17_b8_track_and_sync_is_logged_unless_a_blacklist_stops_it(
    connection: Connection, sandbox: SandboxControl, dialer: Dialer, mara: User
) -> None:
    before = len(sandbox.rows("Task"))
    make_rule("confidential", "keyword", mara)
    stopped, logged = dialer.post(
        [
            track_and_sync(mara, "1", description="This is confidential."),
            track_and_sync(mara, "2", description="Our new skis."),
        ]
    )
    work_off()
    assert (stopped["state"], logged["state"]) == ("stopped", "waiting")
    assert len(sandbox.rows("Task")) == before + 1
    (row,) = tasks_of(sandbox, logged["id"])
    assert (row["TaskSubtype"], row["Description"]) == ("Email", "Our new skis.")
    assert dialer.get(f"/{stopped['id']}")["stopped_by"] == "user"
    received = ReceivedTask.objects.get(key="1")
    assert (received.task, Task.objects.count()) == (None, 1)
    dialer.sender.is_outlook_plugin = True
    dialer.sender.save()
    (plugin,) = dialer.post([track_and_sync(mara, "3", description="This is confidential.")])
    work_off()
    assert dialer.get(f"/{plugin['id']}")["state"] == "synced"
