import pytest
import requests

from sandbox.control import SandboxControl
from tests.sandbox.api import Api, error_of

PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "Opportunity": "006",
    "Case": "500",
    "Task": "00T",
    "TaskStatus": "01S",
    "User": "005",
    "Organization": "00D",
}


def fields_of(api: Api, sobject: str) -> dict[str, dict[str, object]]:
    return {field["name"]: field for field in api.get(f"/sobjects/{sobject}/describe").json()["fields"]}


def test_versions_need_no_session(sandbox: SandboxControl) -> None:
    versions = requests.get(f"{sandbox.url}/services/data", timeout=10).json()
    assert [one["version"] for one in versions] == ["60.0", "61.0", "62.0", "63.0", "64.0"]
    assert versions[0]["url"] == "/services/data/v60.0"


@pytest.mark.parametrize(("version", "status"), [("60.0", 200), ("64.0", 200), ("59.0", 404), ("99.0", 404)])
def test_only_listed_versions_answer(api: Api, version: str, status: int) -> None:
    answer = api.session.get(f"{api.url}/services/data/v{version}/limits", timeout=10)
    assert answer.status_code == status


def test_global_describe(api: Api) -> None:
    answer = api.get("/sobjects").json()
    assert {one["name"]: one["keyPrefix"] for one in answer["sobjects"]} == PREFIXES


@pytest.mark.parametrize("sobject", sorted(PREFIXES))
def test_every_object_describes_itself(api: Api, sobject: str) -> None:
    described = api.get(f"/sobjects/{sobject}/describe").json()
    assert (described["name"], described["keyPrefix"]) == (sobject, PREFIXES[sobject])
    names = [field["name"] for field in described["fields"]]
    assert len(set(names)) == len(names)
    assert {"Id", "SystemModstamp", "IsDeleted"} <= set(names)


def test_fields_of_a_task(api: Api) -> None:
    fields = fields_of(api, "Task")
    subtype, key, who = fields["TaskSubtype"], fields["Playbooks_Key__c"], fields["WhoId"]
    assert (subtype["createable"], subtype["updateable"], subtype["restrictedPicklist"]) == (True, False, True)
    assert (key["type"], key["length"], key["externalId"], key["unique"], key["caseSensitive"], key["custom"]) == (
        "string",
        64,
        True,
        True,
        False,
        True,
    )
    assert (who["type"], who["referenceTo"], who["relationshipName"]) == ("reference", ["Contact", "Lead"], "Who")
    assert (fields["Subject"]["length"], fields["Description"]["length"]) == (255, 32_000)
    assert fields["Description"]["filterable"] is False
    assert (fields["Status"]["nillable"], fields["Status"]["defaultedOnCreate"]) == (False, True)
    values = fields["Status"]["picklistValues"]
    assert isinstance(values, list)
    assert [one["value"] for one in values if one["defaultValue"]] == ["Not Started"]
    assert "TaskWhoIds" not in fields


def test_closed_statuses(api: Api) -> None:
    assert api.column("SELECT MasterLabel FROM TaskStatus WHERE IsClosed = true") == ["Completed"]
    assert api.column("SELECT MasterLabel FROM TaskStatus ORDER BY SortOrder") == [
        "Not Started",
        "In Progress",
        "Completed",
        "Waiting on someone else",
        "Deferred",
    ]


def test_an_unknown_object(api: Api) -> None:
    answer = api.get("/sobjects/Nothing__c/describe")
    assert error_of(answer) == (404, "NOT_FOUND", "The requested resource does not exist")


def test_the_list_of_resources(api: Api) -> None:
    assert set(api.get("").json()) == {"limits", "sobjects", "query", "queryAll", "composite"}
