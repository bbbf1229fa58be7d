"""The page of Task Sync Results: whose files it shows, what it takes, and what it sends."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync import export_files, exports
from sync.enums import ExportState, OutboxState
from sync.exports import Wanted
from sync.models import TaskSyncExport
from teams.models import User
from tests.factories import the_connection
from tests.people import People, logged_in, people
from tests.real_worker import work_off
from tests.sync.results import files, make_done, read

if TYPE_CHECKING:
    from pytest_django import Settings

__all__ = ["people"]

pytestmark = pytest.mark.django_db(transaction=True)
RESULTS = "/manager/settings/crm/task-sync/results/"


@pytest.fixture(autouse=True)
def var_dir(tmp_path: Path, settings: "Settings") -> None:
    settings.VAR_DIR = tmp_path


def ready(user: User, wanted: Wanted | None = None) -> TaskSyncExport:
    export = exports.ask(user, wanted or Wanted())
    work_off()
    export.refresh_from_db()
    assert export.state == ExportState.READY
    return export


def content_of(response: Any) -> bytes:
    assert response.streaming
    return b"".join(response)


def messages_of(client: Client, url: str, **data: str) -> list[str]:
    response = client.post(url, data, follow=True) if data else client.get(url, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_m22_prepare_watch_and_download(people: People) -> None:
    make_done(the_connection(), people.rep, "Rosa's", OutboxState.DONE)
    client = logged_in(people.manager)
    assert client.post(RESULTS, {"state": "synced"}).status_code == 302
    (waiting,) = client.get(f"{RESULTS}state/").json()["files"]
    assert (waiting["state"], waiting["percentage"], waiting["rows"]) == ("waiting", None, "0 rows")
    html = client.get(RESULTS).content.decode()
    assert [html.count(words) for words in ("<progress", "Reload", "/file/")] == [1, 1, 0]
    work_off()
    (done,) = client.get(f"{RESULTS}state/").json()["files"]
    assert (done["state"], done["percentage"], done["rows"]) == ("ready", 100, "1 row")
    export = TaskSyncExport.objects.get()
    html = client.get(RESULTS).content.decode()
    # The size stands before the download, on its button and beside it.
    assert html.count(done["size"]) == 2
    response = client.get(f"{RESULTS}{export.uuid}/file/")
    day = timezone.localtime(export.until).date().isoformat()
    assert response["Content-Disposition"] == f'attachment; filename="task-sync-results-{day}.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert int(response["Content-Length"]) == export.bytes
    assert [row["subject"] for row in read(content_of(response))] == ["Rosa's"]


@pytest.mark.parametrize("crm_id", ["005AAAAAAAAAAa1Y5H", "005AAAAAAAAAAa1", " 005AAAAAAAAAAa1 "])
def test_m22_filtered_by_a_users_crm_id_before_and_after(people: People, crm_id: str) -> None:
    make_done(the_connection(), people.rep, "Rosa's", OutboxState.DONE)
    make_done(the_connection(), people.other_rep, "Sven's", OutboxState.DONE)
    client = logged_in(people.admin)
    client.post(RESULTS, {"crm_user_id": crm_id})
    work_off()
    before = TaskSyncExport.objects.get()
    everything = ready(people.admin)
    response = client.get(f"{RESULTS}{everything.uuid}/file/", {"crm_user_id": crm_id})
    assert response["Content-Disposition"].endswith('-005AAAAAAAAAAa1Y5H.csv"')
    after = content_of(response)
    assert [row["subject"] for row in read(after)] == ["Rosa's"]
    assert after == content_of(client.get(f"{RESULTS}{before.uuid}/file/"))


@pytest.mark.parametrize(
    ("crm_id", "error"),
    [
        ("005AAAAAAAAAAa2", "You see no user with this CRM user id."),  # another team's
        ("005AAAAAAAAAAb1", "You see no user with this CRM user id."),
        ("005", "This is no CRM id: it has 15 or 18 letters and digits, and upper and lower case count."),
        (
            "005AAAAAAAAAAa1AAA",
            "This is no CRM id: it has 15 or 18 letters and digits, and upper and lower case count.",
        ),
    ],
)
def test_unknown_user_is_said_beside_the_field(people: People, crm_id: str, error: str) -> None:
    response = logged_in(people.manager).post(RESULTS, {"crm_user_id": crm_id})
    assert (response.status_code, response.context["form"].errors) == (422, {"crm_user_id": [error]})
    assert TaskSyncExport.objects.count() == 0


def test_another_managers_team_can_not_be_chosen(people: People) -> None:
    client = logged_in(people.manager)
    assert "South" not in client.get(RESULTS).content.decode()
    for forged in (people.south.uuid, people.south.pk, "x", "\0"):
        assert client.post(RESULTS, {"team": str(forged)}).status_code == 422
    assert client.post(RESULTS, {"state": "nonsense"}).status_code == 422
    assert TaskSyncExport.objects.count() == 0
    assert client.post(RESULTS, {"team": str(people.north.uuid)}).status_code == 302
    assert TaskSyncExport.objects.get().filters == {"team": people.north.pk}


def test_files_are_the_askers_alone(people: People) -> None:
    export = ready(people.manager)
    for stranger in (people.other_manager, people.admin, people.colleague):
        client = logged_in(stranger)
        assert str(export.uuid) not in client.get(RESULTS).content.decode()
        assert client.get(f"{RESULTS}state/").json() == {"files": []}
        assert client.get(f"{RESULTS}{export.uuid}/file/").status_code == 404
        for action in ("cancel", "again", "delete"):
            assert client.post(f"{RESULTS}{export.uuid}/{action}/").status_code == 404
    assert logged_in(people.manager).get(f"{RESULTS}{uuid.uuid4()}/file/").status_code == 404
    assert logged_in(people.manager).get(f"{RESULTS}../../etc/file/").status_code == 404
    assert len(files()) == 1


def test_reps_and_strangers_stay_outside(people: People) -> None:
    export = ready(people.manager)
    for path in ("", "state/", f"{export.uuid}/file/"):
        assert logged_in(people.rep).get(f"{RESULTS}{path}").status_code == 403
        answer = Client().get(f"{RESULTS}{path}")
        assert (answer.status_code, "login" in answer["Location"]) == (302, True)
    assert logged_in(people.rep).post(RESULTS, {}).status_code == 403
    assert TaskSyncExport.objects.count() == 1


@pytest.mark.parametrize("action", ["cancel", "again", "delete"])
def test_buttons_are_no_links(people: People, action: str) -> None:
    export = ready(people.manager)
    assert logged_in(people.manager).get(f"{RESULTS}{export.uuid}/{action}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.manager)
    assert strict.post(f"{RESULTS}{export.uuid}/{action}/").status_code == 403


def test_who_lost_a_team_downloads_nothing_of_it(people: People) -> None:
    export = ready(people.manager)
    people.north.managers.remove(people.manager)
    client = logged_in(people.manager)
    assert messages_of(client, f"{RESULTS}{export.uuid}/file/") == [
        "You no longer see everyone whose tasks stand in that file. Prepare it anew."
    ]
    export.refresh_from_db()
    assert (export.state, files()) == (ExportState.WITHDRAWN, [])


def test_what_is_not_there_is_said(people: People) -> None:
    client = logged_in(people.manager)
    waiting = exports.ask(people.manager, Wanted(state="failed"))
    assert messages_of(client, f"{RESULTS}{waiting.uuid}/file/") == ["That file is not ready, or no longer kept."]
    export = ready(people.manager)
    assert messages_of(client, f"{RESULTS}{export.uuid}/file/?crm_user_id=nonsense") == [
        "This is no CRM id: it has 15 or 18 letters and digits, and upper and lower case count."
    ]
    export_files.remove(export.file_name)
    assert messages_of(client, f"{RESULTS}{export.uuid}/file/") == [
        "The file is not on this server. Prepare it anew, and tell an admin."
    ]
    TaskSyncExport.objects.filter(pk=export.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert messages_of(client, f"{RESULTS}{export.uuid}/file/") == ["That file is not ready, or no longer kept."]


def test_cancel_again_and_delete(people: People) -> None:
    client = logged_in(people.manager)
    export = exports.ask(people.manager, Wanted(team=people.north, state="failed"))
    client.post(f"{RESULTS}{export.uuid}/cancel/")
    export.refresh_from_db()
    assert export.state == ExportState.CANCELLED
    client.post(f"{RESULTS}{export.uuid}/again/")
    anew = TaskSyncExport.objects.get()
    assert (anew.pk != export.pk, anew.filters) == (True, export.filters)
    work_off()
    assert messages_of(client, f"{RESULTS}{anew.uuid}/again/", any="thing")[-1] == "That file is there, or on its way."
    client.post(f"{RESULTS}{anew.uuid}/delete/")
    assert (TaskSyncExport.objects.count(), files()) == (0, [])


def test_again_for_a_team_that_is_lost_asks_for_nothing_wider(people: People) -> None:
    export = exports.ask(people.manager, Wanted(team=people.north))
    exports.cancel(export)
    people.north.managers.remove(people.manager)
    client = logged_in(people.manager)
    assert messages_of(client, f"{RESULTS}{export.uuid}/again/", any="thing") == [
        "You no longer see that user or team. Choose again."
    ]
    assert "a user whom" not in client.get(RESULTS).content.decode()
    assert "North" not in client.get(RESULTS).content.decode()
    assert [each.state for each in TaskSyncExport.objects.all()] == [ExportState.CANCELLED]


def test_fourth_at_once_is_refused(people: People) -> None:
    client = logged_in(people.manager)
    answers = [client.post(RESULTS, {"state": state}).status_code for state in ("synced", "failed", "waiting", "")]
    assert answers == [302, 302, 302, 422]


@pytest.mark.parametrize("count", [3, 300])
def test_queries_do_not_grow(people: People, count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    now = timezone.now()
    TaskSyncExport.objects.bulk_create(
        TaskSyncExport(
            requested_by=people.manager,
            filters={"user": people.rep.pk, "team": people.north.pk},
            users=[people.rep.pk],
            since=now - timedelta(days=30),
            until=now,
            expires_at=now,
            state=ExportState.READY,
        )
        for _number in range(count)
    )
    client = logged_in(people.manager)
    client.get(RESULTS)
    with django_assert_num_queries(9):
        assert len(client.get(RESULTS).context["files"]) == min(count, 50)
