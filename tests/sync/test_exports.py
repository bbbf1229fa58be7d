"""Files of Task Sync Results: whose they are, how they survive a kill, and how they end."""

import os
import stat
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.utils import timezone

from sync import export_files, export_slices, exports, jobs, tasklog
from sync.enums import ExportState, OutboxState
from sync.export_files import ExportFile
from sync.exports import TooManyError, Wanted
from sync.models import TaskSyncExport
from sync.tasklog import COLUMNS
from teams.models import Notice, Role, User
from tests.factories import the_connection
from tests.people import People, people
from tests.real_worker import work_off
from tests.sync.results import bytes_of, files, make_done, make_many, read, refuse

if TYPE_CHECKING:
    from pytest_django import Settings

__all__ = ["people"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def var_dir(tmp_path: Path, settings: "Settings") -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks a chunk, a chunk a slice."""
    monkeypatch.setattr(tasklog, "CHUNK", 2)
    monkeypatch.setattr(export_slices, "SLICE_SECONDS", 0.0)


def subjects(export: TaskSyncExport) -> list[str]:
    export.refresh_from_db()
    assert export.state == ExportState.READY
    return [row["subject"] for row in read(bytes_of(export))]


def lapse(export: TaskSyncExport) -> None:
    """Move the lease's end instead of waiting for it."""
    TaskSyncExport.objects.filter(pk=export.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def slice_of(export: TaskSyncExport) -> TaskSyncExport:
    """One slice, as its wake-up would do it."""
    export.refresh_from_db()
    assert export.lease_token
    export_slices.prepare(export.pk, export.lease_token)
    export.refresh_from_db()
    return export


def told(user: User) -> list[str]:
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("title", flat=True))


def test_m22_csv_of_the_last_30_days_comes_from_the_background(people: People, small_slices: None) -> None:
    task = make_done(the_connection(), people.rep, "Refused", OutboxState.FAILED)
    refuse(task, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Calls need a result, always.")
    for number in range(5):
        make_done(the_connection(), people.rep, f"Done {number}", OutboxState.DONE)
    old = make_done(the_connection(), people.rep, "Old", OutboxState.DONE)
    type(old).objects.filter(pk=old.pk).update(completed_at=timezone.now() - timedelta(days=30, minutes=1))
    export = exports.ask(people.manager, Wanted())
    assert (export.state, export.rows_total, files()) == (ExportState.WAITING, None, [])
    jobs_run = [job["func"] for job in work_off()]
    assert jobs_run == ["sync.jobs.prepare_results"] * 4
    assert sorted(subjects(export)) == ["Done 0", "Done 1", "Done 2", "Done 3", "Done 4", "Refused"]
    (row,) = [row for row in read(bytes_of(export)) if row["state"] == "Failed"]
    assert (row["error_code"], row["error_message"]) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Calls need a result, always.",
    )
    assert (export.rows_total, export.rows_done, export.bytes) == (6, 6, len(bytes_of(export)))
    assert told(people.manager) == ["Task Sync Results are ready"]


def test_m22_filtered_by_a_users_crm_id_before(people: People) -> None:
    make_done(the_connection(), people.rep, "Rosa's", OutboxState.DONE)
    make_done(the_connection(), people.other_rep, "Sven's", OutboxState.DONE)
    make_done(the_connection(), people.rep, "Rosa's failure", OutboxState.FAILED)
    export = exports.ask(people.admin, Wanted(user=people.rep, state="failed"))
    by_team = exports.ask(people.admin, Wanted(team=people.south))
    work_off()
    assert subjects(export) == ["Rosa's failure"]
    assert subjects(by_team) == ["Sven's"]


def test_bytes_are_what_excel_opens(people: People) -> None:
    make_done(the_connection(), people.rep, 'Größe "XL", שלום\nsecond line', OutboxState.DONE)
    export = exports.ask(people.manager, Wanted())
    work_off()
    export.refresh_from_db()
    content = bytes_of(export)
    assert content.startswith(b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\r\n")
    assert content.endswith(b"\r\n")
    assert content.count("\ufeff".encode()) == 1
    assert '"Größe ""XL"", שלום\nsecond line"'.encode() in content
    assert subjects(export) == ['Größe "XL", שלום\nsecond line']


def test_file_is_the_applications_alone(people: People) -> None:
    export = exports.ask(people.manager, Wanted())
    work_off()
    (path,) = files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert str(export.uuid).replace("-", "") not in path.name


def test_each_managers_own_teams(people: People) -> None:
    """Asked for at the same time."""
    make_done(the_connection(), people.rep, "North's", OutboxState.DONE)
    make_done(the_connection(), people.other_rep, "South's", OutboxState.DONE)
    asked = [exports.ask(each, Wanted()) for each in (people.manager, people.other_manager, people.admin)]
    work_off()
    assert [sorted(subjects(export)) for export in asked] == [["North's"], ["South's"], ["North's", "South's"]]
    assert len(files()) == 3


def test_two_clicks_are_one_file(people: People) -> None:
    first = exports.ask(people.manager, Wanted(state="failed"))
    assert exports.ask(people.manager, Wanted(state="failed")) == first
    assert exports.ask(people.manager, Wanted()) != first


def test_nobody_keeps_the_workers_busy(people: People) -> None:
    for state in ("synced", "failed", "waiting"):
        exports.ask(people.manager, Wanted(state=state))
    with pytest.raises(TooManyError):
        exports.ask(people.manager, Wanted())
    exports.ask(people.other_manager, Wanted())


def test_progress(people: People, small_slices: None) -> None:
    make_many(the_connection(), people.rep, 5, timezone.now() - timedelta(hours=1))
    export = exports.ask(people.manager, Wanted())
    assert (export.percentage, export.time_left(timezone.now())) == (None, None)
    slice_of(export)
    assert (export.rows_done, export.rows_total, export.percentage) == (2, 5, 40)
    assert export.started_at
    assert export.time_left(export.started_at + timedelta(seconds=10)) == timedelta(seconds=15)
    work_off()
    export.refresh_from_db()
    assert (export.state, export.percentage) == (ExportState.READY, 100)


def test_after_a_killed_worker_another_begins_anew(people: People, small_slices: None) -> None:
    make_many(the_connection(), people.rep, 5, timezone.now() - timedelta(hours=1))
    export = slice_of(exports.ask(people.manager, Wanted()))
    token, first_name = export.lease_token, export.file_name
    assert token
    # It takes the next slice, writes half a row that nobody noted, and is killed.
    assert export.take(token, timezone.now(), 120)
    with (export_files.path_of(first_name)).open("ab") as file:
        file.write(b"half a ro")
    work_off()  # its own wake-up finds the lease held
    jobs.sweep()
    export.refresh_from_db()
    assert (export.rows_done, export.state) == (2, ExportState.RUNNING)
    lapse(export)
    jobs.sweep()
    work_off()
    assert sorted(subjects(export)) == [f"Task {number}" for number in range(5)]
    assert [path.name for path in files()] == [export.file_name]
    assert export.file_name != first_name


def test_late_worker_changes_nothing(people: People, small_slices: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was only slow wakes up after another has begun anew."""
    make_many(the_connection(), people.rep, 5, timezone.now() - timedelta(hours=1))
    export = slice_of(exports.ask(people.manager, Wanted()))
    save = ExportFile.save

    def overtaken(file: ExportFile, *, finished: bool) -> int:
        monkeypatch.setattr(ExportFile, "save", save)
        lapse(export)
        jobs.prepare_results(export.pk, uuid.uuid4())
        return save(file, finished=finished)

    monkeypatch.setattr(ExportFile, "save", overtaken)
    work_off()
    assert sorted(subjects(export)) == [f"Task {number}" for number in range(5)]
    assert [path.name for path in files()] == [export.file_name]


def test_lost_wake_up_is_found_by_the_sweep(people: People) -> None:
    make_done(the_connection(), people.rep, "Call", OutboxState.DONE)
    export = exports.ask(people.manager, Wanted())
    from django_q.models import OrmQ  # noqa: PLC0415 - the queue's own table, to lose a job from

    OrmQ.objects.all().delete()
    jobs.sweep()
    assert OrmQ.objects.count() == 0
    lapse(export)
    jobs.sweep()
    work_off()
    assert subjects(export) == ["Call"]


def test_file_that_is_gone_is_begun_anew(people: People, small_slices: None) -> None:
    make_many(the_connection(), people.rep, 5, timezone.now() - timedelta(hours=1))
    export = slice_of(exports.ask(people.manager, Wanted()))
    assert export.take(export.lease_token or uuid.uuid4(), timezone.now(), 120)
    export_files.remove(export.file_name)
    lapse(export)
    jobs.sweep()
    work_off()
    assert sorted(subjects(export)) == [f"Task {number}" for number in range(5)]


def test_what_kills_every_worker_fails_honestly(people: People) -> None:
    export = exports.ask(people.manager, Wanted())
    tokens = [export.lease_token or uuid.uuid4(), *(uuid.uuid4() for _each in range(export_slices.MOST_LOST - 1))]
    for token in tokens:
        assert export.take(token, timezone.now(), 120)
        lapse(export)
        export.refresh_from_db()
    jobs.sweep()
    work_off()
    export.refresh_from_db()
    assert (export.state, export.error.split(".")[0]) == (
        ExportState.FAILED,
        "Its worker was lost 3 times",
    )
    assert told(people.manager) == ["Task Sync Results could not be prepared"]
    exports.ask_again(export)
    work_off()
    assert [each.state for each in TaskSyncExport.objects.all()] == [ExportState.READY]


def test_full_disk_fails_honestly(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    export = exports.ask(people.manager, Wanted())
    work_off()
    export.refresh_from_db()
    assert (export.state, export.error) == (
        ExportState.FAILED,
        "The file could not be written: is the server's disk full, or VAR_DIR not shared?",
    )
    assert files() == []


def test_cancelled_file_ends_while_it_is_written(
    people: People, small_slices: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_many(the_connection(), people.rep, 5, timezone.now() - timedelta(hours=1))
    export = slice_of(exports.ask(people.manager, Wanted()))
    save = ExportFile.save

    def cancelled_meanwhile(file: ExportFile, *, finished: bool) -> int:
        assert exports.cancel(TaskSyncExport.objects.get(pk=export.pk))
        return save(file, finished=finished)

    monkeypatch.setattr(ExportFile, "save", cancelled_meanwhile)
    work_off()
    export.refresh_from_db()
    assert (export.state, files(), told(people.manager)) == (ExportState.CANCELLED, [], [])
    assert not exports.cancel(export)


def test_deleted_after_a_week(people: People) -> None:
    export = exports.ask(people.manager, Wanted())
    work_off()
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23), tick=False):
        jobs.tidy()
    assert (len(files()), TaskSyncExport.objects.count()) == (1, 1)
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        jobs.tidy()
    assert (files(), TaskSyncExport.objects.filter(pk=export.pk).exists()) == ([], False)


def test_strays_are_deleted_and_nothing_else(people: People) -> None:
    exports.ask(people.manager, Wanted())
    work_off()
    (kept,) = files()
    old = timezone.now().timestamp() - 2 * 24 * 3600
    for name in ("stray.csv", "young.csv"):
        export_files.path_of(name).write_text("")
    os.utime(kept, (old, old))
    os.utime(export_files.path_of("stray.csv"), (old, old))
    jobs.tidy()
    assert [path.name for path in files()] == sorted([kept.name, "young.csv"])


def test_who_lost_a_team_gets_nothing_of_it(people: People, small_slices: None) -> None:
    make_many(the_connection(), people.rep, 5, timezone.now() - timedelta(hours=1))
    export = slice_of(exports.ask(people.manager, Wanted()))
    people.north.managers.remove(people.manager)
    work_off()
    export.refresh_from_db()
    assert (export.state, files(), told(people.manager)) == (
        ExportState.WITHDRAWN,
        [],
        ["Task Sync Results were withdrawn"],
    )


@pytest.mark.parametrize("what", ["user", "role", "active"])
def test_ready_file_is_withdrawn_with_the_sight_of_its_users(people: People, what: str) -> None:
    asker = people.admin if what == "role" else people.manager
    export = exports.ask(asker, Wanted())
    work_off()
    match what:
        case "user":
            User.objects.filter(pk=people.rep.pk).update(team=people.south)
        case "role":
            User.objects.filter(pk=asker.pk).update(role=Role.MANAGER)
        case _:
            User.objects.filter(pk=asker.pk).update(is_active=False)
    found = TaskSyncExport.objects.select_related("requested_by").get(pk=export.pk)
    assert exports.withdraw_if_outgrown(found)
    found.refresh_from_db()
    assert (found.state, files()) == (ExportState.WITHDRAWN, [])


def test_who_gained_a_team_gets_what_was_asked_for(people: People, small_slices: None) -> None:
    make_many(the_connection(), people.rep, 3, timezone.now() - timedelta(hours=2))
    make_done(the_connection(), people.other_rep, "South's", OutboxState.DONE)
    export = slice_of(exports.ask(people.manager, Wanted()))
    people.south.managers.add(people.manager)
    work_off()
    assert sorted(subjects(export)) == ["Task 0", "Task 1", "Task 2"]
