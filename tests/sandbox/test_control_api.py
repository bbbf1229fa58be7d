import time
from threading import Thread

import pytest
import requests

from sandbox.control import ControlError, SandboxControl
from tests.sandbox.api import Api, ask_token, keyed


def test_health(sandbox: SandboxControl) -> None:
    assert sandbox.health() == {"status": "ok", "url": sandbox.url, "latency_ms": 0}


def test_stats_count_calls_rows_and_keys(sandbox: SandboxControl, api: Api) -> None:
    api.upsert(keyed(2))
    api.upsert(keyed(1))
    api.query("SELECT Id FROM Task")
    api.get("/sobjects/Task/describe")
    sandbox.delete("Task", sandbox.rows("Task")[0]["Id"])
    sandbox.add("Task", {"Playbooks_Key__c": "key-0"})
    stats = sandbox.stats()
    assert stats["calls"] == {
        "POST oauth2/token": 1,
        "PATCH composite/sobjects/Task": 2,
        "GET query": 1,
        "GET sobjects/Task/describe": 1,
    }
    assert (stats["api_calls"], stats["token_calls"]) == (4, 1)
    assert stats["rows_written"] == {"Task": 5}
    assert (stats["keys"], stats["duplicates"]) == ({"key-0": 2, "key-1": 1}, [])


def test_duplicates_by_any_field(sandbox: SandboxControl) -> None:
    sandbox.add_all("Task", [{"CallObject": "call-1"}, {"CallObject": "call-1"}, {"CallObject": "call-2"}])
    stats = sandbox.stats(key_field="CallObject")
    assert (stats["keys"], stats["duplicates"]) == ({"call-1": 2, "call-2": 1}, ["call-1"])


def test_commits_tell_when_a_key_stood_in_the_crm(sandbox: SandboxControl, api: Api) -> None:
    began = time.time() * 1000
    (made,) = api.upsert(keyed(1)).json()
    api.call("PATCH", f"/sobjects/Task/{made['id']}", {"Subject": "changed"})
    api.call("DELETE", f"/sobjects/Task/{made['id']}")
    commits = sandbox.commits()
    assert [(one["number"], one["operation"]) for one in commits] == [(1, "create"), (2, "update"), (3, "delete")]
    assert {(one["object"], one["id"], one["key"]) for one in commits} == {("Task", made["id"], "key-0")}
    assert began <= commits[0]["at_ms"] <= commits[2]["at_ms"] <= time.time() * 1000
    assert sandbox.commits(since=2) == commits[2:]


def test_requests_are_read_back(sandbox: SandboxControl, api: Api) -> None:
    answer = api.upsert(keyed(1))
    api.get("/limits")
    token, upsert, limits = sandbox.requests()
    assert (token["label"], limits["method"], limits["body"]) == ("POST oauth2/token", "GET", None)
    assert upsert["body"]["records"][0]["Playbooks_Key__c"] == "key-0"
    assert (upsert["rows"], upsert["status"]) == (1, 200)
    assert upsert["path"] == "/services/data/v62.0/composite/sobjects/Task/Playbooks_Key__c"
    assert upsert["request_id"] == answer.headers["Sforce-Request-Id"]
    assert sandbox.requests(since=upsert["number"]) == [limits]


def test_edits_look_like_somebody_elses(sandbox: SandboxControl, api: Api, contact: str) -> None:
    row = sandbox.add("Task", {"Subject": "x", "WhoId": contact, "SystemModstamp": "2020-01-01T00:00:00.000+0000"})
    edited = sandbox.edit("Task", row["Id"], {"Status": "Completed"})
    assert (edited["IsClosed"], edited["SystemModstamp"] > row["SystemModstamp"]) == (True, True)
    assert edited["LastModifiedById"] not in {None, sandbox.rows("User")[0]["Id"]}
    assert sandbox.delete("Task", row["Id"])["IsDeleted"] is True
    assert [task["Id"] for task in sandbox.rows("Task")] == [row["Id"]]


@pytest.mark.parametrize(
    ("sobject", "values", "message"),
    [
        ("Nothing", {}, "unknown object Nothing"),
        ("Task", {"Nothing__c": 1}, "Task has no field Nothing__c"),
        ("Task", {"WhoId": "somebody"}, "Task.WhoId is not a record id"),
    ],
)
def test_rows_that_cannot_be(sandbox: SandboxControl, sobject: str, values: dict[str, object], message: str) -> None:
    with pytest.raises(ControlError, match=message):
        sandbox.add(sobject, values)


def test_an_unknown_record(sandbox: SandboxControl) -> None:
    with pytest.raises(ControlError, match="no Task with id"):
        sandbox.row("Task", "00T000000000001AAA")


@pytest.mark.parametrize("path", ["nothing", "", "stats/../nothing"])
def test_unknown_control_paths(sandbox: SandboxControl, path: str) -> None:
    assert requests.get(f"{sandbox.url}/sandbox/{path}", timeout=10).status_code == 404


def test_a_control_path_that_ends_too_early(sandbox: SandboxControl) -> None:
    assert requests.get(f"{sandbox.url}/sandbox/objects", timeout=10).status_code == 400


def test_reset_brings_everything_back(sandbox: SandboxControl, api: Api) -> None:
    before = (sandbox.rows("Contact"), sandbox.schema())
    api.upsert(keyed(3))
    sandbox.delete("Contact", before[0][0]["Id"])
    sandbox.change_schema(
        fields=[{"object": "Task", "name": "Playbooks_Key__c", "removed": True}], shared_activities=True
    )
    sandbox.add_fault("limit_day")
    sandbox.reset()
    stats = sandbox.stats()
    assert (stats["calls"], stats["api_calls"], stats["rows_written"], stats["keys"]) == ({}, 0, {}, {})
    assert (sandbox.faults(), sandbox.commits(), sandbox.requests()) == ([], [], [])
    assert [row["Id"] for row in sandbox.rows("Contact")] == [row["Id"] for row in before[0]]
    assert sandbox.schema() == before[1]
    assert api.get("/limits").status_code == 401


def test_a_call_from_before_a_reset_is_no_part_of_what_follows(sandbox: SandboxControl, api: Api) -> None:
    sandbox.add_fault("answer_late", ms=200)
    thread = Thread(target=lambda: api.get("/limits"))
    thread.start()
    while sandbox.stats()["api_calls"] == 0:
        assert thread.is_alive()
    sandbox.reset()
    thread.join()
    assert (sandbox.requests(), sandbox.stats()["api_calls"]) == ([], 0)


def test_sessions_and_refresh_tokens_can_be_ended(sandbox: SandboxControl, api: Api) -> None:
    form = {"grant_type": "refresh_token", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    tokens = [sandbox.refresh_token(), sandbox.refresh_token()]
    sandbox.expire_sessions()
    assert api.get("/limits").status_code == 401
    assert ask_token(sandbox.url, **form, refresh_token=tokens[0]).status_code == 200
    sandbox.expire_sessions(refresh_tokens=True)
    assert ask_token(sandbox.url, **form, refresh_token=tokens[1]).status_code == 400


def test_clients_can_be_registered(sandbox: SandboxControl) -> None:
    user = sandbox.rows("User")[1]["Id"]
    sandbox.register_client("another", client_secret="word", user_id=user)
    answer = ask_token(sandbox.url, grant_type="client_credentials", client_id="another", client_secret="word")
    assert answer.json()["id"].endswith(user)
