"""M7: what is sent depends on the fields that the org has, and on which of them an admin chose."""

from typing import Any

import pytest

from sandbox.control import SandboxControl
from sync import crm_fields, jobs
from sync.completion import Completion, complete
from sync.crm.package import package_zip
from sync.enums import CallDirection, DecisionCode, OutboxState, Slot, TaskKind
from sync.models import Connection, FieldMapping, OutboxRow, PlayStep, Task
from tests.factories import PlayStepFactory, UserFactory
from tests.real_worker import work_off

pytestmark = pytest.mark.django_db(transaction=True)

OWN = ("Playbooks_Key__c", "Play_Name__c", "Play_Step__c")


def remove(sandbox: SandboxControl, *names: str) -> None:
    sandbox.change_schema(fields=[{"object": "Task", "name": name, "removed": True} for name in names])


def own(name: str, **attributes: Any) -> dict[str, Any]:
    return {"object": "Task", "name": name, **attributes}


def call_of_a_play(**said: Any) -> Task:
    """A completed step of the play Spring."""
    step = PlayStep.objects.filter(play__name="Spring").select_related("play").first()
    step = step or PlayStepFactory.create(play__name="Spring", name="First call")
    values = {"call_disposition": "Connected", "call_duration_seconds": 75, "phone_number": "+1 212 555 0141", **said}
    return complete(
        Completion(
            user=UserFactory.create(),
            step=step,
            kind=TaskKind.CALL,
            subject="Spring call",
            call_direction=CallDirection.OUTBOUND,
            **values,
        )
    )


def arrived(sandbox: SandboxControl) -> dict[str, Any]:
    """The newest Task."""
    return dict(sandbox.rows("Task")[-1])


def left_out(task: Task) -> set[str]:
    decisions = task.decisions.filter(code=DecisionCode.FIELD_LEFT_OUT)
    return {detail["slot"] for detail in decisions.values_list("detail", flat=True)}


def choose(connection: Connection, **names: str) -> None:
    """As the page does in another process: nothing but the choice is stored."""
    new = {Slot(slot): name for slot, name in names.items()}
    crm_fields.choose(connection, new, seen=FieldMapping.objects.names())


def test_m7_without_the_package_only_standard_fields_are_sent(connection: Connection, sandbox: SandboxControl) -> None:
    remove(sandbox, *OWN)
    jobs.read_schemas()
    task = call_of_a_play()
    work_off()
    row = arrived(sandbox)
    assert (row["Subject"], row["CallDisposition"], row["CallObject"]) == ("Spring call", "Connected", task.key)
    assert [name for name in row if name.endswith("__c")] == []
    assert OutboxRow.objects.get().state == OutboxState.DONE
    assert left_out(task) == {"play_name", "play_step"}


def test_m7_once_the_package_is_installed_they_are_pushed(connection: Connection, sandbox: SandboxControl) -> None:
    remove(sandbox, *OWN)
    jobs.read_schemas()
    assert sandbox.install_package(package_zip()) == ["Play_Name__c", "Play_Step__c", "Playbooks_Key__c"]
    crm_fields.look(connection)
    task = call_of_a_play()
    work_off()
    row = arrived(sandbox)
    assert [row[name] for name in OWN] == [task.key, "Spring", "First call"]
    assert (row["CallObject"], left_out(task)) == ("+12125550141", set())
    assert sandbox.stats()["calls"]["PATCH composite/sobjects/Task"] == 1


def test_m7_installed_but_not_assigned_they_are_left_out_and_the_key_too(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.install_package(package_zip(), assigned=False)
    sandbox.change_schema(view_setup=True)
    reports = {report.slot: report for report in crm_fields.look(connection).reports}
    assert {slot for slot, report in reports.items() if report.state == "hidden"} == {"key", "play_name", "play_step"}
    task = call_of_a_play()
    work_off()
    assert left_out(task) == {"play_name", "play_step"}
    assert arrived(sandbox)["CallObject"] == task.key


def test_m7_a_field_of_the_wrong_type_is_left_out_instead_of_failing(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(fields=[own("Play_Name__c", type="boolean")])
    jobs.read_schemas()
    task = call_of_a_play()
    work_off()
    row = arrived(sandbox)
    assert (row.get("Play_Name__c"), row["Play_Step__c"]) == (None, "First call")
    assert (left_out(task), OutboxRow.objects.get().state) == ({"play_name"}, OutboxState.DONE)


def test_m7_what_is_chosen_arrives_in_the_other_field_from_then_on(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(
        fields=[own("Outcome__c", length=80), own("Seconds__c", type="double", precision=18, scale=0)]
    )
    call_of_a_play()
    work_off()
    before = arrived(sandbox)
    assert (before["CallDisposition"], before["CallDurationInSeconds"]) == ("Connected", 75)
    choose(connection, call_disposition="Outcome__c", call_duration="Seconds__c", play_step="")
    task = call_of_a_play()
    work_off()
    row = arrived(sandbox)
    assert (row["Outcome__c"], row["Seconds__c"], row["Play_Name__c"]) == ("Connected", 75, "Spring")
    assert [row.get(name) for name in ("CallDisposition", "CallDurationInSeconds", "Play_Step__c")] == [None] * 3
    # What an admin doesn't want sent is no loss to tell of.
    assert left_out(task) == set()
    choose(connection)
    call_of_a_play()
    work_off()
    assert arrived(sandbox)["CallDisposition"] == "Connected"


def test_m7_length_and_picklist_are_those_of_the_chosen_field(connection: Connection, sandbox: SandboxControl) -> None:
    picklist = own("Outcome__c", type="picklist", length=255, restrictedPicklist=True, picklistValues=["Reached"])
    sandbox.change_schema(fields=[picklist, own("Campaign__c", length=50)])
    choose(connection, call_disposition="Outcome__c", play_name="Campaign__c")
    step = PlayStepFactory.create(play__name="S" * 100)
    user = UserFactory.create()
    said = Completion(user=user, step=step, kind="call", subject="x", call_disposition="Connected")
    task = complete(said)
    work_off()
    row = arrived(sandbox)
    assert (row.get("Outcome__c"), row["Campaign__c"][:10], len(row["Campaign__c"]) <= 50) == (None, "S" * 10, True)
    codes = set(task.decisions.values_list("code", flat=True))
    assert {DecisionCode.VALUE_LEFT_OUT, DecisionCode.TRUNCATED} <= codes
    reached = complete(Completion(user=user, kind="call", subject="y", call_disposition="Reached"))
    work_off()
    assert (arrived(sandbox)["Outcome__c"], arrived(sandbox)["Playbooks_Key__c"]) == ("Reached", reached.key)


def test_m7_the_choice_costs_two_calls_once(connection: Connection, sandbox: SandboxControl) -> None:
    choose(connection, play_step="")
    call_of_a_play()
    work_off()
    first = sandbox.stats()["calls"]
    call_of_a_play()
    work_off()
    second = sandbox.stats()["calls"]
    described = "GET sobjects/Task/describe"
    assert second[described] == first[described]
    assert second["PATCH composite/sobjects/Task"] == 2


def test_a_chosen_field_that_goes_is_left_out_and_nothing_fails(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(fields=[own("Outcome__c", length=80)])
    choose(connection, call_disposition="Outcome__c")
    call_of_a_play()
    work_off()
    remove(sandbox, "Outcome__c")
    jobs.read_schemas()
    task = call_of_a_play()
    work_off()
    assert left_out(task) == {"call_disposition"}
    assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.DONE}


def test_without_the_key_field_the_key_stays_in_call_object_whatever_was_chosen(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(fields=[own("Number__c", length=80)])
    choose(connection, call_object="Number__c", call_disposition="CallObject")
    task = call_of_a_play()
    work_off()
    row = arrived(sandbox)
    assert (row["Number__c"], row["CallObject"], row["Playbooks_Key__c"]) == ("+12125550141", "Connected", task.key)
    remove(sandbox, "Playbooks_Key__c")
    jobs.read_schemas()
    task = call_of_a_play()
    work_off()
    assert (arrived(sandbox)["CallObject"], left_out(task)) == (task.key, {"call_disposition"})
