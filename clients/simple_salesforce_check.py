"""Runs simple-salesforce against the sandbox: `python -m clients.simple_salesforce_check http://127.0.0.1:PORT`."""

import sys
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

_TIMEOUT = 20  # seconds


class _LocalAdapter(HTTPAdapter):
    """simple-salesforce speaks https only: this sends what it sends to the sandbox's plain http."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = self.url + parts.path + (f"?{parts.query}" if parts.query else "")
        kwargs["timeout"] = _TIMEOUT
        return super().send(request, *args, **kwargs)


class Checks:
    """The checks in the order they run; each is a method that fails by an exception."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.run = f"{time.time_ns():x}"
        self.made: list[str] = []
        self.sf: Any = None  # its attributes are object types, which its annotations don't know

    def token(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
        }
        answer = requests.post(f"{self.url}/services/oauth2/token", data=form, timeout=_TIMEOUT).json()
        session = requests.Session()
        session.mount("https://", _LocalAdapter(self.url))
        self.sf = Salesforce(
            instance_url=answer["instance_url"].replace("http://", "https://"),
            session_id=answer["access_token"],
            session=session,
            version="62.0",
        )

    def describe(self) -> None:
        types = {one["name"]: one for one in self.sf.describe()["sobjects"]}
        assert types["Task"]["keyPrefix"] == "00T"
        fields = {field["name"]: field for field in self.sf.Task.describe()["fields"]}
        key = fields["Playbooks_Key__c"]
        assert (key["externalId"], key["unique"], key["length"]) == (True, True, 64)

    def query(self) -> None:
        answer = self.sf.query("SELECT Id, Name, Account.Name FROM Contact WHERE Account.Name != null")
        self.contact = answer["records"][0]["Id"]
        assert answer["records"][0]["Account"]["attributes"]["type"] == "Account"

    def create_and_get(self) -> None:
        row = {"Subject": f"py {self.run}", "Status": "Completed", "WhoId": self.contact}
        answer = self.sf.Task.create(row)
        assert answer["success"] is True
        self.made.append(answer["id"])
        task = self.sf.Task.get(answer["id"])
        assert (task["Subject"], task["IsClosed"], task["WhoId"]) == (f"py {self.run}", True, self.contact)

    def update(self) -> None:
        assert self.sf.Task.update(self.made[0], {"Description": "Changed"}) == 204
        assert self.sf.Task.get(self.made[0])["Description"] == "Changed"

    def upsert(self) -> None:
        key = f"Playbooks_Key__c/py-{self.run}"
        assert self.sf.Task.upsert(key, {"Subject": "First"}) == 201
        assert self.sf.Task.upsert(key, {"Subject": "Second"}) == 200
        task = self.sf.Task.get_by_custom_id("Playbooks_Key__c", f"py-{self.run}")
        assert task["Subject"] == "Second"
        self.made.append(task["Id"])

    def refusals(self) -> None:
        _refused(SalesforceMalformedRequest, lambda: self.sf.Contact.create({"FirstName": "Nobody"}))
        _refused(SalesforceMalformedRequest, lambda: self.sf.query("SELECT Nothing__c FROM Task"))
        _refused(SalesforceResourceNotFound, self.sf.Nothing__c.describe)

    def collections(self) -> None:
        for start in (0, 200, 400):
            rows = [
                {
                    "attributes": {"type": "Task"},
                    "Subject": f"py {self.run} row",
                    "Playbooks_Key__c": f"py-{self.run}-{number}",
                }
                for number in range(start, min(start + 200, 450))
            ]
            answers = self.sf.restful(
                "composite/sobjects/Task/Playbooks_Key__c", method="PATCH", json={"records": rows}
            )
            assert [answer["created"] for answer in answers] == [True] * len(rows)
            self.made += [answer["id"] for answer in answers]

    def paging(self) -> None:
        soql = f"SELECT Id FROM Task WHERE Subject = 'py {self.run} row' ORDER BY Id"
        page = self.sf.query(soql, headers={"Sforce-Query-Options": "batchSize=200"})
        assert (len(page["records"]), page["done"], page["totalSize"]) == (200, False, 450)
        page = self.sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)
        assert (len(page["records"]), page["done"]) == (200, False)
        everything = self.sf.query_all(soql)
        assert len({record["Id"] for record in everything["records"]}) == 450

    def composite(self) -> None:
        base = "/services/data/v62.0/sobjects"
        calls = [
            {"method": "POST", "url": f"{base}/Account", "referenceId": "org", "body": {"Name": "py"}},
            {
                "method": "POST",
                "url": f"{base}/Task",
                "referenceId": "task",
                "body": {"Subject": "py", "WhatId": "@{org.id}"},
            },
        ]
        answer = self.sf.restful("composite", method="POST", json={"compositeRequest": calls})
        parts = answer["compositeResponse"]
        assert [part["httpStatusCode"] for part in parts] == [201, 201]
        self.made.append(parts[1]["body"]["id"])
        assert self.sf.Task.get(self.made[-1])["WhatId"] == parts[0]["body"]["id"]

    def limits(self) -> None:
        daily = self.sf.limits()["DailyApiRequests"]
        assert 0 < daily["Remaining"] < daily["Max"]
        assert self.sf.api_usage["api-usage"].total == daily["Max"]

    def delete(self) -> None:
        assert self.sf.Task.delete(self.made[0]) == 204
        for start in range(1, len(self.made), 200):
            ids = ",".join(self.made[start : start + 200])
            answers = self.sf.restful("composite/sobjects", params={"ids": ids}, method="DELETE")
            assert all(answer["success"] for answer in answers)
        soql = f"SELECT Id, IsDeleted FROM Task WHERE Subject = 'py {self.run} row'"
        assert self.sf.query(soql)["totalSize"] == 0
        gone = self.sf.query_all(soql, include_deleted=True)["records"]
        assert [record["IsDeleted"] for record in gone] == [True] * 450

    def expired_session(self) -> None:
        requests.delete(f"{self.url}/sandbox/tokens", timeout=_TIMEOUT)
        _refused(SalesforceExpiredSession, lambda: self.sf.query("SELECT Id FROM Task LIMIT 1"))


def _refused(kind: type[Exception], call: Callable[[], object]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected")


_ORDER = (
    Checks.token,
    Checks.describe,
    Checks.query,
    Checks.create_and_get,
    Checks.update,
    Checks.upsert,
    Checks.refusals,
    Checks.collections,
    Checks.paging,
    Checks.composite,
    Checks.limits,
    Checks.delete,
    Checks.expired_session,
)


def main(url: str) -> int:
    """Exit status 1 when a check failed; one line a check."""
    checks = Checks(url.rstrip("/"))
    failed = 0
    for check in _ORDER:
        name = f"simple-salesforce {version('simple-salesforce')}: {check.__name__.replace('_', ' ')}"
        try:
            check(checks)
            print(f"{name}: ok", flush=True)
        except Exception:  # noqa: BLE001 - a check may fail in any way, and the next ones still run
            failed += 1
            print(f"{name}: FAILED: {traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m clients.simple_salesforce_check URL")
    sys.exit(main(sys.argv[1]))
