"""A bare client of the sandbox's REST API: what goes over the wire, nothing in between."""

from typing import Any

import requests

CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}


def ask_token(url: str, **form: str) -> requests.Response:
    """The token endpoint's answer; without a form, to the default client's credentials."""
    return requests.post(f"{url}/services/oauth2/token", data=form or CREDENTIALS, timeout=10)


class Api:
    """One keep-alive connection with a session; paths are relative to `/services/data/v62.0`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.base = f"{url}/services/data/v62.0"
        self.session = requests.Session()
        self.login()

    def login(self) -> dict[str, Any]:
        token: dict[str, Any] = ask_token(self.url).json()
        self.session.headers["Authorization"] = f"Bearer {token['access_token']}"
        return token

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.base}{path}", json=body, timeout=10, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def query(self, soql: str, resource: str = "query", **options: Any) -> requests.Response:
        return self.call("GET", f"/{resource}", params={"q": soql}, **options)

    def records(self, soql: str, resource: str = "query") -> list[dict[str, Any]]:
        answer = self.query(soql, resource)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["records"]
        return found

    def column(self, soql: str, resource: str = "query") -> list[Any]:
        """The values of the only field that is selected."""
        return [value for row in self.records(soql, resource) for name, value in row.items() if name != "attributes"]

    def create(self, sobject: str, **values: Any) -> str:
        answer = self.call("POST", f"/sobjects/{sobject}", values)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def upsert(self, rows: list[dict[str, Any]], all_or_none: bool = False) -> requests.Response:
        """Tasks by their key, in one collection call."""
        return self.call(
            "PATCH", "/composite/sobjects/Task/Playbooks_Key__c", collection(rows, all_or_none=all_or_none)
        )


def collection(rows: list[dict[str, Any]], sobject: str = "Task", all_or_none: bool = False) -> dict[str, Any]:
    return {"allOrNone": all_or_none, "records": [{"attributes": {"type": sobject}, **row} for row in rows]}


def keyed(count: int, prefix: str = "key", **values: Any) -> list[dict[str, Any]]:
    """Rows with keys `key-0`, `key-1`, …"""
    return [
        {"Playbooks_Key__c": f"{prefix}-{number}", "Subject": f"Call {number}", **values} for number in range(count)
    ]


def error_of(answer: requests.Response) -> tuple[int, str, str]:
    """Status, code and message of an error in the single-resource shape."""
    (error,) = answer.json()
    assert set(error) <= {"errorCode", "message", "fields"}
    return answer.status_code, error["errorCode"], error["message"]


def row_error_of(result: dict[str, Any]) -> tuple[str, str, list[str]]:
    """Code, message and fields of a refused row."""
    assert result["success"] is False
    (error,) = result["errors"]
    return error["statusCode"], error["message"], error["fields"]
