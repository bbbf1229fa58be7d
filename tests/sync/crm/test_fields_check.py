"""What is found of each field of the org's Task, and what to do about it (M7)."""

from dataclasses import replace

import pytest

from sync.crm.fields_check import FieldReport, FieldState, compare, expected_names, is_complete, type_words
from sync.crm.org_fields import DescribedField, OrgFields
from sync.crm.package import PACKAGE_VERSION
from sync.crm.task_fields import SLOT_FIELDS
from sync.enums import Slot
from tests.sync.crm.org import PACKAGED, org


def report(slot: Slot, found: OrgFields, **names: str) -> FieldReport:
    reports = compare(found, {Slot(name): field for name, field in names.items()})
    assert [each.slot for each in reports] == list(SLOT_FIELDS)
    return next(each for each in reports if each.slot == slot)


def play_name(**changes: object) -> DescribedField:
    return replace(PACKAGED["Play_Name__c"], **changes)  # type: ignore[arg-type]


def key(**changes: object) -> DescribedField:
    return replace(PACKAGED["Playbooks_Key__c"], **changes)  # type: ignore[arg-type]


def test_m7_all_is_there_and_from_which_package() -> None:
    reports = compare(org(), {})
    assert is_complete(reports)
    assert {each.state for each in reports} == {FieldState.PRESENT}
    versions = {each.name: each.version for each in reports if each.is_packaged}
    assert versions == dict.fromkeys(PACKAGED, PACKAGE_VERSION)
    assert {(each.tone, each.remedy, each.where) for each in reports} == {("good", "", "")}


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (org(play_name(help_text="Ours")), FieldState.PRESENT),
        (org(play_name(help_text="x (Playbooks package 0)")), FieldState.OLDER),
        (org(play_name(length=80)), FieldState.SHORT),
        (org(play_name(length=20)), FieldState.WRONG_TYPE),
        (org(play_name(type="boolean")), FieldState.WRONG_TYPE),
        (org(play_name(type="double")), FieldState.WRONG_TYPE),
        (org(play_name(createable=False)), FieldState.READ_ONLY),
        (org(without=("Play_Name__c",)), FieldState.MISSING_OR_HIDDEN),
        (org(without=("Play_Name__c",), tells=True), FieldState.MISSING),
        (org(without=("Play_Name__c",), hidden=("Play_Name__c",)), FieldState.HIDDEN),
        (org(without=("Play_Name__c",), hidden=("Play_Name__c",), tells=True), FieldState.HIDDEN),
    ],
)
def test_m7_each_state_of_a_field_with_its_remedy(found: OrgFields, state: FieldState) -> None:
    one = report(Slot.PLAY_NAME, found)
    assert (one.state, bool(one.remedy)) == (state, state != FieldState.PRESENT)
    assert is_complete(compare(found, {})) == state.is_good
    assert one.tone == ("good" if state.is_good else "warn")


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (org(key(unique=False)), FieldState.NOT_UNIQUE),
        (org(key(external_id=False)), FieldState.NOT_UNIQUE),
        (org(key(length=20)), FieldState.WRONG_TYPE),
        (org(key(type="double")), FieldState.WRONG_TYPE),
        (org(key(createable=False)), FieldState.READ_ONLY),
        (org(without=("Playbooks_Key__c",)), FieldState.MISSING_OR_HIDDEN),
    ],
)
def test_m7_a_key_that_is_none_is_serious(found: OrgFields, state: FieldState) -> None:
    one = report(Slot.KEY, found)
    assert (one.state, one.tone, one.where[:8]) == (state, "bad", "Setup › ")  # noqa: RUF001


def test_m7_what_was_chosen_is_looked_for_instead_of_the_usual_field() -> None:
    found = org(DescribedField("Outcome__c", "Outcome", "string", 80, is_custom=True))
    one = report(Slot.CALL_DISPOSITION, found, call_disposition="Outcome__c")
    assert (one.name, one.state, one.is_chosen) == ("Outcome__c", FieldState.PRESENT, True)
    gone = report(Slot.CALL_DISPOSITION, org(), call_disposition="Outcome__c")
    assert (gone.state, str(gone.remedy).count("choose another one below")) == (FieldState.MISSING_OR_HIDDEN, 1)
    off = report(Slot.PLAY_NAME, org(without=("Play_Name__c",)), play_name="")
    assert (off.state, off.tone, off.state.is_good) == (FieldState.NOT_SENT, "neutral", True)


def test_m7_a_packaged_slot_in_another_field_has_no_version() -> None:
    found = org(DescribedField("Campaign__c", "Campaign", "string", 80, is_custom=True))
    one = report(Slot.PLAY_NAME, found, play_name="Campaign__c")
    assert (one.state, one.is_packaged, one.version) == (FieldState.PRESENT, False, None)


def test_without_the_key_field_call_object_is_where_the_key_stands() -> None:
    found = org(without=("Playbooks_Key__c",))
    assert report(Slot.CALL_OBJECT, found, call_object="").name == "CallObject"
    assert report(Slot.CALL_DISPOSITION, found, call_disposition="CallObject").state == FieldState.NOT_SENT


def test_what_is_looked_for_is_what_is_sent() -> None:
    names = expected_names({Slot.PLAY_STEP: "", Slot.PLAY_NAME: "Campaign__c"})
    assert names[-1] == "Campaign__c"
    assert sorted(SLOT_FIELDS.values()) == sorted([*names[:-1], "Play_Name__c", "Play_Step__c"])


def test_types_are_told_as_salesforce_s_pages_do() -> None:
    words = [type_words(DescribedField("x", "x", type_, 80)) for type_ in ("string", "picklist", "double", "anytype")]
    assert words == ["Text (80)", "Picklist", "Number", "anytype"]


def test_what_was_seen_is_read_back_as_it_was() -> None:
    seen = org(DescribedField("Type", "Type", "picklist", 40, choices=("Call", "Email")), hidden=("X__c",), tells=True)
    assert OrgFields.from_json(seen.to_json()) == seen
