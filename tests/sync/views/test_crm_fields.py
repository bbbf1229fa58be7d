"""The page Fields: what the org has, the package, and which field is filled with what."""

import json
from typing import Any

import pytest
from auditlog.models import LogEntry
from pytest_django import DjangoAssertNumQueries

from sandbox.control import SandboxControl
from sync import crm_fields
from sync.crm.package import FILE_NAME, package_zip
from sync.crm.task_fields import CHOOSABLE, SLOT_FIELDS
from sync.enums import ConnectionState, Slot
from sync.models import Connection, FieldCheck, FieldMapping
from tests.people import People, logged_in, people

__all__ = ["people"]

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/manager/settings/crm/fields/"
OUTCOME = {"object": "Task", "name": "Outcome__c", "label": "Outcome", "length": 80}
USUAL = {slot.value: SLOT_FIELDS[slot] for slot in CHOOSABLE}


def page(people: People) -> str:
    return logged_in(people.admin).get(PAGE).content.decode()


def check(people: People) -> str:
    return logged_in(people.admin).post(f"{PAGE}check/", follow=True).content.decode()


def save(people: People, *, seen: dict[str, str] | str | None = None, **chosen: str) -> Any:
    names = {slot.value: name for slot, name in FieldMapping.objects.names().items()} if seen is None else seen
    data = {**USUAL, "seen": names if isinstance(names, str) else json.dumps(names), **chosen}
    return logged_in(people.admin).post(PAGE, data, follow=True)


def test_without_a_connection_there_is_the_package_and_what_to_do(people: People) -> None:
    html = page(people)
    # The banner of every page says so, too.
    assert html.count("No CRM is connected yet.") == 2
    assert (html.count("Nobody has looked yet."), html.count("Save changes"), html.count(" disabled>")) == (1, 0, 1)
    assert html.count(f"sf project deploy start --metadata-dir {FILE_NAME}") == 1
    assert check(people).count("No CRM is connected yet.") == 3
    assert save(people).status_code == 200


@pytest.mark.parametrize("who", ["manager", "rep"])
def test_it_is_the_admins_alone(people: People, connection: Connection, who: str) -> None:
    client = logged_in(getattr(people, who))
    paths = (PAGE, f"{PAGE}package/")
    assert [client.get(path).status_code for path in paths] == [403, 403]
    posts = (PAGE, f"{PAGE}check/", f"{PAGE}as-usual/")
    assert [client.post(path, {}).status_code for path in posts] == [403, 403, 403]


def test_m7_the_package_is_downloaded(people: People) -> None:
    response = logged_in(people.admin).get(f"{PAGE}package/")
    assert response.content == package_zip()
    assert response["Content-Disposition"] == f'attachment; filename="{FILE_NAME}"'


def test_m7_it_says_what_is_there_and_from_which_package(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    html = check(people)
    # The sandbox's first fields were made by hand.
    assert (html.count("not from the package, or its help text was changed"), html.count("from package 1")) == (3, 0)
    sandbox.install_package(package_zip())
    before = sandbox.stats()["api_calls"]
    html = check(people)
    assert sandbox.stats()["api_calls"] - before == crm_fields.FEWEST_CALLS
    assert html.count("Checked: every field that Playbooks fills is there.") == 1
    assert (html.count("from package 1"), html.count("Complete</span>")) == (3, 1)


def test_m7_without_the_right_to_view_the_set_up_missing_and_hidden_are_one(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.install_package(package_zip(), assigned=False)
    sandbox.change_schema(fields=[{"object": "Task", "name": "Play_Step__c", "removed": True}])
    before = sandbox.stats()["api_calls"]
    html = check(people)
    assert sandbox.stats()["api_calls"] - before == crm_fields.MOST_CALLS
    assert html.count("Checked: 3 fields are not filled.") == 1
    assert html.count("Missing or hidden</span>") == 3


def test_m7_with_it_each_is_told_apart(people: People, connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.install_package(package_zip(), assigned=False)
    sandbox.change_schema(view_setup=True, fields=[{"object": "Task", "name": "Play_Step__c", "removed": True}])
    html = check(people)
    assert (html.count("Hidden by permissions</span>"), html.count("Missing</span>")) == (2, 1)
    assert html.count("Assign the permission set “Playbooks CRM Sync” of the package to the Access User.") == 2


def test_m7_a_wrong_type_and_a_key_that_is_not_unique(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    key = {"object": "Task", "name": "Playbooks_Key__c", "unique": False}
    step = {"object": "Task", "name": "Play_Step__c", "type": "boolean"}
    read_only = {"object": "Task", "name": "Play_Name__c", "createable": False, "updateable": False}
    sandbox.change_schema(fields=[key, step, read_only])
    html = check(people)
    states = ("Wrong type", "Not unique", "Read only")
    assert [html.count(f"{state}</span>") for state in states] == [1, 1, 1]


def test_what_the_crm_says_is_shown_and_what_was_seen_stays(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    check(people)
    seen = FieldCheck.objects.get().at
    sandbox.add_fault("api_disabled")
    words = "API_DISABLED_FOR_ORG: API is not enabled for this Organization or Partner"
    assert check(people).count(f"The CRM could not be asked: {words}") == 1
    assert FieldCheck.objects.get().at == seen
    assert Connection.objects.get().state == ConnectionState.DISCONNECTED
    response = save(people, play_name="")
    html = response.content.decode()
    assert (response.status_code, html.count("because the fields can&#x27;t be checked now.")) == (422, 1)
    assert html.count('<option value="" selected>Not sent</option>') == 1
    assert FieldMapping.objects.count() == 0


def test_m7_another_field_is_chosen_and_taken_back(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(fields=[OUTCOME])
    check(people)
    html = save(people, call_disposition="Outcome__c", play_step="").content.decode()
    assert html.count("From the next Task on, these go where you chose: Call result, Play Step.") == 1
    assert FieldMapping.objects.names() == {"call_disposition": "Outcome__c", "play_step": ""}
    schema = Connection.objects.get().task_schema
    assert schema is not None
    assert (schema.fields[Slot.CALL_DISPOSITION].name, schema.fields.get(Slot.PLAY_STEP), schema.missing) == (
        "Outcome__c",
        None,
        (),
    )
    assert html.count("Outcome, chosen here") == 1
    entries = LogEntry.objects.get_for_model(FieldMapping).order_by("pk")
    assert [(entry.actor, entry.object_repr) for entry in entries] == [
        (people.admin, "Call result"),
        (people.admin, "Play Step"),
    ]
    html = logged_in(people.admin).post(f"{PAGE}as-usual/", follow=True).content.decode()
    assert html.count("Every field is the usual one again, from the next Task on.") == 1
    assert FieldMapping.objects.count() == 0
    assert LogEntry.objects.get_for_model(FieldMapping).count() == 4
    schema = Connection.objects.get().task_schema
    assert schema is not None
    assert schema.fields[Slot.CALL_DISPOSITION].name == "CallDisposition"


def test_what_was_chosen_can_be_chosen_back_one_by_one(people: People, connection: Connection) -> None:
    save(people, play_name="", play_step="")
    save(people, play_step="")
    assert FieldMapping.objects.names() == {"play_step": ""}
    assert save(people, play_step="").content.decode().count("Nothing was changed.") == 1


def test_errors_stand_beside_the_field_and_what_was_chosen_is_kept(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(fields=[OUTCOME])
    check(people)
    response = save(people, call_disposition="Outcome__c", play_name="Outcome__c", call_duration="Outcome__c")
    html = response.content.decode()
    assert response.status_code == 422
    assert html.count("This field is chosen twice. Choose another one here or there.") == 1
    assert html.count("The duration needs a number field with room for six digits.") == 1
    assert html.count('<option value="Outcome__c" selected>') == 3
    assert html.count('id="id_call_duration_error"') == 1
    assert FieldMapping.objects.count() == 0


@pytest.mark.parametrize("name", ["Subject", "OwnerId", "Playbooks_Key__c", "Nowhere__c", "'; --", "x" * 3000])
def test_what_may_not_be_chosen_is_refused(people: People, connection: Connection, name: str) -> None:
    response = save(people, play_name=name)
    assert response.status_code == 422
    assert response.content.decode().count('id="id_play_name_error"') == 1
    assert FieldMapping.objects.count() == 0


def test_it_is_checked_against_the_org_as_it_is_now(
    people: People, connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(fields=[OUTCOME])
    check(people)
    sandbox.change_schema(fields=[{**OUTCOME, "hidden": True}])
    response = save(people, call_disposition="Outcome__c")
    assert response.status_code == 422
    assert FieldMapping.objects.count() == 0


@pytest.mark.parametrize("seen", [{"play_step": ""}, "", "[]", "no json"])
def test_a_stale_form_changes_nothing(people: People, connection: Connection, seen: dict[str, str] | str) -> None:
    response = save(people, play_name="", seen=seen)
    assert response.status_code == 409
    assert response.content.decode().count("Somebody changed the fields since you opened this page.") == 1
    assert FieldMapping.objects.count() == 0


def test_a_chosen_field_that_is_gone_says_so(people: People, connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.change_schema(fields=[OUTCOME])
    save(people, call_disposition="Outcome__c")
    sandbox.change_schema(fields=[{"object": "Task", "name": "Outcome__c", "removed": True}])
    html = check(people)
    assert html.count("Missing or hidden</span>") == 1
    assert html.count('<option value="Outcome__c" selected>Outcome__c</option>') == 1
    html = save(people, call_disposition="Outcome__c", play_name="").content.decode()
    assert html.count("Outcome__c is not one of the available choices") == 0
    assert html.count("The org&#x27;s Task has no such field, or hides it from the Access User.") == 1


def test_labels_of_the_org_are_escaped(people: People, connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.change_schema(fields=[{**OUTCOME, "label": "<b>Outcome</b>"}])
    html = check(people)
    assert (html.count("<b>Outcome</b>"), html.count("&lt;b&gt;Outcome&lt;/b&gt; (Outcome__c)")) == (0, 6)


def test_its_queries_don_t_grow_with_the_org_s_fields(
    people: People, connection: Connection, sandbox: SandboxControl, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    check(people)
    client = logged_in(people.admin)
    client.get(PAGE)
    with django_assert_num_queries(8):
        client.get(PAGE)
    sandbox.change_schema(fields=[{**OUTCOME, "name": f"Own_{number}__c"} for number in range(300)])
    check(people)
    with django_assert_num_queries(8):
        client.get(PAGE)
