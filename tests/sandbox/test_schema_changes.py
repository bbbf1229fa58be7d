from typing import Any

import pytest

from sandbox.control import ControlError, SandboxControl
from tests.sandbox.api import Api, error_of, keyed, row_error_of

KEY = {"object": "Task", "name": "Playbooks_Key__c"}


def names(api: Api) -> set[str]:
    return {field["name"] for field in api.get("/sobjects/Task/describe").json()["fields"]}


def test_a_hidden_field_is_gone_for_the_access_user(sandbox: SandboxControl, api: Api) -> None:
    task = api.create("Task", Play_Name__c="Kept")
    field = {"object": "Task", "name": "Play_Name__c"}
    sandbox.change_schema(fields=[field | {"hidden": True}])
    assert "Play_Name__c" not in names(api)
    assert error_of(api.query("SELECT Play_Name__c FROM Task"))[1] == "INVALID_FIELD"
    assert error_of(api.call("PATCH", f"/sobjects/Task/{task}", {"Play_Name__c": "x"}))[1] == "INVALID_FIELD"
    assert "Play_Name__c" not in api.get(f"/sobjects/Task/{task}").json()
    sandbox.change_schema(fields=[field | {"hidden": False}])
    assert api.get(f"/sobjects/Task/{task}").json()["Play_Name__c"] == "Kept"


def test_an_org_without_the_key_field(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(fields=[KEY | {"removed": True}])
    assert "Playbooks_Key__c" not in names(api)
    assert error_of(api.upsert(keyed(1)))[:2] == (404, "NOT_FOUND")
    assert error_of(api.call("POST", "/sobjects/Task", keyed(1)[0]))[1] == "INVALID_FIELD"
    assert sandbox.stats()["keys"] == {}


def test_a_key_field_that_is_not_unique_or_no_external_id(sandbox: SandboxControl, api: Api) -> None:
    sandbox.change_schema(fields=[KEY | {"unique": False}])
    ids = {api.create("Task", Playbooks_Key__c="same") for _ in range(2)}
    assert len(ids) == 2
    assert sandbox.stats()["duplicates"] == ["same"]
    assert api.column("SELECT Id FROM Task WHERE Playbooks_Key__c = 'SAME' ORDER BY Id") == sorted(ids)
    sandbox.change_schema(fields=[KEY | {"externalId": False}])
    assert error_of(api.upsert(keyed(1)))[:2] == (404, "NOT_FOUND")


def test_a_new_field_works_like_any_other(sandbox: SandboxControl, api: Api) -> None:
    field = {"object": "Task", "name": "Score__c", "type": "double", "precision": 4, "nillable": False}
    sandbox.change_schema(fields=[field])
    results = api.upsert([{"Playbooks_Key__c": "a"}, {"Playbooks_Key__c": "b", "Score__c": 2.5}]).json()
    assert row_error_of(results[0])[:2] == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Score__c]")
    assert api.column("SELECT Score__c FROM Task WHERE Score__c > 2") == [2.5]


def test_a_picklist_with_values_of_its_own(sandbox: SandboxControl, api: Api) -> None:
    field = {"object": "Task", "name": "Type", "picklistValues": ["Call"], "restrictedPicklist": True}
    sandbox.change_schema(fields=[field])
    results = api.upsert([{"Playbooks_Key__c": "a", "Type": "Call"}, {"Playbooks_Key__c": "b", "Type": "Email"}]).json()
    assert results[0]["success"] is True
    assert row_error_of(results[1])[0] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown change colour"),
        ({"fields": [{"object": "Nothing", "name": "x"}]}, "unknown object Nothing"),
        ({"fields": [{"object": "Task", "name": "Nothing", "hidden": True}]}, "Task has no field Nothing"),
        ({"fields": [KEY | {"colour": "red"}]}, "unknown field attribute colour"),
        ({"validation_rules": [{"object": "Nothing"}]}, "unknown object Nothing"),
        ({"validation_rules": [{"object": "Task", "name": "x"}]}, "validation rule"),
        ({"permissions": {"Task": {"fly": True}}}, "unknown permission fly"),
        ({"limits": {"weekly": 1}}, "unknown limit weekly"),
    ],
)
def test_changes_nobody_understands(sandbox: SandboxControl, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ControlError, match=message):
        sandbox.change_schema(**changes)
