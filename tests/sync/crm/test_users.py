"""The CRM's users by e-mail: how many calls, and which texts a query holds."""

import pytest

from sandbox.control import SandboxControl
from sync.crm.base import CrmUser
from sync.crm.salesforce import SalesforceCrm
from sync.crm.users import queries, user_of
from tests.sync.crm.rows import calls


def test_users_are_found_by_email_in_any_case(crm: SalesforceCrm, sandbox: SandboxControl) -> None:
    mara = next(row for row in sandbox.rows("User") if row["FirstName"] == "Mara")
    found = crm.find_users(["Mara.Lindqvist@Northwind.example", "nobody@northwind.example"])
    name = "mara.lindqvist@northwind.example"
    assert found == [CrmUser(mara["Id"], "Mara Lindqvist", name, name, True)]


def test_users_who_are_deactivated_are_told(crm: SalesforceCrm) -> None:
    assert [user.is_active for user in crm.find_users(["ines.ferro@northwind.example"])] == [False]


@pytest.mark.parametrize(
    ("many", "expected"), [(0, {}), (1, {"GET queryAll": 1}), (200, {"GET queryAll": 1}), (401, {"GET queryAll": 3})]
)
def test_b3_users_cost_a_call_for_each_200(
    crm: SalesforceCrm, sandbox: SandboxControl, many: int, expected: dict[str, int]
) -> None:
    assert crm.find_users([f"somebody.with.a.longer.name{n:03}@example.com" for n in range(many)]) == []
    assert calls(sandbox) == expected


@pytest.mark.parametrize("email", ["o'neil@example.com", "back\\slash@example.com", "x') OR (Name LIKE '%@example.com"])
def test_users_an_address_stays_a_text(crm: SalesforceCrm, sandbox: SandboxControl, email: str) -> None:
    added = sandbox.add("User", {"Username": email, "LastName": "Odd", "Email": email, "IsActive": True})
    assert [user.crm_id for user in crm.find_users([email])] == [added["Id"]]


def test_users_long_addresses_are_split_before_the_address_is_too_long() -> None:
    emails = [f"{'x' * 240}{n:03}@example.com" for n in range(100)]
    made = list(queries(emails, 200))
    assert [soql.count("@example.com") for soql in made] == [41, 41, 18]


def test_users_control_characters_are_refused() -> None:
    with pytest.raises(ValueError, match="control characters"):
        list(queries(["a\nb@example.com"], 200))


def test_users_a_row_that_is_no_user() -> None:
    with pytest.raises(KeyError):
        user_of({"Id": "005AAAAAAAAAAa1Y5H"})
