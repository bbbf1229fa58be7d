"""The pages of an import: a file is checked, shown, imported; each line that is refused says why."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from sync import import_slices, task_imports
from sync.enums import ImportState
from sync.import_columns import ALIASES, FIELDS, LABELS, plain
from sync.models import ImportProblem, Task, TaskImport
from sync.views import mail_upload
from sync.views import task_import as task_import_views
from teams.models import User
from tests.people import People, logged_in, people
from tests.sync.results import read

__all__ = ["people"]

pytestmark = pytest.mark.django_db

PAGE = "/manager/tasks/import/"
GOOD = "c-1,rosa@example.com,2025-03-31T14:05:00,2:05,=1+2"
BAD = "c-2,nobody@example.com,2025-03-31T14:05:00,2:05,=cmd()"
HEADING = "Call ID,Agent Email,Date,Duration,Notes"


@pytest.fixture(autouse=True)
def var_dir(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "imports"


def file_of(lines: Sequence[str], heading: str = HEADING) -> SimpleUploadedFile:
    return SimpleUploadedFile("calls.csv", "\r\n".join([heading, *lines]).encode(), "text/csv")


def uploaded(user: User, lines: Sequence[str], heading: str = HEADING) -> TaskImport:
    response = logged_in(user).post(PAGE, {"file": file_of(lines, heading)})
    assert response.status_code == 302, response.content.decode()
    found = TaskImport.objects.get()
    assert response["Location"] == address(found)
    return found


def address(found: TaskImport, tail: str = "") -> str:
    return f"{PAGE}{found.uuid}/{tail}"


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_manager_imports_a_file_step_by_step(people: People) -> None:
    found = uploaded(people.manager, [GOOD, BAD])
    client = logged_in(people.manager)
    html = client.get(address(found)).content.decode()
    for words in (
        "Import 1 task",
        "without the refused lines",
        "You see no active user with this e-mail address or CRM user id.",
        "1 time has no offset. It is taken as a time in UTC.",
        "No column says what they are. All are calls.",
        "Download these lines",
    ):
        assert words in html
    assert not Task.objects.exists()
    response = client.post(address(found, "start/"), follow=True)
    assert response.redirect_chain == [(address(found), 302)]
    html = response.content.decode()
    assert Task.objects.get().user == people.rep
    assert f"/manager/sync/task/?imported={found.uuid}" in html
    listed = client.get(f"/manager/sync/task/?imported={found.uuid}").context["cl"].result_list
    assert list(listed) == [Task.objects.get()]
    assert told(client.post(address(found, "start/"), follow=True)) == [
        "There was nothing to start: it runs or has ended already, or has no good line."
    ]


def test_the_list_of_tasks_leads_to_the_import(people: People) -> None:
    assert PAGE in logged_in(people.manager).get("/manager/sync/task/").content.decode()


def test_refused_lines_come_back_harmless_and_with_their_problem(people: People) -> None:
    found = uploaded(people.manager, [GOOD, BAD])
    client = logged_in(people.manager)
    for _before_and_after in range(2):
        response: Any = client.get(address(found, "refused/"))
        assert "attachment" in response["Content-Disposition"]
        content = b"".join(response.streaming_content)
        (row,) = read(content)
        assert (row["Call ID"], row["Notes"], row["Line"]) == ("c-2", "'=cmd()", "3")
        assert row["Problem"] == (
            "user: You see no active user with this e-mail address or CRM user id. Correct it, or ask an admin to "
            "activate the user or to put them into one of your teams."
        )
        client.post(address(found, "start/"))
    # As it is, it may be uploaded again: what was added is left out.
    mended = content.replace(b"nobody@", b"rosa@")
    client.post(PAGE, {"file": SimpleUploadedFile("mended.csv", mended)})
    again = TaskImport.objects.latest("pk")
    assert (again.good, again.mapping[-2:]) == (1, ["", ""])
    client.post(address(again, "start/"))
    assert list(Task.objects.order_by("pk").values_list("description", flat=True)) == ["=1+2", "=cmd()"]


@pytest.mark.parametrize(
    ("lines", "caption"),
    [(1, "The refused line<"), (3, "The 3 refused lines<"), (4, "The first 3 of 4 refused lines<")],
)
def test_refused_lines_are_headed_by_how_many_there_are(
    people: People, monkeypatch: pytest.MonkeyPatch, lines: int, caption: str
) -> None:
    monkeypatch.setattr(task_import_views, "MOST_PROBLEMS", 3)
    found = uploaded(people.manager, [BAD.replace("c-2", f"c-{number}") for number in range(lines)])
    html = logged_in(people.manager).get(address(found)).content.decode()
    assert caption in html
    assert html.count("You see no active user") == min(lines, 3)


def test_columns_and_fields_have_readable_names(people: People) -> None:
    assert [*LABELS] == [*FIELDS]
    found = uploaded(people.manager, [BAD])
    html = logged_in(people.manager).get(address(found)).content.decode()
    assert ">Duration of the call (call_duration_seconds)</option>" in html
    assert '<span>User <span class="pb-mono pb-quiet">user</span></span>' in html


def test_columns_are_chosen_on_the_page(people: People) -> None:
    found = uploaded(people.manager, ["rosa@example.com,Hello,x"], "Wer,Was,Wo")
    client = logged_in(people.manager)
    html = client.get(address(found)).content.decode()
    assert "No column says whose tasks these are." in html
    assert "start/" not in html
    wrong = client.post(address(found, "columns/"), {"column_0": "user", "column_1": "user"})
    assert (wrong.status_code, "Two columns are taken for the same: User." in wrong.content.decode()) == (422, True)
    none = client.post(address(found, "columns/"), {"column_0": "", "column_1": "no such field"})
    assert none.status_code == 422
    client.post(address(found, "columns/"), {"column_0": "user", "column_1": "subject"})
    assert "Not imported: Wo." in client.get(address(found)).content.decode()
    client.post(address(found, "start/"))
    assert Task.objects.get().subject == "Hello"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "Choose the file that your dialer exported."),
        (b"", "The file is empty."),
        (b"user\r\n", "The file has no lines below its heading."),
        (b"\xff\xd8\xff\xe0", "The file is not UTF-8"),
    ],
)
def test_what_is_no_file_is_said_at_the_field(people: People, content: bytes | None, words: str) -> None:
    data = {} if content is None else {"file": SimpleUploadedFile("x.csv", content)}
    response = logged_in(people.manager).post(PAGE, data)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not TaskImport.objects.exists()


def test_a_file_that_is_too_large_is_said_at_the_field(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_upload.NamelessUploadHandler, "most", 10)
    response = logged_in(people.manager).post(PAGE, {"file": file_of([GOOD])})
    assert response.status_code == 422
    assert "The file has more than 50 MB. Split it." in response.content.decode()


def test_so_many_files_and_no_more(people: People) -> None:
    client = logged_in(people.manager)
    for _number in range(task_imports.MOST_AT_ONCE):
        client.post(PAGE, {"file": file_of([GOOD])})
    response = client.post(PAGE, {"file": file_of([GOOD])})
    assert "3 of your files are not finished yet." in response.content.decode()


def test_an_import_is_its_owners_alone(people: People) -> None:
    found = uploaded(people.manager, [GOOD, BAD])
    for user in (people.other_manager, people.admin):
        client = logged_in(user)
        assert [client.get(address(found, tail)).status_code for tail in ("", "state/", "refused/")] == [404] * 3
        assert [client.post(address(found, tail)).status_code for tail in ("start/", "cancel/", "columns/")] == [
            404
        ] * 3
        assert not client.get(PAGE).context["imports"]
    rep = logged_in(people.rep)
    assert [rep.get(PAGE).status_code, rep.get(address(found)).status_code] == [403, 403]
    assert rep.post(PAGE, {"file": file_of([GOOD])}).status_code == 403
    assert rep.post(address(found, "start/")).status_code == 403
    found.refresh_from_db()
    assert found.state == ImportState.READY
    shown = logged_in(people.admin).get(f"/manager/sync/task/?imported={found.uuid}")
    assert shown.status_code == 200


def test_forged_forms_are_refused(people: People) -> None:
    found = uploaded(people.manager, [GOOD])
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.manager)
    assert strict.post(PAGE, {"file": file_of([GOOD])}).status_code == 403
    assert [strict.post(address(found, tail)).status_code for tail in ("start/", "cancel/", "columns/")] == [403] * 3
    assert [strict.get(address(found, tail)).status_code for tail in ("start/", "cancel/", "columns/")] == [405] * 3


def test_page_shows_how_far_it_is_and_cancels(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_slices, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(import_slices, "CHUNK", 1)
    lines = [GOOD.replace("c-1", f"c-{number}") for number in range(4)]
    found = uploaded(people.manager, lines)
    client = logged_in(people.manager)
    html = client.get(address(found)).content.decode()
    assert '<progress max="100" value="25"' in html
    assert "task-import.js" in html
    assert client.get(address(found, "state/")).json() == {
        "state": "checking",
        "percentage": 25,
        "lines": "1 of 4 lines",
    }
    response = client.post(address(found, "cancel/"), follow=True)
    assert told(response) == ["The import was cancelled. What was imported before stays."]
    assert "task-import.js" not in response.content.decode()
    response = client.post(address(found, "cancel/"), follow=True)
    assert told(response) == ["There was nothing to cancel: the import had ended before."]


def test_what_is_no_longer_kept_is_said(people: People, var_dir: Path) -> None:
    found = uploaded(people.manager, [GOOD, BAD])
    for path in var_dir.iterdir():
        path.unlink()
    client = logged_in(people.manager)
    assert told(client.get(address(found, "refused/"), follow=True)) == [
        "There are no refused lines, or they are no longer kept."
    ]
    values = {f"column_{place}": name for place, name in enumerate(found.mapping)}
    assert told(client.post(address(found, "columns/"), values, follow=True)) == [
        "This file is no longer there to be checked. Upload it anew."
    ]


def test_page_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.manager)
    found = uploaded(people.manager, [BAD])
    client.get(address(found))
    for count in (1, 30):
        ImportProblem.objects.bulk_create(
            ImportProblem(task_import=found, line=100 * count + number, errors=[["user", "No."]])
            for number in range(count)
        )
        with django_assert_num_queries(7):
            client.get(address(found))


def test_list_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.manager)
    client.get(PAGE)
    for count in (1, 17):
        for _number in range(count):
            found = task_imports.ask(people.manager, BytesIO(f"{HEADING}\r\n{GOOD}".encode()), "a.csv")
            task_imports.cancel(found)
        with django_assert_num_queries(6):
            client.get(PAGE)


def test_the_guide_names_every_column_and_every_alias() -> None:
    guide = Path("docs/guide-managers.md").read_text()
    assert [name for name in FIELDS if f"`{name}`" not in guide] == []
    assert [alias for aliases in ALIASES.values() for alias in aliases if alias not in guide] == []


def test_aliases_are_written_as_headings_are_compared() -> None:
    assert [alias for aliases in ALIASES.values() for alias in aliases if plain(alias) != alias] == []
    every = [alias for aliases in ALIASES.values() for alias in aliases]
    assert len(every) == len(set(every))
