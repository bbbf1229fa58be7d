"""A task as the CRM's Task. No database: rows are made in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.crm.base import CrmField, FoundTask, TaskRow, TaskSchema, Value
from sync.enums import CallDirection, DecisionCode, RecordKind, Slot, TaskKind, TaskState
from sync.mapping import crm_length, differing_values, map_relation, map_task, missing_values, shorten
from sync.models import Play, PlayStep, Record, Task
from teams.models import User
from tests.factories import PREFIXES, contact_of_person_account, crm_id

NAMES = {
    Slot.KEY: "Playbooks_Key__c",
    Slot.SUBJECT: "Subject",
    Slot.DESCRIPTION: "Description",
    Slot.STATUS: "Status",
    Slot.DAY: "ActivityDate",
    Slot.OWNER: "OwnerId",
    Slot.WHO: "WhoId",
    Slot.WHAT: "WhatId",
    Slot.SUBTYPE: "TaskSubtype",
    Slot.TYPE: "Type",
    Slot.CALL_DIRECTION: "CallType",
    Slot.CALL_DURATION: "CallDurationInSeconds",
    Slot.CALL_DISPOSITION: "CallDisposition",
    Slot.CALL_OBJECT: "CallObject",
    Slot.PLAY_NAME: "Play_Name__c",
    Slot.PLAY_STEP: "Play_Step__c",
}
LENGTHS = {Slot.SUBJECT: 255, Slot.DESCRIPTION: 32_000, Slot.CALL_DISPOSITION: 255, Slot.CALL_OBJECT: 255}
SCHEMA = TaskSchema(
    fields={slot: CrmField(name, LENGTHS.get(slot), updateable=slot != Slot.SUBTYPE) for slot, name in NAMES.items()},
    values={
        Slot.SUBTYPE: {"call": "Call", "email": "Email", "other": "Task"},
        Slot.TYPE: {"call": "Call", "email": "Email", "other": "Other"},
        Slot.CALL_DIRECTION: {"inbound": "Inbound", "outbound": "Outbound", "internal": "Internal"},
    },
    closed_status="Completed",
    has_key=True,
)
UTC_ZONE = ZoneInfo("UTC")
REP = User(email="rep@playbooks.example", name="Rep", crm_user_id=crm_id("005", 1))


def without(*slots: Slot, **changes: Any) -> TaskSchema:
    fields = {slot: field for slot, field in SCHEMA.fields.items() if slot not in slots}
    return replace(SCHEMA, **{"fields": fields, "missing": slots, **changes})


def record(kind: RecordKind, number: int = 1, **values: Any) -> Record:
    return Record(kind=kind, crm_id=crm_id(PREFIXES[kind], number), **values)


def call(**values: Any) -> Task:
    given: dict[str, Any] = {
        "user": REP,
        "kind": TaskKind.CALL,
        "state": TaskState.COMPLETED,
        "completed_at": datetime(2025, 3, 3, 12, tzinfo=UTC),
        "subject": "Discovery call",
        "key": "k1",
    }
    return Task(**{**given, **values})


def mapped(task: Task, schema: TaskSchema = SCHEMA, zone: ZoneInfo = UTC_ZONE) -> dict[str, Value]:
    return dict(map_task(task, schema, zone).row.fields)


def decisions(task: Task, schema: TaskSchema = SCHEMA) -> list[tuple[DecisionCode, dict[str, Any]]]:
    return list(map_task(task, schema, UTC_ZONE).decisions)


def test_m1_a_call_fills_the_call_fields() -> None:
    who, what = record(RecordKind.CONTACT), record(RecordKind.OPPORTUNITY)
    task = call(
        description="They asked for prices.",
        who=who,
        what=what,
        call_direction=CallDirection.OUTBOUND,
        call_duration_seconds=0,
        call_disposition="Connected",
        phone_number="(212) 555-0141",
        phone_e164="+12125550141",
    )
    assert mapped(task) == {
        "Subject": "Discovery call",
        "Description": "They asked for prices.",
        "Status": "Completed",
        "ActivityDate": "2025-03-03",
        "OwnerId": REP.crm_user_id,
        "WhoId": who.crm_id,
        "WhatId": what.crm_id,
        "TaskSubtype": "Call",
        "Type": "Call",
        "CallType": "Outbound",
        "CallDurationInSeconds": 0,
        "CallDisposition": "Connected",
        "CallObject": "+12125550141",
        "Playbooks_Key__c": "k1",
    }
    assert decisions(task) == []


@pytest.mark.parametrize(
    ("kind", "subtype", "type_"), [(TaskKind.EMAIL, "Email", "Email"), (TaskKind.OTHER, "Task", "Other")]
)
def test_m1_other_kinds_have_no_call_fields(kind: TaskKind, subtype: str, type_: str) -> None:
    assert mapped(call(kind=kind)) == {
        "Subject": "Discovery call",
        "Status": "Completed",
        "ActivityDate": "2025-03-03",
        "OwnerId": REP.crm_user_id,
        "TaskSubtype": subtype,
        "Type": type_,
        "Playbooks_Key__c": "k1",
    }


def test_m5_play_fields_are_sent_from_a_play_only() -> None:
    step = PlayStep(play=Play(name="New customers"), name="First call", kind=TaskKind.CALL)
    fields = mapped(call(step=step))
    assert (fields["Play_Name__c"], fields["Play_Step__c"]) == ("New customers", "First call")
    assert not {"Play_Name__c", "Play_Step__c"} & mapped(call()).keys()


def test_m7_an_optional_field_that_the_org_lacks_is_left_out_and_the_log_says_so() -> None:
    step = PlayStep(play=Play(name="New customers"), name="First call", kind=TaskKind.CALL)
    schema = without(Slot.PLAY_NAME, Slot.PLAY_STEP)
    assert not {"Play_Name__c", "Play_Step__c"} & mapped(call(step=step), schema).keys()
    assert decisions(call(step=step), schema) == [
        (DecisionCode.FIELD_LEFT_OUT, {"slot": "play_name"}),
        (DecisionCode.FIELD_LEFT_OUT, {"slot": "play_step"}),
    ]
    assert decisions(call(), schema) == []


def test_m7_a_field_that_may_only_be_read_is_left_out() -> None:
    fields = {**SCHEMA.fields, Slot.CALL_DISPOSITION: CrmField("CallDisposition", 255, createable=False)}
    schema = replace(SCHEMA, fields=fields)
    assert "CallDisposition" not in mapped(call(call_disposition="Busy"), schema)
    assert decisions(call(call_disposition="Busy"), schema) == [
        (DecisionCode.FIELD_LEFT_OUT, {"slot": "call_disposition"})
    ]


def test_without_the_key_field_its_fallback_carries_the_key() -> None:
    schema = without(Slot.KEY, has_key=False, key_fallback=Slot.CALL_OBJECT)
    task = call(phone_number="+12125550141", phone_e164="+12125550141")
    assert mapped(task, schema)["CallObject"] == "k1"
    assert decisions(task, schema) == []


def test_with_neither_the_log_says_that_the_key_is_missing() -> None:
    schema = without(Slot.KEY, has_key=False)
    assert decisions(call(), schema) == [(DecisionCode.FIELD_LEFT_OUT, {"slot": "key"})]


def test_value_that_a_restricted_picklist_lacks_is_left_out() -> None:
    fields = {**SCHEMA.fields, Slot.TYPE: CrmField("Type", 40, choices=("Call", "Meeting"))}
    schema = replace(SCHEMA, fields=fields)
    assert mapped(call(), schema)["Type"] == "Call"
    assert "Type" not in mapped(call(kind=TaskKind.EMAIL), schema)
    assert decisions(call(kind=TaskKind.EMAIL), schema) == [(DecisionCode.VALUE_LEFT_OUT, {"slot": "type"})]


def test_without_a_crm_user_the_access_user_owns_the_task() -> None:
    task = call(user=User(email="new@playbooks.example", crm_user_id=None))
    assert "OwnerId" not in mapped(task)
    assert decisions(task) == [(DecisionCode.OWNER_IS_ACCESS_USER, {})]


PERSON_ACCOUNT = record(RecordKind.ACCOUNT, 7, person_contact_crm_id=contact_of_person_account())
CONTACT, LEAD = record(RecordKind.CONTACT, 1), record(RecordKind.LEAD, 2)
ACCOUNT, OPPORTUNITY = record(RecordKind.ACCOUNT, 3), record(RecordKind.OPPORTUNITY, 4)


@pytest.mark.parametrize(
    ("who", "what", "who_id", "what_id", "expected"),
    [
        (None, None, None, None, []),
        (CONTACT, None, CONTACT.crm_id, None, []),
        (CONTACT, OPPORTUNITY, CONTACT.crm_id, OPPORTUNITY.crm_id, []),
        (LEAD, None, LEAD.crm_id, None, []),
        (None, ACCOUNT, None, ACCOUNT.crm_id, []),
        (PERSON_ACCOUNT, None, PERSON_ACCOUNT.person_contact_crm_id, None, []),
        (PERSON_ACCOUNT, OPPORTUNITY, PERSON_ACCOUNT.person_contact_crm_id, OPPORTUNITY.crm_id, []),
        # What was known at completion was its id alone:
        (None, PERSON_ACCOUNT, PERSON_ACCOUNT.person_contact_crm_id, None, []),
        (CONTACT, PERSON_ACCOUNT, CONTACT.crm_id, PERSON_ACCOUNT.crm_id, []),
        (ACCOUNT, None, None, ACCOUNT.crm_id, []),
        (ACCOUNT, OPPORTUNITY, None, OPPORTUNITY.crm_id, [(DecisionCode.ACCOUNT_WITHOUT_WHAT, ACCOUNT)]),
        (LEAD, ACCOUNT, LEAD.crm_id, None, [(DecisionCode.LEAD_WITHOUT_WHAT, ACCOUNT)]),
    ],
)
def test_m3_who_and_what(
    who: Record | None,
    what: Record | None,
    who_id: str | None,
    what_id: str | None,
    expected: list[tuple[DecisionCode, Record]],
) -> None:
    task = call(who=who, what=what)
    fields = mapped(task)
    assert (fields.get("WhoId"), fields.get("WhatId")) == (who_id, what_id)
    assert decisions(task) == [(code, {"kind": r.kind, "crm_id": r.crm_id}) for code, r in expected]


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2025-03-03T23:59:59.999+00:00", "UTC", "2025-03-03"),
        ("2025-03-04T00:00:00+00:00", "UTC", "2025-03-04"),
        ("2025-03-04T04:59:59+00:00", "America/New_York", "2025-03-03"),
        ("2025-03-04T05:00:00+00:00", "America/New_York", "2025-03-04"),
        ("2025-03-03T10:00:00+00:00", "Pacific/Kiritimati", "2025-03-04"),
        ("2025-03-04T11:59:00+00:00", "Etc/GMT+12", "2025-03-03"),
        # Clocks go forward in Berlin on 30 March, and back on 26 October.
        ("2025-03-30T21:59:59+00:00", "Europe/Berlin", "2025-03-30"),
        ("2025-03-30T22:00:00+00:00", "Europe/Berlin", "2025-03-31"),
        ("2025-03-29T22:30:00+00:00", "Europe/Berlin", "2025-03-29"),
        ("2025-10-26T22:59:59+00:00", "Europe/Berlin", "2025-10-26"),
        ("2025-10-25T22:00:00+00:00", "Europe/Berlin", "2025-10-26"),
        # In Santiago midnight itself is skipped.
        ("2025-09-07T03:59:59+00:00", "America/Santiago", "2025-09-06"),
        ("2025-09-07T04:00:00+00:00", "America/Santiago", "2025-09-07"),
        # Samoa had no 30 December 2011.
        ("2011-12-30T09:59:59+00:00", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00:00+00:00", "Pacific/Apia", "2011-12-31"),
    ],
)
def test_day_is_the_reps_own(moment: str, zone: str, day: str) -> None:
    task = call(completed_at=datetime.fromisoformat(moment))
    assert mapped(task, zone=ZoneInfo(zone))["ActivityDate"] == day


@given(
    moment=st.datetimes(datetime(2000, 1, 2), datetime(2037, 12, 30), timezones=st.just(UTC)),
    offset=st.integers(-11, 14),
)
def test_day_does_not_depend_on_how_the_moment_is_written(moment: datetime, offset: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    same = moment.astimezone(ZoneInfo(f"Etc/GMT{-offset:+d}"))
    assert mapped(call(completed_at=moment), zone=zone) == mapped(call(completed_at=same), zone=zone)
    local = moment + (moment.astimezone(zone).utcoffset() or timedelta())
    assert mapped(call(completed_at=moment), zone=zone)["ActivityDate"] == local.date().isoformat()


def test_long_texts_are_shortened_visibly() -> None:
    task = call(subject="s" * 1_000, description="d" * 40_000)
    fields = mapped(task)
    assert fields["Subject"] == "s" * 218 + "… [782 more characters in Playbooks]"
    assert len(str(fields["Description"])) == 31_999
    assert str(fields["Description"]).endswith("d… [8038 more characters in Playbooks]")
    assert decisions(task) == [
        (DecisionCode.TRUNCATED, {"slot": "subject", "length": 1_000, "limit": 255}),
        (DecisionCode.TRUNCATED, {"slot": "description", "length": 40_000, "limit": 32_000}),
    ]


def test_texts_that_just_fit_are_whole() -> None:
    task = call(subject="ü" * 255, description="📞" * 16_000)
    assert (mapped(task)["Subject"], mapped(task)["Description"]) == (task.subject, task.description)
    assert decisions(task) == []


def test_emoji_count_twice_and_stay_whole() -> None:
    text = shorten("📞" * 200, 255)
    kept = text.split("…")[0]
    assert set(kept) == {"📞"}
    assert text == kept + f"… [{200 - len(kept)} more characters in Playbooks]"
    assert crm_length(text) <= 255


@given(text=st.text(max_size=400), limit=st.integers(min_value=1, max_value=300))
def test_shortened_text_fits_and_says_how_much_is_missing(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert crm_length(short) <= limit
    if crm_length(text) <= limit:
        assert short == text
    elif "… [" in short and "… [" not in text:
        kept, marker = short.rsplit("… [", 1)
        assert text.startswith(kept)
        assert marker == f"{len(text) - len(kept)} more characters in Playbooks]"


def test_emoji_and_right_to_left_text_are_sent_as_they_are() -> None:
    text = "שלום 👩‍👩‍👧 مرحبا \u200f(+1)\u200f"
    fields = mapped(call(subject=text, description=text))
    assert (fields["Subject"], fields["Description"]) == (text, text)


def test_a_task_that_stands_in_the_crm_is_mapped_with_its_id() -> None:
    known = crm_id("00T", 1)
    assert map_task(call(crm_id=known), SCHEMA, UTC_ZONE).row.crm_id == known
    assert map_task(call(), SCHEMA, UTC_ZONE).row.crm_id == ""


def test_an_open_task_has_no_day() -> None:
    with pytest.raises(ValueError, match="Only a completed task"):
        map_task(call(completed_at=None), SCHEMA, UTC_ZONE)


def test_a_found_task_gets_only_what_it_lacks() -> None:
    row = TaskRow(
        "k1",
        {
            "Subject": "Ours",
            "Description": "Ours",
            "CallDurationInSeconds": 60,
            "CallDisposition": "Busy",
            "TaskSubtype": "Call",
            "Type": "Call",
        },
    )
    found = FoundTask(
        crm_id=crm_id("00T", 1),
        key="k1",
        fields={
            "Subject": "Edited in the CRM",
            "Description": None,
            "CallDurationInSeconds": 0,
            "CallDisposition": "",
            "TaskSubtype": None,
        },
        is_deleted=False,
    )
    assert missing_values(row, found, SCHEMA) == {"Description": "Ours", "CallDisposition": "Busy"}


def relation(task: Task, *, who: bool = False, what: bool = False) -> dict[str, Value]:
    return dict(map_relation(task, SCHEMA, who=who, what=what).row.fields)


CONTACT, LEAD, DEAL = record(RecordKind.CONTACT), record(RecordKind.LEAD), record(RecordKind.OPPORTUNITY)


@pytest.mark.parametrize(
    ("who", "what", "asked", "fields"),
    [
        (CONTACT, None, {"who": True}, {"WhoId": CONTACT.crm_id}),
        (CONTACT, DEAL, {"who": True, "what": True}, {"WhoId": CONTACT.crm_id, "WhatId": DEAL.crm_id}),
        (None, DEAL, {"what": True}, {"WhatId": DEAL.crm_id}),
        (None, None, {"who": True}, {"WhoId": None}),
        (None, None, {"what": True}, {"WhatId": None}),
        (LEAD, None, {"who": True}, {"WhoId": LEAD.crm_id, "WhatId": None}),
        (None, None, {}, {}),
    ],
)
def test_m6_a_changed_relation_is_sent_alone_and_cleared_with_null(
    who: Record | None, what: Record | None, asked: dict[str, bool], fields: dict[str, Value]
) -> None:
    assert relation(call(who=who, what=what, crm_id=crm_id("00T", 1)), **asked) == fields


def test_m6_an_account_that_turned_out_to_be_a_person_is_sent_as_one() -> None:
    person = record(RecordKind.ACCOUNT, person_contact_crm_id=contact_of_person_account())
    assert relation(call(what=person), who=True, what=True) == {"WhoId": contact_of_person_account(), "WhatId": None}


def test_m7_a_relation_that_the_org_hides_is_left_out_and_said() -> None:
    row = map_relation(call(who=CONTACT), without(Slot.WHO), who=True, what=False)
    assert (dict(row.row.fields), row.decisions) == ({}, ((DecisionCode.FIELD_LEFT_OUT, {"slot": "who"}),))


def test_only_what_differs_is_written_again() -> None:
    row = TaskRow("k1", {"WhoId": CONTACT.crm_id, "WhatId": None}, crm_id("00T", 1))

    def differing(**fields: Value) -> dict[str, Value]:
        return differing_values(row, FoundTask(crm_id("00T", 1), "k1", fields, is_deleted=False))

    assert differing(WhoId=CONTACT.crm_id, WhatId=None) == {}
    assert differing(WhoId=None, WhatId=None) == {"WhoId": CONTACT.crm_id}
    assert differing(WhoId=CONTACT.crm_id, WhatId=DEAL.crm_id) == {"WhatId": None}
