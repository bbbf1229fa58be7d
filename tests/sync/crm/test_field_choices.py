"""Which fields may be chosen for what is sent, and why another one may not."""

from typing import Any

import pytest

from sync.crm.field_choices import changed_names, choices, refusals
from sync.crm.org_fields import DescribedField
from sync.crm.task_fields import CHOOSABLE, SLOT_FIELDS
from sync.enums import Slot
from tests.sync.crm.org import org

USUAL = {slot: SLOT_FIELDS[slot] for slot in CHOOSABLE}


def own(name: str = "Own__c", type_: str = "string", length: int = 80, **changes: Any) -> DescribedField:
    return DescribedField(name, name, type_, length, is_custom=True, **changes)


def refused(slot: Slot, field: DescribedField, name: str = "") -> str:
    return str(refusals({**USUAL, slot: name or field.name}, org(field)).get(slot, ""))


def test_the_usual_fields_are_never_refused_even_when_they_are_missing() -> None:
    assert refusals(USUAL, org()) == {}
    assert refusals(USUAL, org(without=("Play_Name__c", "Type"))) == {}
    assert changed_names(USUAL) == {}


@pytest.mark.parametrize("type_", ["string", "textarea", "picklist", "combobox", "phone"])
def test_a_text_goes_into_texts_and_picklists(type_: str) -> None:
    assert refused(Slot.CALL_DISPOSITION, own(type_=type_)) == ""
    assert refused(Slot.CALL_DURATION, own(type_=type_)) == (
        "The duration needs a number field with room for six digits. Choose another one."
    )


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (own(type_="boolean"), "at least 40 characters"),
        (own(length=39), "at least 40 characters"),
        (own(type_="reference"), "at least 40 characters"),
        (own(createable=False), "may not write to this field"),
        (own(required=True), "requires this field of every Task"),
        (own(unique=True), "takes each value once only"),
        (own("Subject"), "fills this field with something else"),
        (own("RecurrenceType"), "fills this field with something else"),
        (own("Playbooks_Key__c"), "fills this field with something else"),
    ],
)
def test_what_doesn_t_fit_is_refused_with_the_reason(field: DescribedField, words: str) -> None:
    assert refused(Slot.CALL_DISPOSITION, field).count(words) == 1
    # Where not even the type is right, it isn't offered in the first place.
    assert field.name not in [each.name for each in choices(Slot.CALL_DISPOSITION, org(field))]


@pytest.mark.parametrize(("type_", "digits", "fits"), [("int", 8, True), ("double", 6, True), ("double", 5, False)])
def test_a_duration_needs_room(type_: str, digits: int, fits: bool) -> None:
    assert (refused(Slot.CALL_DURATION, own(type_=type_, digits=digits)) == "") == fits


def test_a_field_that_the_org_lacks_is_refused() -> None:
    assert refused(Slot.TYPE, own(), "Gone__c").count("The org's Task has no such field") == 1


def test_two_can_t_share_a_field() -> None:
    names = {**USUAL, Slot.CALL_DISPOSITION: "Own__c", Slot.PLAY_STEP: "Own__c", Slot.PLAY_NAME: ""}
    assert list(refusals(names, org(own()))) == [Slot.PLAY_STEP]
    assert list(refusals({**USUAL, Slot.PLAY_STEP: "CallDisposition"}, org())) == [Slot.PLAY_STEP]


def test_they_can_change_places() -> None:
    names = {**USUAL, Slot.PLAY_STEP: "Play_Name__c", Slot.PLAY_NAME: "Play_Step__c"}
    assert refusals(names, org()) == {}
    assert changed_names(names) == {Slot.PLAY_NAME: "Play_Step__c", Slot.PLAY_STEP: "Play_Name__c"}


def test_several_may_not_be_sent() -> None:
    assert refusals({**USUAL, Slot.PLAY_NAME: "", Slot.PLAY_STEP: ""}, org()) == {}


def test_without_the_key_field_call_object_stays_where_it_is() -> None:
    found = org(own(), without=("Playbooks_Key__c",))
    assert list(refusals({**USUAL, Slot.CALL_OBJECT: "Own__c"}, found)) == [Slot.CALL_OBJECT]
    names = {**USUAL, Slot.CALL_DISPOSITION: "CallObject", Slot.CALL_OBJECT: ""}
    assert list(refusals(names, found)) == [Slot.CALL_DISPOSITION, Slot.CALL_OBJECT]


def test_what_is_offered_is_sorted_by_its_label() -> None:
    fields = DescribedField("B__c", "alpha", "string", 80), DescribedField("A__c", "Beta", "string", 80)
    offered = [each.name for each in choices(Slot.PLAY_NAME, org(*fields)) if each.name.endswith("__c")]
    assert offered == ["B__c", "A__c", "Play_Step__c"]
