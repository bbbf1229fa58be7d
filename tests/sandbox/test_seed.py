import json
import re
from pathlib import Path
from typing import Any

import pytest

from sandbox.seed import DataError
from sandbox.server import start
from tests.sandbox.api import Api, ask_token

ROOT = Path(__file__).resolve().parents[2]
DATA: dict[str, Any] = {
    "org": {"Name": "Acme", "Id": "00D000000000001EAA"},
    "users": [
        {"Username": "access@acme.example", "LastName": "Access", "Email": "access@acme.example"},
        {"Id": "@rep", "Username": "rep@acme.example", "LastName": "Rep", "Email": "rep@acme.example"},
    ],
    "objects": {
        "Account": [{"Id": "@person", "Name": "Ada Byron", "IsPersonAccount": True, "PersonContactId": "@ada"}],
        "Contact": [{"Id": "@ada", "LastName": "Byron", "AccountId": "@person", "OwnerId": "@rep"}],
    },
    "validation_rules": [
        {"object": "Task", "name": "No", "message": "No.", "condition": {"field": "Subject", "blank": True}}
    ],
    "clients": [{"client_id": "rep-client", "client_secret": "word", "username": "rep@acme.example"}],
    "schema": {"shared_activities": True, "limits": {"daily_max": 500}},
}


def test_a_data_file_fills_the_org() -> None:
    with start(data=DATA) as sandbox:
        api = Api(sandbox.url)
        (account,) = sandbox.control.rows("Account")
        (contact,) = sandbox.control.rows("Contact")
        rep = sandbox.control.rows("User")[1]
        assert (contact["AccountId"], contact["OwnerId"]) == (account["Id"], rep["Id"])
        assert (account["IsPersonAccount"], account["PersonContactId"]) == (True, contact["Id"])
        assert api.column("SELECT Name FROM Organization") == ["Acme"]
        assert api.call("POST", "/sobjects/Task", {}).json()[0]["message"] == "No."
        assert sandbox.control.schema()["limits"]["daily_max"] == 500
        token = ask_token(sandbox.url, grant_type="client_credentials", client_id="rep-client", client_secret="word")
        assert token.json()["id"] == f"{sandbox.url}/id/00D000000000001EAA/{rep['Id']}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"object": {}}, "unknown parts object"),
        ({"objects": {"Nothing": []}}, "unknown object Nothing"),
        ({"objects": {"Contact": [{"LastName": "x", "AccountId": "@nobody"}]}}, "no record is named @nobody"),
        ({"objects": {"Contact": [{"Surname": "x"}]}}, "Contact has no field Surname"),
        ({"users": []}, "users: at least one is needed, the Access User"),
        ({"org": []}, "not of the form that sandbox/README.md describes"),
    ],
)
def test_a_data_file_with_a_mistake(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        start(data=data)


def test_the_readmes_data_file_works() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (ROOT / "sandbox" / "README.md").read_text(), re.DOTALL)
    with start(data=json.loads(example)) as sandbox:
        (contact,) = sandbox.control.rows("Contact")
        refused = Api(sandbox.url).call("POST", "/sobjects/Task", {"Type": "Call"})
    assert contact["LastName"] == "Byron"
    assert refused.json()[0]["message"] == "A call needs an outcome."


def test_a_data_error_is_a_value_error() -> None:
    assert issubclass(DataError, ValueError)
