from typing import Any

import pytest

from sandbox.control import SandboxControl
from tests.sandbox.api import Api, error_of, keyed

BASE = "/services/data/v62.0"


def part(method: str, path: str, name: str, body: Any = None) -> dict[str, Any]:
    return {"method": method, "url": f"{BASE}{path}", "referenceId": name, "body": body}


def run(api: Api, *parts: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
    body = {"allOrNone": all_or_none, "compositeRequest": parts}
    answer = api.call("POST", "/composite", body)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["compositeResponse"]
    return found


def test_later_calls_refer_to_earlier_ones(sandbox: SandboxControl, api: Api) -> None:
    answers = run(
        api,
        part("POST", "/sobjects/Account", "org", {"Name": "Made together"}),
        part("POST", "/sobjects/Task", "task", {"Subject": "For @{org.id}", "WhatId": "@{org.id}"}),
        part("GET", "/query?q=SELECT+WhatId+FROM+Task+WHERE+Id='@{task.id}'", "found"),
        part("PATCH", "/sobjects/Account/@{found.records[0].WhatId}", "changed", {"Phone": "1"}),
    )
    assert [answer["httpStatusCode"] for answer in answers] == [201, 201, 200, 204]
    assert [answer["referenceId"] for answer in answers] == ["org", "task", "found", "changed"]
    account = answers[0]["body"]["id"]
    assert answers[0]["httpHeaders"] == {"Location": f"{BASE}/sobjects/Account/{account}"}
    assert answers[2]["body"]["records"][0]["WhatId"] == account
    assert sandbox.row("Task", answers[1]["body"]["id"])["Subject"] == f"For {account}"
    assert sandbox.row("Account", account)["Phone"] == "1"
    assert sandbox.stats()["api_calls"] == 1


def test_a_failed_part_halts_those_that_refer_to_it(api: Api) -> None:
    failed, halted, other = run(
        api,
        part("POST", "/sobjects/Account", "org", {}),
        part("POST", "/sobjects/Task", "task", {"WhatId": "@{org.id}"}),
        part("POST", "/sobjects/Task", "other", {"Subject": "x"}),
    )
    assert (failed["httpStatusCode"], failed["body"][0]["errorCode"]) == (400, "REQUIRED_FIELD_MISSING")
    assert (halted["httpStatusCode"], halted["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
    assert other["httpStatusCode"] == 201


def test_all_or_none_takes_every_part_back(sandbox: SandboxControl, api: Api) -> None:
    parts = (
        part("POST", "/sobjects/Task", "first", {"Subject": "x"}),
        part("POST", "/sobjects/Task", "second", {"Status": "Bogus"}),
        part("POST", "/sobjects/Task", "third", {"Subject": "y"}),
    )
    answers = run(api, *parts, all_or_none=True)
    assert [answer["body"][0]["errorCode"] for answer in answers] == [
        "PROCESSING_HALTED",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "PROCESSING_HALTED",
    ]
    assert sandbox.stats()["rows"]["Task"] == 0
    assert [answer["httpStatusCode"] for answer in run(api, *parts)] == [201, 400, 201]
    assert sandbox.stats()["rows"]["Task"] == 2


def test_collections_inside(sandbox: SandboxControl, api: Api) -> None:
    rows = [{"attributes": {"type": "Task"}, **row} for row in keyed(3)]
    upsert, found = run(
        api,
        part("PATCH", "/composite/sobjects/Task/Playbooks_Key__c", "tasks", {"records": rows}),
        part("GET", "/sobjects/Task/@{tasks[1].id}?fields=Playbooks_Key__c", "second"),
    )
    assert [result["created"] for result in upsert["body"]] == [True] * 3
    assert found["body"]["Playbooks_Key__c"] == "key-1"
    assert sandbox.requests()[-1]["rows"] == 3


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([part("GET", "/limits", f"r{number}") for number in range(26)], "LIMIT_EXCEEDED"),
        ([part("GET", "/query?q=x", f"r{number}") for number in range(6)], "LIMIT_EXCEEDED"),
        ([part("GET", "/limits", "same"), part("GET", "/limits", "same")], "INVALID_INPUT"),
        ([part("GET", "/limits", "not valid")], "INVALID_INPUT"),
        ([], "INVALID_INPUT"),
        (["part"], "INVALID_INPUT"),
    ],
)
def test_what_a_composite_cannot_be(api: Api, parts: list[Any], code: str) -> None:
    answer = api.call("POST", "/composite", {"compositeRequest": parts})
    assert error_of(answer)[:2] == (400, code)


@pytest.mark.parametrize(
    "url", ["/limits", "https://elsewhere.example/services/data/v62.0/limits", f"{BASE}/composite"]
)
def test_parts_lead_to_this_api_alone(api: Api, url: str) -> None:
    (answer,) = run(api, {"method": "GET", "url": url, "referenceId": "r"})
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (400, "INVALID_INPUT")
