"""The promises about what stands in the CRM: completed here, sent by the real worker, read back from the sandbox."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.control import SandboxControl
from sync import connecting, plays
from sync.completion import Completion, complete, complete_many
from sync.connecting import gateway
from sync.enrolling import enrol_many
from sync.enums import CallDirection, DecisionCode, FailureMode, LinkChoice, OutboxState, TaskKind
from sync.linking import CandidateReason, candidates
from sync.models import Attempt, Connection, OutboxRow, Record, Task
from sync.refresh import fetch, known
from teams.crm_ids import to_18
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, UserFactory, crm_id
from tests.real_worker import work_off

pytestmark = pytest.mark.django_db(transaction=True)

HANA_NUMBER = "+1 212 555 0141"
GREETING = "שלום 👩‍👩‍👧 مرحبا\n"


@pytest.fixture
def rep(sandbox: SandboxControl) -> User:
    """Mara, who is a user of the org as well."""
    return UserFactory.create(name="Mara Lindqvist", crm_user_id=in_crm(sandbox, "User", FirstName="Mara"))


def in_crm(sandbox: SandboxControl, sobject: str, **values: str) -> str:
    """The id of the one row with these values."""
    (row,) = [row for row in sandbox.rows(sobject) if values.items() <= row.items()]
    return to_18(row["Id"])


def hana(sandbox: SandboxControl) -> str:
    return in_crm(sandbox, "Contact", LastName="Novak")


def deal(sandbox: SandboxControl) -> str:
    return in_crm(sandbox, "Opportunity", Name="Birchwood winter season")


def mirrored(connection: Connection, crm_id: str) -> Record:
    """The record as it was fetched."""
    record = known(connection, [crm_id])[crm_id]
    assert fetch(connection, gateway(connection), [record]) == {}
    return record


def call(user: User, **said: Any) -> Completion:
    return Completion(**{"user": user, "kind": TaskKind.CALL, "subject": "Discovery call", **said})


def written(sandbox: SandboxControl, task: Task) -> dict[str, Any]:
    """The one Task in the CRM that carries the task's key."""
    (row,) = [row for row in sandbox.rows("Task") if row.get("Playbooks_Key__c") == task.key]
    return dict(row)


def related(sandbox: SandboxControl, task: Task) -> tuple[str | None, str | None]:
    row = written(sandbox, task)
    return row.get("WhoId"), row.get("WhatId")


def decisions(task: Task) -> list[tuple[str, dict[str, Any]]]:
    return list(task.decisions.values_list("code", "detail"))


def refusal(task: Task) -> tuple[str, str]:
    """Why the CRM doesn't have it: mode and code; an attempt says it as well."""
    row = OutboxRow.objects.get(task=task)
    attempt = Attempt.objects.filter(task=task).latest("pk")
    assert (attempt.failure_mode, attempt.error_code) == (row.failure_mode, row.error_code)
    return row.failure_mode, row.error_code


def test_m1_a_call_stands_in_the_crm_field_by_field(connection: Connection, sandbox: SandboxControl, rep: User) -> None:
    rep.time_zone = "Europe/Stockholm"
    rep.save()
    task = complete(
        call(
            rep,
            description=GREETING,
            completed_at=datetime(2025, 3, 30, 22, 30, tzinfo=UTC),
            record=hana(sandbox),
            related_record=deal(sandbox),
            call_direction=CallDirection.OUTBOUND,
            call_duration_seconds=75,
            call_disposition="Connected",
            phone_number="(212) 555-0141",
        )
    )
    work_off()
    row = written(sandbox, task)
    assert {name: row[name] for name in row.keys() & _WRITTEN} == {
        "Subject": "Discovery call",
        "Description": GREETING,
        "Status": "Completed",
        "ActivityDate": "2025-03-31",
        "OwnerId": rep.crm_user_id,
        "WhoId": hana(sandbox),
        "WhatId": deal(sandbox),
        "TaskSubtype": "Call",
        "Type": "Call",
        "CallType": "Outbound",
        "CallDurationInSeconds": 75,
        "CallDisposition": "Connected",
        "CallObject": "+12125550141",
    }
    task.refresh_from_db()
    assert (task.crm_id, OutboxRow.objects.get().state) == (row["Id"], OutboxState.DONE)


_WRITTEN = {
    *("Subject", "Description", "Status", "ActivityDate", "OwnerId", "WhoId", "WhatId", "TaskSubtype", "Type"),
    *("CallType", "CallDurationInSeconds", "CallDisposition", "CallObject", "Play_Name__c", "Play_Step__c"),
}


@pytest.mark.parametrize(("kind", "subtype"), [("call", "Call"), ("email", "Email"), ("other", "Task")])
def test_m1_m5_every_kind_from_a_play_and_ad_hoc(
    connection: Connection, sandbox: SandboxControl, rep: User, kind: str, subtype: str
) -> None:
    play = PlayFactory.create(name="New customers")
    PlayStepFactory.create(play=play, kind=kind, name="First touch")
    plays.enrol(play, mirrored(connection, hana(sandbox)), rep)
    planned = complete(Completion(user=rep, task=Task.objects.get()))
    ad_hoc = complete(Completion(user=rep, kind=kind, subject="Ad hoc", record=hana(sandbox)))
    work_off()
    first, second = written(sandbox, planned), written(sandbox, ad_hoc)
    assert (first["Play_Name__c"], first["Play_Step__c"]) == ("New customers", "First touch")
    assert (second.get("Play_Name__c"), second.get("Play_Step__c")) == (None, None)
    assert (first["TaskSubtype"], second["TaskSubtype"]) == (subtype, subtype)
    assert first["WhoId"] == second["WhoId"] == hana(sandbox)


@pytest.mark.parametrize("sobject", ["Account", "Contact", "Lead", "Opportunity"])
def test_m2_four_kinds_are_written_to(connection: Connection, sandbox: SandboxControl, rep: User, sobject: str) -> None:
    record = to_18(sandbox.rows(sobject)[0]["Id"])
    task = complete(call(rep, record=record))
    work_off()
    expected = (record, None) if sobject in ("Contact", "Lead") else (None, record)
    assert related(sandbox, task) == expected
    # What the CRM knows of it is here now.
    assert Record.objects.get().fetched_at is not None


def test_m2_a_record_that_the_crm_does_not_have_is_said(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    lost, fine = complete_many([call(rep, record=crm_id("003", 404)), call(rep, record=hana(sandbox))])
    assert isinstance(lost, Task)
    assert isinstance(fine, Task)
    work_off()
    assert refusal(lost) == (FailureMode.DATA, "RECORD_NOT_FOUND")
    assert related(sandbox, fine) == (hana(sandbox), None)
    assert len(sandbox.rows("Task")) == 1


def test_m3_person_and_record_stand_on_one_task(connection: Connection, sandbox: SandboxControl, rep: User) -> None:
    birch = in_crm(sandbox, "Account", Name="Birchwood Lodges")
    opportunity = complete(call(rep, record=deal(sandbox), related_record=hana(sandbox)))
    account = complete(call(rep, record=hana(sandbox), related_record=birch))
    work_off()
    assert related(sandbox, opportunity) == (hana(sandbox), deal(sandbox))
    assert related(sandbox, account) == (hana(sandbox), birch)


def test_m3_a_lead_with_an_opportunity_keeps_the_lead(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    lead = in_crm(sandbox, "Lead", LastName="Raman")
    task = complete(call(rep, record=lead, related_record=deal(sandbox)))
    work_off()
    assert related(sandbox, task) == (lead, None)
    assert decisions(task) == [
        (DecisionCode.LEAD_WITHOUT_WHAT, {"kind": "opportunity", "crm_id": deal(sandbox)}),
    ]


def test_m3_a_person_account_is_written_to_through_its_contact(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    """Nobody knows yet that it is one when the task is completed."""
    contact = to_18(sandbox.add("Contact", {"LastName": "Okoye"})["Id"])
    values = {"Name": "Ada Okoye", "PersonContactId": contact, "IsPersonAccount": True}
    account = to_18(sandbox.add("Account", values)["Id"])
    alone = complete(call(rep, record=account))
    work_off()
    with_deal = complete(call(rep, record=account, related_record=deal(sandbox)))
    work_off()
    assert related(sandbox, alone) == (contact, None)
    assert related(sandbox, with_deal) == (contact, deal(sandbox))


def test_m3_several_tasks_of_one_batch_learn_together_that_an_account_is_a_person(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    contact = to_18(sandbox.add("Contact", {"LastName": "Okoye"})["Id"])
    values = {"Name": "Ada Okoye", "PersonContactId": contact, "IsPersonAccount": True}
    account = to_18(sandbox.add("Account", values)["Id"])
    tasks = complete_many([call(rep, record=account) for _each in range(3)])
    work_off()
    assert [related(sandbox, task) for task in tasks if isinstance(task, Task)] == [(contact, None)] * 3


def test_m3_an_account_that_is_no_person_gives_way_to_the_opportunity(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    birch = in_crm(sandbox, "Account", Name="Birchwood Lodges")
    task = complete(call(rep, record=birch, related_record=deal(sandbox)))
    work_off()
    assert related(sandbox, task) == (None, deal(sandbox))
    assert decisions(task) == [(DecisionCode.ACCOUNT_WITHOUT_WHAT, {"kind": "account", "crm_id": birch})]


def test_m4_a_number_alone_makes_no_history_but_what_was_chosen_does(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    mirrored(connection, hana(sandbox))
    before = complete(call(rep, phone_number=HANA_NUMBER))
    chosen = complete(call(rep, record=hana(sandbox), choice=LinkChoice.PAGE))
    after = complete(call(rep, phone_number=HANA_NUMBER))
    work_off()
    assert related(sandbox, before) == (None, None)
    assert related(sandbox, chosen) == related(sandbox, after) == (hana(sandbox), None)
    assert decisions(before) == [(DecisionCode.NO_HISTORY, {"by": "phone", "matches": 1})]
    assert decisions(after) == [
        (DecisionCode.PERSON_MATCHED, {"by": "phone", "kind": "contact", "crm_id": hana(sandbox)})
    ]


def test_m4_an_enrolment_is_a_history_also_for_an_email(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    plays.enrol(PlayStepFactory.create().play, mirrored(connection, hana(sandbox)), rep)
    task = complete(Completion(user=rep, kind="email", subject="Offer", email_address="Hana.Novak@birchwood.example"))
    work_off()
    assert related(sandbox, task) == (hana(sandbox), None)


def test_m4_m5_a_selection_is_enrolled_and_its_tasks_name_play_and_step(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    """What is done from a play goes to the record, under the step's filled texts; then the enrolment has ended."""
    play = PlayFactory.create(name="New customers")
    PlayStepFactory.create(play=play, name="First touch", subject="Call {first_name}", description="From {rep}.")
    record = mirrored(connection, hana(sandbox))
    (enrolment,) = enrol_many(play, [record], rep, rep).enrolments
    task = complete(Completion(user=rep, task=enrolment.tasks.get()))
    after = complete(call(rep, phone_number=HANA_NUMBER))
    work_off()
    row = written(sandbox, task)
    assert (row["WhoId"], row["Play_Name__c"], row["Play_Step__c"]) == (record.crm_id, "New customers", "First touch")
    assert (row["Subject"], row["Description"]) == (f"Call {record.fields['FirstName']}", "From Mara Lindqvist.")
    enrolment.refresh_from_db()
    assert enrolment.ended_at is not None
    assert written(sandbox, after)["WhoId"] == record.crm_id


def test_m5_an_ad_hoc_task_names_no_play_even_on_an_enrolled_record(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    play = PlayFactory.create(name="New customers")
    PlayStepFactory.create(play=play, name="First touch")
    plays.enrol(play, mirrored(connection, hana(sandbox)), rep)
    task = complete(call(rep, record=hana(sandbox)))
    work_off()
    row = written(sandbox, task)
    assert (row["WhoId"], row.get("Play_Name__c"), row.get("Play_Step__c")) == (hana(sandbox), None, None)


def test_m6_an_orphan_is_written_unrelated_and_has_candidates(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    record = mirrored(connection, hana(sandbox))
    task = complete(call(rep, phone_number="212 555 0141"))
    work_off()
    assert related(sandbox, task) == (None, None)
    assert (written(sandbox, task)["CallObject"], list(Task.objects.orphans())) == ("+12125550141", [task])
    assert [(one.record, one.reason) for one in candidates(task)] == [(record, CandidateReason.SAME_NUMBER)]


def test_m7_only_fields_that_the_org_has_are_sent(connection: Connection, sandbox: SandboxControl, rep: User) -> None:
    sandbox.change_schema(
        fields=[
            {"object": "Task", "name": "Play_Name__c", "removed": True},
            {"object": "Task", "name": "Play_Step__c", "hidden": True},
        ]
    )
    connecting.read_schema(connection, gateway(connection))
    plays.enrol(PlayStepFactory.create().play, mirrored(connection, hana(sandbox)), rep)
    task = complete(Completion(user=rep, task=Task.objects.get()))
    work_off()
    assert related(sandbox, task) == (hana(sandbox), None)
    assert decisions(task) == [
        (DecisionCode.FIELD_LEFT_OUT, {"slot": "play_name"}),
        (DecisionCode.FIELD_LEFT_OUT, {"slot": "play_step"}),
    ]


def test_m7_standard_fields_need_no_set_up(connection: Connection, sandbox: SandboxControl) -> None:
    """And a rep whom the org doesn't know gets their Task through the Access User, who is told in the log."""
    task = complete(call(UserFactory.create(), description="d" * 40_000))
    work_off()
    row = written(sandbox, task)
    assert (len(row["Description"]), row["OwnerId"]) == (31_999, connection.access_user_id)
    assert row["Description"].endswith("d… [8038 more characters in Playbooks]")
    assert decisions(task) == [
        (DecisionCode.OWNER_IS_ACCESS_USER, {}),
        (DecisionCode.TRUNCATED, {"slot": "description", "length": 40_000, "limit": 32_000}),
    ]
    assert len(Task.objects.get().description) == 40_000


def test_m25_a_validation_rule_is_shown_in_its_own_words(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    message = "Calls need a disposition. (Ask Revenue Operations.)"
    rule = {
        "object": "Task",
        "name": "Disposition",
        "message": message,
        "condition": {"field": "CallDisposition", "blank": True},
    }
    sandbox.change_schema(validation_rules=[rule])
    task = complete(call(rep))
    work_off()
    assert refusal(task) == (FailureMode.CONFIGURATION, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    row = OutboxRow.objects.get()
    assert (row.error_message, row.state) == (message, OutboxState.PENDING)
