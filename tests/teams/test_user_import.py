"""Users from and to CSV: who may, what a file may set, what is said about a bad one, and that nothing is half saved."""

import csv
import io
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from teams.models import MailProvider, Role, User
from tests.people import People, logged_in

USERS = "/manager/teams/user/"


def upload(client: Client, text: str | bytes, url: str = USERS) -> Any:
    data = text.encode() if isinstance(text, str) else text
    file = SimpleUploadedFile("users.csv", data, "text/csv")
    return client.post(f"{url}import/", {"resource": "0", "format": "0", "import_file": file})


def confirm(client: Client, response: Any, url: str = USERS) -> Any:
    form = response.context["confirm_form"]
    return client.post(f"{url}process_import/", {name: form[name].value() for name in form.fields})


def bring(client: Client, text: str, url: str = USERS) -> Any:
    return confirm(client, upload(client, text, url), url)


def wrong(response: Any) -> list[tuple[str, str, str]]:
    errors = response.context["errors"]
    return [(error["line"], error["column"], error["text"]) for error in errors]


def file_errors(response: Any) -> list[str]:
    return list(response.context["form"].errors["import_file"])


def exported(client: Client, query: str = "", url: str = USERS) -> list[list[str]]:
    response: Any = client.get(f"{url}export/{query}")
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def test_import_adds_and_changes(people: People) -> None:
    client = logged_in(people.admin)
    text = (
        "email,name,role,team,crm_user_id,mail_provider,time_zone,active\n"
        "Nora@Example.com,Nora New,rep,north,005AAAAAAAAAAa3,gmail,Europe/Berlin,yes\n"
        "rosa@example.com,Rosa Roe,Manager,South,,,,no\n"
        "sven@example.com,Sven Stranger,,,,,,\n"
    )
    before = User.objects.count()
    preview = upload(client, text)
    assert User.objects.count() == before
    assert preview.context["totals"] == {"new": 1, "update": 2, "delete": 0, "skip": 0, "error": 0, "invalid": 0}
    assert [(row["is_new"], row["name"]) for row in preview.context["result"].preview] == [
        (True, "Nora New"),
        (False, "Rosa Roe"),
        (False, "Sven Stranger"),
    ]
    LogEntry.objects.all().delete()
    assert confirm(client, preview)["Location"] == USERS
    nora = User.objects.get(email="nora@example.com")
    assert (nora.name, nora.role, nora.team, nora.mail_provider) == ("Nora New", Role.REP, people.north, "gmail")
    assert (nora.time_zone, nora.crm_user_id, nora.is_active) == ("Europe/Berlin", "005AAAAAAAAAAa3Y5H", True)
    assert nora.has_usable_password() is False
    people.rep.refresh_from_db()
    assert (people.rep.name, people.rep.role, people.rep.team) == ("Rosa Roe", Role.MANAGER, people.south)
    assert (people.rep.crm_user_id, people.rep.is_active) == (None, False)
    people.other_rep.refresh_from_db()
    # An empty team and CRM user id are emptied, any other empty cell changes nothing.
    assert (people.other_rep.team, people.other_rep.crm_user_id, people.other_rep.role) == (None, None, Role.REP)
    assert [(entry.actor, entry.action, entry.object_repr) for entry in LogEntry.objects.order_by("pk")] == [
        (people.admin, LogEntry.Action.CREATE, "Nora New"),
        (people.admin, LogEntry.Action.UPDATE, "Rosa Roe"),
        (people.admin, LogEntry.Action.UPDATE, "Sven Stranger"),
    ]


def test_import_leaves_what_the_file_lacks(people: People) -> None:
    bring(logged_in(people.admin), "email;name\nrosa@example.com;Rosa Roe\n")
    people.rep.refresh_from_db()
    assert (people.rep.name, people.rep.team, people.rep.crm_user_id) == (
        "Rosa Roe",
        people.north,
        "005AAAAAAAAAAa1Y5H",
    )


def test_import_of_an_export_changes_nothing(people: People) -> None:
    client = logged_in(people.admin)
    text = "\r\n".join(",".join(row) for row in exported(client))
    preview = upload(client, text)
    assert preview.context["totals"]["skip"] == 6
    assert preview.context["result"].preview == []


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        ("nobody,N,,,,,,", "email", "Enter an e-mail address, like rosa@example.com."),
        (f"{'x' * 250}@example.com,N,,,,,,", "email", "An e-mail address has at most 254 characters."),
        ("n@example.com,,,,,,,", "name", "A new user needs a name."),
        (f"n@example.com,{'x' * 151},,,,,,", "name", "A name has at most 150 characters."),
        ("n@example.com,N,boss,,,,,", "role", "Enter one of: rep, manager, admin."),
        (
            "n@example.com,N,,West,,,,",
            "team",
            "There is no team “West”. Add it under Teams first, or correct the name.",
        ),
        (
            "n@example.com,N,,,12,,,",
            "crm_user_id",
            "Enter a CRM id of 15 or 18 letters and digits, as the CRM shows it.",
        ),
        (
            "n@example.com,N,,,005AAAAAAAAAAa1,,,",
            "crm_user_id",
            "This CRM user belongs to rosa@example.com. Remove it there first.",
        ),
        ("n@example.com,N,,,,aol,,", "mail_provider", "Enter one of: none, gmail, outlook, smtp."),
        ("n@example.com,N,,,,,Mars,", "time_zone", "“Mars” is not a time zone. Enter one like Europe/Berlin."),
        ("n@example.com,N,,,,,,perhaps", "active", "Enter yes or no."),
        ("ada@example.com,Ada,rep,,,,,", "role", "This is your own account: somebody else has to change that."),
        ("ada@example.com,Ada,,,,,,no", "active", "This is your own account: somebody else has to change that."),
        ("good@example.com,Twice,,,,,,", "email", "Line 2 has the same e-mail. Remove one of them."),
    ],
)
def test_import_says_what_is_wrong_with_a_row(people: People, row: str, column: str, text: str) -> None:
    heading = "email,name,role,team,crm_user_id,mail_provider,time_zone,active"
    response = upload(logged_in(people.admin), f"{heading}\ngood@example.com,Good,,,,,,\n{row}\n")
    assert wrong(response) == [("3", column, text)]
    assert User.objects.filter(email="good@example.com").exists() is False


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "The submitted file is empty."),
        (b"name\nRosa\n", "The first line must name the columns; email is missing."),
        (b"email,password\na@example.com,x\n", "Unknown columns: password."),
        (b"email,email\na@example.com,x\n", "A column is named twice."),
        ("email,name\na@example.com,Jörg\n".encode("latin-1"), "The file is not UTF-8 (line 2)."),
        ("email,name\na@example.com,Jörg\n".encode("utf-16"), "The file is not UTF-8 (line 1)."),
        (b"email,name\na@example.com,\0\n", "The file holds NUL bytes"),
        (b'email,name\n"a@example.com,N\n', "Line 2 can't be read as CSV"),
        (b"email,name\na@example.com,Roe, Rosa\n", "Line 2 has more cells than the heading."),
        (
            b"email,name\n" + b"x\n" * 100_000,
            "The file has about 100002 lines; at most 10000 rows are imported at once.",
        ),
        (b"email,name\n" + b"a" * 200_000 + b"\n", "Line 2 can't be read as CSV"),
        (b"x" * (3 * 1024 * 1024 + 1), "The file is larger than 3 MB."),
    ],
)
def test_import_says_what_is_wrong_with_a_file(people: People, data: bytes, text: str) -> None:
    (error,) = file_errors(upload(logged_in(people.admin), data))
    assert error.startswith(text)


def test_import_of_many_bad_rows_is_summed_up(people: People) -> None:
    response = upload(logged_in(people.admin), "email,name\n" + "nobody,N\n" * 10_000)
    assert len(wrong(response)) == 100
    assert response.context["wrong_rows"] == 10_000
    assert len(response.content) < 100_000


def test_import_is_judged_again_when_it_is_carried_out(people: People) -> None:
    client = logged_in(people.admin)
    preview = upload(client, "email,name,team\nnora@example.com,Nora,North\nolaf@example.com,Olaf,South\n")
    User.objects.filter(team=people.south).update(team=None)
    people.south.delete()
    assert confirm(client, preview)["Location"] == f"{USERS}import/"
    assert User.objects.filter(email__in=["nora@example.com", "olaf@example.com"]).count() == 0


def test_import_of_a_file_that_is_not_kept(people: People) -> None:
    client = logged_in(people.admin)
    for name in ("", "unknown", "../../etc/passwd"):
        data = {"import_file_name": name, "original_file_name": "x", "format": "0", "resource": "0"}
        assert client.post(f"{USERS}process_import/", data)["Location"] == f"{USERS}import/"


def test_import_is_for_admins(people: People) -> None:
    for user in (people.manager, people.rep):
        client = logged_in(user)
        assert client.get(f"{USERS}import/").status_code == 403
        assert upload(client, "email,name\nn@example.com,N\n").status_code == 403
        assert client.post(f"{USERS}process_import/", {}).status_code == 403
    assert User.objects.filter(email="n@example.com").exists() is False


def test_export_is_scoped_filtered_and_defused(people: People) -> None:
    User.objects.filter(pk=people.rep.pk).update(name="=1+1", mail_provider=MailProvider.GMAIL)
    heading, *rows = exported(logged_in(people.manager))
    assert heading == ["email", "name", "role", "team", "crm_user_id", "mail_provider", "time_zone", "active"]
    assert {row[0] for row in rows} == {"cleo@example.com", "mia@example.com", "rosa@example.com"}
    assert exported(logged_in(people.manager), "?q=rosa")[1:] == [
        ["rosa@example.com", "'=1+1", "rep", "North", "005AAAAAAAAAAa1Y5H", "gmail", "", "yes"]
    ]
    assert logged_in(people.rep).get(f"{USERS}export/").status_code == 403
    assert logged_in(people.manager).post(f"{USERS}export/").status_code == 405


def test_export_comes_back_unchanged(people: People) -> None:
    User.objects.filter(pk=people.rep.pk).update(name="=1+1")
    client = logged_in(people.admin)
    file = io.StringIO()
    csv.writer(file).writerows(exported(client))
    assert upload(client, file.getvalue()).context["totals"] == {
        "new": 0,
        "update": 0,
        "delete": 0,
        "skip": 6,
        "error": 0,
        "invalid": 0,
    }


def test_export_with_a_broken_filter_leads_to_the_list(people: People) -> None:
    response = logged_in(people.manager).get(f"{USERS}export/?is_active__exact=x")
    assert (response.status_code, response["Location"]) == (302, f"{USERS}?e=1")


def test_export_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.admin)
    exported(client)
    with django_assert_num_queries(5):
        assert len(exported(client)) == 7
    User.objects.bulk_create(User(email=f"u{n}@x.example", name=f"U {n}", team=people.north) for n in range(294))
    with django_assert_num_queries(5):
        assert len(exported(client)) == 301


def test_import_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.admin)
    User.objects.bulk_create(User(email=f"u{n}@x.example", name=f"U {n}") for n in range(300))

    def preview(many: int) -> int:
        response = upload(client, "email,name\n" + "".join(f"u{n}@x.example,U {n}\n" for n in range(many)))
        return int(response.context["totals"]["skip"])

    preview(1)
    with django_assert_num_queries(23):
        assert preview(3) == 3
    with django_assert_num_queries(23):
        assert preview(300) == 300


TEAMS = "/manager/teams/team/"


def test_teams_import_and_export(people: People) -> None:
    client = logged_in(people.admin)
    bring(client, "name,managers\nWest,mia@example.com; ada@example.com\nNorth,otto@example.com\nSouth,\n", TEAMS)
    assert exported(client, url=TEAMS)[1:] == [
        ["North", "otto@example.com"],
        ["South", ""],
        ["West", "ada@example.com; mia@example.com"],
    ]


def test_teams_import_says_what_is_wrong(people: People) -> None:
    response = upload(
        logged_in(people.admin), "name,managers\nWest,rosa@example.com\nNorth,\nnorth,\n,\n,mia@example.com\n", TEAMS
    )
    assert wrong(response) == [
        ("2", "managers", "No active manager or admin has the e-mail rosa@example.com. Add them under Users first."),
        ("4", "name", "Line 3 has the same team. Remove one of them."),
        ("6", "name", "A team's name has 1 to 100 characters."),
    ]
    assert logged_in(people.manager).get(f"{TEAMS}import/").status_code == 403


def test_teams_export_is_the_viewers(people: People) -> None:
    assert exported(logged_in(people.manager), url=TEAMS)[1:] == [["North", "mia@example.com"]]
