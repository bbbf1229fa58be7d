"""Enrolling chosen records: from the list or a record's page, seen first, then done."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from sync import enrolling, plays
from sync.enums import RecordKind
from sync.models import Enrolment, Play, PlayStep, Record
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory
from tests.people import People, logged_in

RECORDS, ENROL = "/manager/sync/record/", "/manager/plays/enrol/"


@pytest.fixture
def play(people: People) -> Play:
    play = PlayFactory.create(name="Renewal")
    PlayStepFactory.create(play=play, subject="Call {name}")
    return play


def chosen(*records: Record) -> str:
    return ",".join(str(record.uuid) for record in records)


def show(client: Client, play: Play, *records: Record, **data: Any) -> Any:
    return client.post(ENROL, {"records": chosen(*records), "play": play.uuid, "show": "yes", **data})


def carry_out(client: Client, shown: HttpResponse) -> Any:
    """Press the button under what was shown."""
    form = shown.content.decode().split('class="pb-actions"')[-1]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    return client.post(ENROL, {**fields, "enrol": "yes"}, follow=True)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_selection_is_seen_and_then_enrolled(people: People, play: Play) -> None:
    hana, daniel = RecordFactory.create(name="Hana"), RecordFactory.create(name="Daniel", owner=people.rep)
    client = logged_in(people.manager)
    begun = client.post(RECORDS, {"action": "enrol_in_play", "_selected_action": [hana.pk, daniel.pk], "index": 0})
    assert begun.context["form"].initial["records"] == chosen(daniel, hana)
    shown = show(client, play, hana, daniel)
    assert [(row["record"], row["user"], row["subject"]) for row in shown.context["rows"]] == [
        (daniel, people.rep, "Call Daniel")
    ]
    assert [(row["record"], row["reason"]) for row in shown.context["left_out"]] == [
        (hana, "its owner in the CRM is nobody here")
    ]
    assert Enrolment.objects.count() == 0
    done = carry_out(client, shown)
    assert said(done) == ["1 record was enrolled in “Renewal”.", "1 record was left out."]
    assert done.redirect_chain[-1][0] == f"/manager/sync/enrolment/?play={play.uuid}&state=running"
    enrolment = Enrolment.objects.get()
    assert (enrolment.record, enrolment.user, enrolment.enrolled_by) == (daniel, people.rep, people.manager)


def test_for_one_user(people: People, play: Play) -> None:
    records = [RecordFactory.create() for _number in range(3)]
    client = logged_in(people.manager)
    shown = show(client, play, *records, user=people.rep.uuid)
    assert shown.context["reps"] == [(people.rep, 3)]
    carry_out(client, shown)
    assert set(Enrolment.objects.values_list("user", flat=True)) == {people.rep.pk}


def test_all_that_match_the_filter(people: People, play: Play) -> None:
    RecordFactory.create(name="Hana")
    lead = RecordFactory.create(name="Lea", kind=RecordKind.LEAD)
    client = logged_in(people.manager)
    listed = client.get(f"{RECORDS}?kind__exact=lead").content.decode()
    assert listed.count("Enrol all that match in a play") == 1
    assert "Enrol all that match" not in client.get(RECORDS).content.decode()
    data = {"action": "enrol_in_play", "_selected_action": 0, "index": 0, "select_across": "1"}
    begun = client.post(f"{RECORDS}?kind__exact=lead", data)
    assert begun.context["form"].initial["records"] == chosen(lead)


def test_too_many_at_once(people: People, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.admin.records.MOST_AT_ONCE", 2)
    monkeypatch.setattr("sync.admin.enrol_page.MOST_AT_ONCE", 2)
    records = [RecordFactory.create() for _number in range(3)]
    client = logged_in(people.manager)
    data = {"action": "enrol_in_play", "_selected_action": 0, "index": 0, "select_across": "1"}
    assert said(client.post(RECORDS, data, follow=True)) == [
        "More than 2 records match. Narrow the list by its filters or a search."
    ]
    response = show(client, play, *records, user=people.rep.uuid)
    assert response.context["form"].errors == {"records": ["Choose the records anew in their list."]}


def test_begun_on_a_records_page(people: People, play: Play) -> None:
    record, gone = RecordFactory.create(), RecordFactory.create(is_deleted=True)
    client = logged_in(people.manager)
    html = client.get(f"{RECORDS}{record.uuid}/change/").content.decode()
    assert html.count(f'href="{ENROL}?records={record.uuid}"') == 1
    assert ENROL not in client.get(f"{RECORDS}{gone.uuid}/change/").content.decode()
    begun = client.get(f"{ENROL}?records={record.uuid},nonsense,{record.uuid}")
    assert (begun.status_code, begun.context["chosen"]) == (200, 1)
    assert client.get(ENROL)["Location"] == RECORDS
    assert client.get(f"{ENROL}?records=nonsense")["Location"] == RECORDS


def test_bad_choices_are_told_at_their_fields_and_kept(people: People, play: Play) -> None:
    hana = RecordFactory.create()
    client = logged_in(people.manager)
    response = show(client, play, hana, user=people.other_rep.uuid)
    assert response.context["form"].errors == {
        "user": ["This user is deactivated or not of your teams. Choose another."]
    }
    assert str(response.context["form"]["play"].value()) == str(play.uuid)
    Play.objects.update(is_active=False)
    response = show(client, play, hana, user=people.rep.uuid)
    assert response.context["form"].errors == {"play": ["This play is not active any more. Choose another."]}
    response = client.post(ENROL, {"records": "", "play": ""})
    assert sorted(response.context["form"].errors) == ["play", "records"]
    assert Enrolment.objects.count() == 0


def test_a_play_without_steps(people: People) -> None:
    response = show(logged_in(people.manager), PlayFactory.create(), RecordFactory.create(), user=people.rep.uuid)
    assert response.context["form"].errors == {"play": ["This play has no steps. Add one first."]}


def test_what_was_seen_is_what_is_done(people: People, play: Play) -> None:
    hana, daniel = RecordFactory.create(), RecordFactory.create()
    client = logged_in(people.manager)
    shown = show(client, play, hana, daniel, user=people.rep.uuid)
    plays.enrol(play, hana, people.rep)
    changed = carry_out(client, shown)
    assert said(changed) == [
        "Nothing was done: the play or the records have changed meanwhile. This is what would happen now."
    ]
    assert Enrolment.objects.count() == 1
    assert said(carry_out(client, changed)) == ["1 record was enrolled in “Renewal”.", "1 record was left out."]
    PlayStep.objects.update(subject="Other")
    assert said(carry_out(client, changed))[0].startswith("Nothing was done")


def test_without_having_seen_nothing_is_done(people: People, play: Play) -> None:
    data = {"user": people.rep.uuid, "enrol": "yes", "expected": ""}
    response = show(logged_in(people.manager), play, RecordFactory.create(), **data)
    assert (response.status_code, Enrolment.objects.count()) == (200, 0)
    assert len(response.context["plan"].pairs) == 1


def test_reps_may_not(people: People, play: Play) -> None:
    client = logged_in(people.rep)
    assert client.get(ENROL).status_code == 403
    assert show(client, play, RecordFactory.create(), user=people.rep.uuid).status_code == 403


def test_long_plans_show_a_part(people: People, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.admin.enrol_page.MOST_SHOWN", 2)
    records = [RecordFactory.create() for _number in range(5)]
    records += [RecordFactory.create(is_deleted=True) for _number in range(3)]
    context = show(logged_in(people.manager), play, *records, user=people.rep.uuid).context
    assert (len(context["rows"]), context["more_rows"]) == (2, 3)
    assert (len(context["left_out"]), context["more_left_out"]) == (2, 1)
    assert enrolling.MOST_AT_ONCE == 2_000
