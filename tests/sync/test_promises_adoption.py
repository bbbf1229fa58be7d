"""The promise about orphaned calls: adopted here, seen in the CRM; sent by the real worker, read from the sandbox."""

from typing import Any

import pytest

from sandbox.control import SandboxControl
from sync import connecting
from sync.adoption import adopt, undo
from sync.completion import Completion, complete
from sync.enums import AttemptOutcome, DecisionCode, OutboxState, TaskKind
from sync.linking import CandidateReason, candidates
from sync.models import Adoption, Attempt, Connection, OutboxRow, Task
from sync.refresh import fetch, known
from teams.crm_ids import to_18
from teams.models import User
from tests.factories import UserFactory
from tests.real_worker import work_off

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+1 212 555 0141"


@pytest.fixture
def rep() -> User:
    return UserFactory.create(name="Mara Lindqvist")


def orphaned(rep: User) -> Task:
    task = complete(Completion(user=rep, kind=TaskKind.CALL, subject="Call back", phone_number=NUMBER))
    assert task.is_orphan
    return task


def in_crm(sandbox: SandboxControl, sobject: str, **values: str) -> str:
    """The id of the one row with these values."""
    (row,) = [row for row in sandbox.rows(sobject) if values.items() <= row.items()]
    return to_18(row["Id"])


def hana(sandbox: SandboxControl) -> str:
    return in_crm(sandbox, "Contact", LastName="Novak")


def written(sandbox: SandboxControl, task: Task) -> dict[str, Any]:
    (row,) = [row for row in sandbox.rows("Task") if row.get("Playbooks_Key__c") == task.key]
    return dict(row)


def related(sandbox: SandboxControl, task: Task) -> tuple[str | None, str | None]:
    row = written(sandbox, task)
    return row.get("WhoId"), row.get("WhatId")


def test_m6_an_orphan_that_is_adopted_here_gets_its_record_in_the_crm(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    (record,) = known(connection, [hana(sandbox)]).values()
    assert fetch(connection, connecting.gateway(connection), [record]) == {}
    task = orphaned(rep)
    work_off()
    assert related(sandbox, task) == (None, None)
    (offered,) = candidates(task)
    assert (offered.record, offered.reason) == (record, CandidateReason.SAME_NUMBER)
    sandbox.edit("Task", written(sandbox, task)["Id"], {"Description": "Edited in the CRM", "Subject": "Mine"})
    adoption = adopt(task, offered.record, rep)
    work_off()
    row = written(sandbox, task)
    assert (row["WhoId"], row.get("WhatId")) == (hana(sandbox), None)
    assert (row["Description"], row["Subject"]) == ("Edited in the CRM", "Mine")
    undo(adoption, rep)
    work_off()
    assert related(sandbox, task) == (None, None)
    assert written(sandbox, task)["Description"] == "Edited in the CRM"
    assert list(Task.objects.orphans()) == [task]
    assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.DONE}
    assert list(Attempt.objects.values_list("outcome", flat=True)) == [AttemptOutcome.WRITTEN] * 3
    assert sandbox.stats()["duplicates"] == []


def test_m6_an_orphan_is_adopted_with_its_opportunity(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    """By CRM ids that nobody had mirrored: the worker fetches them first."""
    task = orphaned(rep)
    work_off()
    deal = in_crm(sandbox, "Opportunity", Name="Birchwood winter season")
    adoption = adopt(task, hana(sandbox), rep, deal)
    work_off()
    assert related(sandbox, task) == (hana(sandbox), deal)
    adoption.refresh_from_db()
    assert adoption.record.name == "Hana Novak"
    undo(adoption, rep)
    work_off()
    assert related(sandbox, task) == (None, None)


def test_m6_a_call_that_is_adopted_before_it_is_sent_goes_out_with_its_record(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    task = orphaned(rep)
    adopt(task, hana(sandbox), rep)
    work_off()
    assert (related(sandbox, task), OutboxRow.objects.count()) == ((hana(sandbox), None), 1)


def test_m6_a_wrong_adoption_is_undone_and_made_right(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    task = orphaned(rep)
    work_off()
    lead = to_18(next(row["Id"] for row in sandbox.rows("Lead") if not row.get("IsConverted")))
    undo(adopt(task, lead, rep), rep)
    adopt(task, hana(sandbox), rep)
    work_off()
    assert related(sandbox, task) == (hana(sandbox), None)
    codes = list(task.decisions.values_list("code", flat=True))
    assert codes[-3:] == [DecisionCode.ADOPTED, DecisionCode.ADOPTION_UNDONE, DecisionCode.ADOPTED]


def test_m4_m6_an_adoption_gives_the_record_a_history(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    (record,) = known(connection, [hana(sandbox)]).values()
    fetch(connection, connecting.gateway(connection), [record])
    adopt(orphaned(rep), record, rep)
    again = complete(Completion(user=rep, kind=TaskKind.CALL, subject="Again", phone_number=NUMBER))
    assert (again.who, again.is_orphan) == (record, False)


def test_m6_a_call_whose_task_was_deleted_in_the_crm_is_not_made_again(
    connection: Connection, sandbox: SandboxControl, rep: User
) -> None:
    task = orphaned(rep)
    work_off()
    sandbox.delete("Task", written(sandbox, task)["Id"])
    adopt(task, hana(sandbox), rep)
    work_off()
    assert written(sandbox, task)["IsDeleted"]
    assert task.decisions.filter(code=DecisionCode.DELETED_IN_CRM).exists()
    assert Attempt.objects.filter(error_code="ENTITY_IS_DELETED").count() == 1
    assert Adoption.objects.standing().count() == 1
