"""manage.py crm_connect."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sandbox.control import SandboxControl
from sync.models import Connection
from tests.sync.real_cluster import Installation

pytestmark = pytest.mark.django_db(transaction=True)

KEY = {"object": "Task", "name": "Playbooks_Key__c"}


def said() -> list[str]:
    out = StringIO()
    call_command("crm_connect", stdout=out)
    return out.getvalue().splitlines()


def refused() -> str:
    with pytest.raises(CommandError) as refusal:
        call_command("crm_connect", stdout=StringIO())
    assert (refusal.value.returncode, refusal.value.__cause__) == (1, None)
    return str(refusal.value)


def test_it_says_who_what_and_that_nothing_is_missing(salesforce_settings: Settings, sandbox: SandboxControl) -> None:
    user, org = sandbox.rows("User")[0]["Id"], sandbox.rows("Organization")[0]["Id"]
    assert said() == [
        f"Connected to {sandbox.url} as Playbooks Access User (access.user@northwind.example).",
        f"Access User {user}, org {org}.",
        "",
        "Account:     read, create, update",
        "  may write: OwnerId, Phone",
        "Contact:     read, create, update",
        "  may write: OwnerId, Phone, MobilePhone, HomePhone, OtherPhone, Email",
        "Lead:        read, create, update",
        "  may write: OwnerId, Phone, MobilePhone, Email",
        "Opportunity: read, create, update",
        "  may write: OwnerId",
        "Case:        read, create, update",
        "  may write: OwnerId, SuppliedEmail",
        "Task:        read, create, update",
        (
            "  may write: Playbooks_Key__c, Subject, Description, Status, ActivityDate, OwnerId, WhoId, WhatId, "
            "TaskSubtype, Type, "
            "CallType, CallDurationInSeconds, CallDisposition, CallObject, Play_Name__c, Play_Step__c"
        ),
        "",
        "Nothing is missing.",
    ]


MISSING_KEY = (
    "! The key field Playbooks_Key__c is missing. Install the package under Settings › CRM › Fields, or create it on "  # noqa: RUF001
    "Activity as Text(64), External ID, Unique, and make it visible and editable for the Access User; then check the "
    "connection again."
)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"removed": True}, "CallObject"),
        ({"hidden": True}, "CallObject"),
        ({"unique": False}, "Playbooks_Key__c"),
    ],
)
def test_b1_a_missing_key_field_comes_first_with_its_remedy(
    salesforce_settings: Settings, sandbox: SandboxControl, change: dict[str, bool], field: str
) -> None:
    sandbox.change_schema(fields=[{**KEY, **change}])
    assert said()[-2:] == [
        MISSING_KEY,
        (
            f"  Without it, the key goes into {field}, and a task whose answer was lost waits longer than ten minutes "
            "before it is looked up."
        ),
    ]


def test_m7_missing_fields_and_rights_are_named_with_their_remedy(
    salesforce_settings: Settings, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(
        fields=[
            {**KEY, "hidden": True},
            {"object": "Task", "name": "CallObject", "hidden": True},
            {"object": "Task", "name": "Play_Name__c", "removed": True},
        ],
        permissions={"Lead": {"read": False}, "Task": {"create": False}},
    )
    lines = said()
    assert "Lead:        nothing" in lines
    assert lines[lines.index(MISSING_KEY) :] == [
        MISSING_KEY,
        "  Without it, a task whose answer was lost can't be found in Salesforce and waits for the field.",
        "! The Access User may not read Lead: give it a permission set that allows it.",
        "! The Access User may not read, create and update Task: give it a permission set that allows it.",
        (
            "· Task: CallObject, Play_Name__c don't exist or are hidden, and are left out. To have them, create them "
            "or make them visible to the Access User."
        ),
    ]


def test_a_wrong_secret_is_one_line(salesforce_settings: Settings) -> None:
    salesforce_settings.SALESFORCE_CLIENT_SECRET = "wrong"
    assert refused() == (
        "Salesforce refuses SALESFORCE_CLIENT_SECRET. Copy the app's consumer secret again. "
        "(invalid_client: invalid client credentials)"
    )


def test_an_unreadable_key_file_is_one_line(salesforce_settings: Settings, tmp_path: Path) -> None:
    salesforce_settings.SALESFORCE_CLIENT_SECRET = ""
    salesforce_settings.SALESFORCE_JWT_USERNAME = "someone"
    salesforce_settings.SALESFORCE_JWT_KEY_FILE = str(tmp_path / "missing.pem")
    assert refused() == (
        "SALESFORCE_JWT_KEY_FILE can't be used: No such file or directory. Set it to the path of the app's private key."
    )


def test_a_stranger_s_address_is_one_line(salesforce_settings: Settings) -> None:
    salesforce_settings.SALESFORCE_LOGIN_URL = "http://192.0.2.1"
    assert refused() == (
        "SALESFORCE_LOGIN_URL can't be used: plain http is accepted for this machine's own addresses only; use https."
    )


def test_an_address_that_answers_html_is_one_line(salesforce_settings: Settings, sandbox: SandboxControl) -> None:
    sandbox.add_fault("http_error", status=200, body="<html>Log in</html>", match={"path": "oauth2/token"})
    assert refused() == (
        "SALESFORCE_LOGIN_URL does not answer as Salesforce does. Check the address and the network. "
        "(UNREADABLE_ANSWER: The log-in address answered, but not as Salesforce does.)"
    )


def test_an_address_that_is_silent_is_one_line(salesforce_settings: Settings, sandbox: SandboxControl) -> None:
    salesforce_settings.SYNC_HTTP_TIMEOUT = 0.2
    sandbox.add_fault("latency", ms=2000, match={"path": "oauth2/token"}, times=1)
    assert refused() == (
        "SALESFORCE_LOGIN_URL did not answer in time. Check the address and the network, or try again. "
        "(TIMEOUT: The CRM took the request and did not answer in time.)"
    )


def test_an_address_without_a_server_is_one_line(salesforce_settings: Settings, unused_port: int) -> None:
    salesforce_settings.SALESFORCE_LOGIN_URL = f"http://127.0.0.1:{unused_port}"
    assert refused() == (
        "SALESFORCE_LOGIN_URL does not answer as Salesforce does. Check the address and the network. "
        "(UNREACHABLE: The CRM can't be reached at its address.)"
    )


def test_another_org_is_one_line(connection: Connection) -> None:
    Connection.objects.update(org_id="00D000000000001EAA")
    assert refused().startswith(f"SALESFORCE_LOGIN_URL leads to the org {connection.org_id}, but")


def test_from_a_shell_it_ends_with_status_1_and_one_line(site: Installation) -> None:
    process = site.start("crm_connect")
    assert process.wait(60) == 1
    assert site.log.read_text() == (
        "CommandError: SALESFORCE_LOGIN_URL is not set. Set it to your My Domain, like "
        "https://YOUR-DOMAIN.my.salesforce.com.\n"
    )
