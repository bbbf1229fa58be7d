from typing import Any

import pytest

from sandbox.control import SandboxControl
from tests.sandbox.api import Api, error_of

ROWS: list[dict[str, Any]] = [
    {
        "Subject": "Alpha",
        "Status": "Completed",
        "ActivityDate": "2020-01-05",
        "CallDurationInSeconds": 60,
        "Play_Name__c": "P1",
    },
    {"Subject": "beta", "Status": "Not Started", "ActivityDate": "2020-02-05", "CallDurationInSeconds": 5},
    {"Subject": "Gamma 50%", "Status": "Completed", "CallDurationInSeconds": 0, "Play_Name__c": "p1"},
    {"Subject": "O'Hara_x", "Status": "Deferred", "ActivityDate": "2020-01-05", "Play_Name__c": "P2"},
]


@pytest.fixture
def tasks(sandbox: SandboxControl, api: Api, contact: str, lead: str) -> Api:
    """Four Tasks: alpha and beta with a contact, gamma with a lead, o'hara with nobody."""
    people = (contact, contact, lead, None)
    for number, (row, who) in enumerate(zip(ROWS, people, strict=True)):
        made = {
            "WhoId": who,
            "Playbooks_Key__c": f"Key-{number}",
            "CreatedDate": f"2026-03-0{number + 1}T10:00:00.000+0000",
        }
        sandbox.add("Task", row | made)
    return api


@pytest.mark.parametrize(
    ("where", "subjects"),
    [
        ("Subject = 'alpha'", ["Alpha"]),
        ("Subject != 'alpha'", ["beta", "Gamma 50%", "O'Hara_x"]),
        ("Subject <> 'alpha'", ["beta", "Gamma 50%", "O'Hara_x"]),
        ("Subject = 'O\\'Hara_x'", ["O'Hara_x"]),
        ("Subject LIKE '%a'", ["Alpha", "beta"]),
        ("Subject LIKE 'b_ta'", ["beta"]),
        ("Subject LIKE '%\\%'", ["Gamma 50%"]),
        ("Subject LIKE '%\\_x'", ["O'Hara_x"]),
        ("(NOT Subject LIKE '%a')", ["Gamma 50%", "O'Hara_x"]),
        ("Subject IN ('ALPHA', 'Beta', 'none')", ["Alpha", "beta"]),
        ("Subject NOT IN ('ALPHA', 'Beta')", ["Gamma 50%", "O'Hara_x"]),
        ("Play_Name__c = null", ["beta"]),
        ("Play_Name__c != null", ["Alpha", "Gamma 50%", "O'Hara_x"]),
        ("Play_Name__c = ''", ["beta"]),
        ("Play_Name__c != 'P1'", ["beta", "O'Hara_x"]),
        ("Playbooks_Key__c = 'KEY-1'", ["beta"]),
        ("Playbooks_Key__c IN ('key-0', 'key-3', 'key-9')", ["Alpha", "O'Hara_x"]),
        ("Playbooks_Key__c = null", []),
        ("Playbooks_Key__c IN ('key-0', 'key-1') AND IsClosed = true", ["Alpha"]),
        ("Playbooks_Key__c = 'key-0' OR Subject = 'beta'", ["Alpha", "beta"]),
        ("IsClosed = true", ["Alpha", "Gamma 50%"]),
        ("IsClosed != TRUE", ["beta", "O'Hara_x"]),
        ("CallDurationInSeconds >= 5", ["Alpha", "beta"]),
        ("CallDurationInSeconds < 5", ["Gamma 50%"]),
        ("CallDurationInSeconds = null", ["O'Hara_x"]),
        ("CallDurationInSeconds IN (0, 60)", ["Alpha", "Gamma 50%"]),
        ("ActivityDate = 2020-01-05", ["Alpha", "O'Hara_x"]),
        ("ActivityDate > 2020-01-05", ["beta"]),
        ("ActivityDate = null", ["Gamma 50%"]),
        ("ActivityDate < TODAY", ["Alpha", "beta", "O'Hara_x"]),
        ("CreatedDate > 2026-03-02T10:00:00Z", ["Gamma 50%", "O'Hara_x"]),
        ("CreatedDate >= 2026-03-02T12:00:00+02:00 AND CreatedDate < 2026-03-04T00:00:00Z", ["beta", "Gamma 50%"]),
        ("LastModifiedDate <= TOMORROW", ["Alpha", "beta", "Gamma 50%", "O'Hara_x"]),
        ("ActivityDate = TOMORROW", []),
        ("ActivityDate = NEXT_N_DAYS:9", []),
        ("ActivityDate != TODAY", ["Alpha", "beta", "Gamma 50%", "O'Hara_x"]),
        ("SystemModstamp >= LAST_N_DAYS:2", ["Alpha", "beta", "Gamma 50%", "O'Hara_x"]),
        ("Who.Name = 'hana novak'", ["Alpha", "beta"]),
        ("Who.Type = 'Lead'", ["Gamma 50%"]),
        ("Who.Name = null", ["O'Hara_x"]),
        ("Account.Name = 'Birchwood Lodges'", ["Alpha", "beta"]),
        ("Account.Owner.Email LIKE 'mara%'", ["Alpha", "beta"]),
        ("Owner.Name != null AND (Subject = 'alpha' OR Subject = 'beta')", ["Alpha", "beta"]),
        ("NOT (Subject = 'alpha' OR Subject = 'beta')", ["Gamma 50%", "O'Hara_x"]),
        ("subject = 'alpha' and isclosed = true", ["Alpha"]),
    ],
)
def test_where(tasks: Api, where: str, subjects: list[str]) -> None:
    assert tasks.column(f"SELECT Subject FROM Task WHERE {where} ORDER BY CreatedDate") == subjects


@pytest.mark.parametrize(
    ("rest", "subjects"),
    [
        ("ORDER BY Subject", ["Alpha", "beta", "Gamma 50%", "O'Hara_x"]),
        ("ORDER BY Subject DESC LIMIT 2", ["O'Hara_x", "Gamma 50%"]),
        ("ORDER BY CallDurationInSeconds, Subject", ["O'Hara_x", "Gamma 50%", "beta", "Alpha"]),
        ("ORDER BY CallDurationInSeconds NULLS LAST", ["Gamma 50%", "beta", "Alpha", "O'Hara_x"]),
        ("ORDER BY CallDurationInSeconds DESC", ["O'Hara_x", "Alpha", "beta", "Gamma 50%"]),
        ("ORDER BY CallDurationInSeconds DESC NULLS LAST", ["Alpha", "beta", "Gamma 50%", "O'Hara_x"]),
        ("ORDER BY Status, Subject DESC", ["beta", "Gamma 50%", "Alpha", "O'Hara_x"]),
        ("ORDER BY Who.Name, Subject", ["O'Hara_x", "Alpha", "beta", "Gamma 50%"]),
        ("ORDER BY Subject LIMIT 2 OFFSET 1", ["beta", "Gamma 50%"]),
        ("ORDER BY Subject LIMIT 0", []),
    ],
)
def test_order_and_limits(tasks: Api, rest: str, subjects: list[str]) -> None:
    assert tasks.column(f"SELECT Subject FROM Task {rest}") == subjects


def test_parents_are_nested(tasks: Api, contact: str) -> None:
    (record,) = tasks.records(
        "SELECT Id, Who.Name, Who.Type, Account.Name, Account.Owner.Name, What.Name FROM Task WHERE Subject = 'Alpha'"
    )
    assert record["Who"] == {
        "attributes": {"type": "Name", "url": f"/services/data/v62.0/sobjects/Contact/{contact}"},
        "Name": "Hana Novak",
        "Type": "Contact",
    }
    assert record["Account"]["Owner"]["Name"] == "Mara Lindqvist"
    assert record["What"] is None
    assert record["attributes"] == {"type": "Task", "url": f"/services/data/v62.0/sobjects/Task/{record['Id']}"}


def test_names_come_back_in_the_schemas_spelling(tasks: Api) -> None:
    (record,) = tasks.records("select subject, who.name from task where Subject = 'alpha'")
    assert set(record) == {"attributes", "Subject", "Who"}


def test_count(tasks: Api) -> None:
    answer = tasks.query("SELECT COUNT() FROM Task WHERE IsClosed = true").json()
    assert answer == {"totalSize": 2, "done": True, "records": []}


def test_ids_of_fifteen_characters_and_after_an_id(tasks: Api) -> None:
    ids = tasks.column("SELECT Id FROM Task ORDER BY Id")
    assert tasks.column(f"SELECT Id FROM Task WHERE Id = '{ids[1][:15]}'") == [ids[1]]
    assert tasks.column(f"SELECT Id FROM Task WHERE Id IN ('{ids[2]}', '{ids[0]}') ORDER BY Id") == [ids[0], ids[2]]
    assert tasks.column(f"SELECT Id FROM Task WHERE Id > '{ids[1]}' ORDER BY Id LIMIT 1") == [ids[2]]
    assert tasks.column(
        f"SELECT Subject FROM Task WHERE WhoId = '{tasks.records('SELECT WhoId FROM Task')[0]['WhoId'][:15]}'"
    )


def test_deleted_rows_are_seen_by_query_all_alone(tasks: Api, sandbox: SandboxControl) -> None:
    (task,) = tasks.column("SELECT Id FROM Task WHERE Subject = 'Alpha'")
    sandbox.delete("Task", task)
    soql = "SELECT Subject FROM Task WHERE Subject IN ('Alpha', 'beta') ORDER BY Subject"
    assert tasks.column(soql) == ["beta"]
    assert tasks.column(soql, "queryAll") == ["Alpha", "beta"]
    assert tasks.column("SELECT Id FROM Task WHERE IsDeleted = true", "queryAll") == [task]
    assert tasks.column(f"SELECT Id FROM Task WHERE Id = '{task}'") == []


@pytest.mark.parametrize(
    ("soql", "code", "end"),
    [
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected end of query"),
        ("SELECT FROM Task", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT * FROM Task", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("UPDATE Task", "MALFORMED_QUERY", "unexpected token: 'UPDATE'"),
        ("SELECT Id FROM Task WHERE Subject = alpha", "MALFORMED_QUERY", "unexpected token: 'alpha'"),
        (
            "SELECT Id FROM Task WHERE Subject = 'O'Hara'",
            "MALFORMED_QUERY",
            "mismatched character '<EOF>' expecting '''",
        ),
        (
            "SELECT Id FROM Task WHERE Subject = 'a' AND Status = 'b' OR Type = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Task WHERE Subject IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        (
            "SELECT Id FROM Task WHERE WhoId IN (SELECT Id FROM Contact)",
            "MALFORMED_QUERY",
            "unexpected token: 'SELECT'",
        ),
        ("SELECT COUNT(Id) FROM Task", "MALFORMED_QUERY", "unexpected token: 'Id'"),
        ("SELECT MAX(CreatedDate) FROM Task", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT Id FROM Task GROUP BY Status", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
        ("SELECT Id FROM Task LIMIT 10 FOR UPDATE", "MALFORMED_QUERY", "unexpected token: 'FOR'"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "unexpected token: '('"),
        (
            "SELECT Id FROM Task WHERE ActivityDate = THIS_QUARTER",
            "MALFORMED_QUERY",
            "unexpected token: 'THIS_QUARTER'",
        ),
        ("SELECT Id, id FROM Task", "MALFORMED_QUERY", "duplicate field selected: id"),
        (
            "SELECT Id FROM Task ORDER BY Description",
            "MALFORMED_QUERY",
            "field 'Description' can not be sorted in a query call",
        ),
        (
            "SELECT Id FROM Task WHERE Description = 'x'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Task WHERE ActivityDate = '2026-01-01'",
            "INVALID_FIELD",
            "must be of type date and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Task WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type datetime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Task WHERE Subject = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Task WHERE IsClosed = 'true'",
            "INVALID_FIELD",
            "must be of type boolean and should not be enclosed in quotes",
        ),
        ("SELECT Id FROM Task WHERE WhoId = 'somebody'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: somebody"),
        (
            "SELECT Id FROM Task WHERE WhoId LIKE '003%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on reference field",
        ),
        (
            "SELECT Id FROM Task WHERE IsClosed > true",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid operator on boolean field",
        ),
        ("SELECT Id FROM Task WHERE ActivityDate = 2026-13-01", "MALFORMED_QUERY", "invalid date: 2026-13-01"),
    ],
)
def test_refused_queries(api: Api, soql: str, code: str, end: str) -> None:
    status, found, message = error_of(api.query(soql))
    assert (status, found) == (400, code)
    assert message.endswith(end)


HINT = "Please reference your WSDL or the describe call for the appropriate names."


@pytest.mark.parametrize(
    ("soql", "code", "start"),
    [
        (
            "SELECT Id, Nothing__c FROM Task",
            "INVALID_FIELD",
            "No such column 'Nothing__c' on entity 'Task'. If you are attempting to use a custom field, ",
        ),
        (
            "SELECT Nobody.Name FROM Task",
            "INVALID_FIELD",
            "Didn't understand relationship 'Nobody' in field path. If you are attempting to use a custom ",
        ),
        (
            "SELECT Id FROM Nothing",
            "INVALID_TYPE",
            "sObject type 'Nothing' is not supported. If you are attempting to use a custom object, ",
        ),
    ],
)
def test_unknown_names_are_refused_in_salesforces_words(api: Api, soql: str, code: str, start: str) -> None:
    status, found, message = error_of(api.query(soql))
    assert (status, found) == (400, code)
    last_line = message.splitlines()[-1]
    assert (last_line.startswith(start), last_line.endswith(HINT)) == (True, True)


def test_an_error_points_at_its_place(api: Api) -> None:
    _, _, message = error_of(api.query("SELECT Id\nFROM Task WHERE oops"))
    assert message == "\nFROM Task WHERE oops\n                    ^\nERROR at Row:2:Column:21\nunexpected end of query"


def test_a_query_is_needed(api: Api) -> None:
    assert error_of(api.get("/query")) == (400, "MALFORMED_QUERY", "A query string has to be specified")


def test_an_offset_has_an_end(api: Api) -> None:
    assert error_of(api.query("SELECT Id FROM Task OFFSET 2001"))[1] == "NUMBER_OUTSIDE_VALID_RANGE"


@pytest.mark.parametrize(
    ("count", "size", "pages"),
    [(450, "batchSize=200", [200, 200, 50]), (400, "batchSize=10", [200, 200]), (2001, "", [2000, 1])],
)
def test_paging(sandbox: SandboxControl, api: Api, count: int, size: str, pages: list[int]) -> None:
    sandbox.add_all("Task", [{"Subject": f"{number:04d}"} for number in range(count)])
    page = api.query("SELECT Subject FROM Task ORDER BY Subject", headers={"Sforce-Query-Options": size}).json()
    found = [page["records"]]
    while not page["done"]:
        page = api.session.get(api.url + page["nextRecordsUrl"], timeout=10).json()
        assert page["totalSize"] == count
        found.append(page["records"])
    assert [len(one) for one in found] == pages
    assert [row["Subject"] for one in found for row in one] == [f"{number:04d}" for number in range(count)]
    assert "nextRecordsUrl" not in page


def test_an_unknown_page(api: Api) -> None:
    assert error_of(api.get("/query/01g000000000000-200")) == (400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def test_a_uri_longer_than_the_servers_limit(api: Api) -> None:
    keys = ",".join(f"'key-{number:060d}'" for number in range(300))
    answer = api.query(f"SELECT Id FROM Task WHERE Playbooks_Key__c IN ({keys})")
    assert (answer.status_code, answer.headers["Content-Type"]) == (414, "text/html;charset=UTF-8")
