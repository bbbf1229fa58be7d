"""Importing tasks from a dialer's file: what is read, what is refused with which words, and each line exactly once."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from sandbox.control import SandboxControl
from sync import import_files, import_slices, jobs, task_imports
from sync.completion import Completion, complete_many
from sync.enums import CallDirection, DecisionCode, ImportState, LinkChoice, TaskKind, TaskSource, TaskState
from sync.import_columns import FIELDS, mapping_of
from sync.models import Connection, Decision, ImportedTask, ImportProblem, OutboxRow, Task, TaskImport
from sync.plays import enrol
from sync.task_imports import TooManyError
from teams.models import Notice, User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, the_connection
from tests.people import People, people
from tests.real_worker import work_off

__all__ = ["people"]

pytestmark = pytest.mark.django_db

HEADING = "Call ID,Agent Email,Date,Direction,Duration,To Number,Disposition,Notes,Carrier"
LINE = "c-{n},rosa@example.com,2025-03-31T14:05:00+02:00,Outgoing,2:05,+1 212 555 0141,Reached,She said yes.,x"


@pytest.fixture(autouse=True)
def var_dir(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "imports"


def csv_of(lines: Sequence[str], heading: str = HEADING) -> io.BytesIO:
    return io.BytesIO("\r\n".join([heading, *lines]).encode())


def asked(user: User, lines: Sequence[str], heading: str = HEADING) -> TaskImport:
    return task_imports.ask(user, csv_of(lines, heading), "calls.csv")


def run(found: TaskImport) -> TaskImport:
    """One slice, by whoever it was handed on to."""
    found.refresh_from_db()
    if found.lease_token:
        import_slices.run(found.pk, found.lease_token)
    found.refresh_from_db()
    return found


def to_the_end(found: TaskImport) -> TaskImport:
    while run(found).is_working:
        pass
    return found


def checked(user: User, lines: Sequence[str], heading: str = HEADING) -> TaskImport:
    return to_the_end(asked(user, lines, heading))


def imported(user: User, lines: Sequence[str], heading: str = HEADING) -> TaskImport:
    found = checked(user, lines, heading)
    assert found.state == ImportState.READY
    assert task_imports.start(found)
    return to_the_end(found)


def problems(found: TaskImport) -> list[tuple[int, str]]:
    return [(each.line, name) for each in found.problems.all() for name, _message in each.errors]


def kept(var_dir: Path) -> int:
    return len(list(var_dir.glob("*")))


def test_a_dialers_file_becomes_tasks(people: People) -> None:
    found = imported(people.manager, [LINE.format(n=1)])
    assert (found.state, found.total, found.imported, found.bad) == (ImportState.DONE, 1, 1, 0)
    task = Task.objects.get()
    assert (task.user, task.kind, task.state, task.source) == (
        people.rep,
        TaskKind.CALL,
        TaskState.COMPLETED,
        TaskSource.IMPORT,
    )
    assert task.completed_at == datetime(2025, 3, 31, 12, 5, tzinfo=UTC)
    assert (task.call_direction, task.call_duration_seconds, task.call_disposition) == (
        CallDirection.OUTBOUND,
        125,
        "Reached",
    )
    assert (task.phone_e164, task.description) == ("+12125550141", "She said yes.")
    assert task.subject == "Call with +1 212 555 0141"
    assert task.is_orphan
    assert ImportedTask.objects.get(task=task).key == "c-1"
    decision = Decision.objects.get(code=DecisionCode.COMPLETED_FOR)
    assert decision.detail == {"by": str(people.manager.uuid)}


@pytest.mark.django_db(transaction=True)
def test_imported_tasks_stand_in_the_crm(connection: Connection, sandbox: SandboxControl, people: People) -> None:
    User.objects.update(crm_user_id=None)
    found = asked(people.manager, [LINE.format(n=number) for number in range(3)])
    task_imports.ring(found)
    work_off()
    found.refresh_from_db()
    assert (found.state, found.good) == (ImportState.READY, 3)
    assert task_imports.start(found)
    task_imports.ring(found)
    work_off()
    found.refresh_from_db()
    assert found.imported == 3
    keys = set(Task.objects.exclude(crm_id="").values_list("key", flat=True))
    assert len(keys) == 3
    assert {row.get("Playbooks_Key__c") for row in sandbox.rows("Task")} >= keys


@pytest.mark.parametrize(
    ("heading", "mapped"),
    [
        ("Agent Email,Talk Time,TO_NUMBER", ["user", "call_duration_seconds", "phone_number"]),
        ("USER;Call-Duration;call.disposition", ["user", "call_duration_seconds", "call_disposition"]),
        ("user,agent,owner", ["user", "", ""]),  # its own name goes before an alias
        ("agent,user", ["", "user"]),
        ("Contact ID,Account ID,WhoId", ["record", "related_record", ""]),
        ("Weather,user", ["", "user"]),
    ],
)
def test_headings_are_taken_for_fields(heading: str, mapped: list[str]) -> None:
    assert mapping_of(heading.replace(";", ",").split(",")) == mapped


def test_every_field_is_found_by_its_own_name() -> None:
    assert mapping_of(list(FIELDS)) == list(FIELDS)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings(people: People, separator: str, encoding: str) -> None:
    text = f'user{separator}subject{separator}"notes"\r\nrosa@example.com{separator}Größe{separator}"two\r\nlines"\r\n'
    found = task_imports.ask(people.manager, io.BytesIO(text.encode(encoding)), "a.csv")
    to_the_end(found)
    task_imports.start(found)
    to_the_end(found)
    task = Task.objects.get()
    assert (task.subject, task.description) == ("Größe", "two\r\nlines")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The first line must name the columns."),
        (b"user,subject\r\n", "The file has no lines below its heading."),
        (b"user,subject\r\n\r\n,\r\n", "The file has no lines below its heading."),
        ("user,subject\r\nrosa@example.com,Gr\xf6\xdfe".encode("latin-1"), "The file is not UTF-8"),
        (b'user,subject\r\na,"b\r\n', "a quotation mark may be missing"),
        (b"user,subject\r\na,b,c\r\n", "Line 2 has more cells than the heading."),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "The file is not UTF-8"),
        (b"a\0b,user\r\n1,2", "no CSV file"),
    ],
)
def test_what_is_no_csv_file_is_refused_and_not_kept(people: People, var_dir: Path, content: bytes, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        task_imports.ask(people.manager, io.BytesIO(content), "a.csv")
    assert words in refused.value.messages[0]
    assert kept(var_dir) == 0
    assert not TaskImport.objects.exists()


def test_more_lines_than_are_possible_are_refused(
    people: People, var_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_files, "MOST_LINES", 2)
    assert asked(people.manager, ["", *[LINE.format(n=number) for number in range(2)]]).total == 2
    with pytest.raises(ValidationError, match="more than 2 lines"):
        asked(people.manager, [LINE.format(n=number) for number in range(3)])


@pytest.mark.parametrize(
    ("cells", "field", "words"),
    [
        ({"user": "nobody@example.com"}, "user", "You see no active user"),
        ({"user": "sven@example.com"}, "user", "You see no active user"),  # of another team
        ({"user": ""}, "user", "Say who did it"),
        ({"kind": "sms"}, "kind", "Choose one of call, email, other."),
        ({"kind": "other"}, "call_direction", "Only calls have this."),
        ({"completed_at": "yesterday"}, "completed_at", "This is no time."),
        ({"completed_at": "2199-01-01T00:00:00Z"}, "completed_at", "This time lies in the future."),
        ({"completed_at": "1999-01-01T00:00:00Z"}, "completed_at", "before the year 2000"),
        ({"call_duration_seconds": "two minutes"}, "call_duration_seconds", "Enter seconds, like 125"),
        ({"call_duration_seconds": "-1"}, "call_duration_seconds", "Enter seconds, like 125"),
        ({"call_duration_seconds": "9999999999"}, "call_duration_seconds", "from 0 to"),
        ({"phone_number": "abc"}, "phone_number", "This is not a phone number."),
        ({"record": "12"}, "record", "This is not a CRM id"),
        ({"play": "No such play", "play_step": "1"}, "play", "There is no play of this name."),
        ({"key": "k" * 256}, "key", "A key has at most 255 characters."),
        ({"subject": "x" * 1001}, "subject", "at most 1000 are possible"),
        ({"description": "a\0b"}, "", "NUL character"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_at_its_field(
    people: People, cells: dict[str, str], field: str, words: str
) -> None:
    the_connection()
    line = {"user": "rosa@example.com", "subject": "Call", "call_direction": "in", **cells}
    found = checked(people.manager, [",".join(line.values())], ",".join(line))
    assert (found.good, found.bad) == (0, 1)
    (problem,) = found.problems.all()
    assert problem.line == 2
    assert problem.errors[0][0] == field
    assert words in problem.errors[0][1]
    assert not task_imports.start(found)


def test_all_that_is_wrong_with_a_line_is_said_at_once(people: People) -> None:
    heading = "user,completed_at,call_direction,phone_number,call_duration_seconds"
    found = checked(people.manager, ["nobody@example.com,yesterday,up,abc,long"], heading)
    assert {name for _line, name in problems(found)} == set(heading.split(","))
    found = checked(people.manager, [",yesterday,No such play,1"], "user,completed_at,play,play_step")
    assert {name for _line, name in problems(found)} == {"user", "completed_at"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("125", 125), ("125 s", 125), ("125.0", 125), ("2:05", 125), ("1:02:05", 3725)]
)
def test_durations(people: People, text: str, seconds: int) -> None:
    imported(people.manager, [f"rosa@example.com,{text}"], "user,duration")
    assert Task.objects.get().call_duration_seconds == seconds


def test_a_time_without_an_offset_is_of_the_importers_zone(people: People) -> None:
    people.manager.time_zone = "America/New_York"
    people.manager.save()
    found = imported(
        people.manager, ["rosa@example.com,2025-03-31 14:05", "rosa@example.com,2025-03-31T14:05:00Z"], "user,date"
    )
    assert (found.without_offset, found.time_zone) == (1, "America/New_York")
    times = list(Task.objects.order_by("pk").values_list("completed_at", flat=True))
    assert times == [datetime(2025, 3, 31, 18, 5, tzinfo=UTC), datetime(2025, 3, 31, 14, 5, tzinfo=UTC)]


def test_records_users_by_crm_id_and_plays_are_found(people: People) -> None:
    record, play = RecordFactory.create(name="Hana"), PlayFactory.create(name="Renewal")
    PlayStepFactory.create(play=play, name="First call", kind=TaskKind.CALL, subject="Call")
    enrol(play, record, people.rep)
    opened = Task.objects.get()
    imported(
        people.manager,
        [f"{people.rep.crm_user_id},{record.crm_id},Renewal,1,Done", f"rosa@example.com,{record.crm_id[:15]},,,Again"],
        "user,record,play,step,subject",
    )
    opened.refresh_from_db()
    assert (opened.state, opened.subject) == (TaskState.COMPLETED, "Done")
    again = Task.objects.get(subject="Again")
    assert (again.who, again.link_choice) == (record, LinkChoice.EXPLICIT)


def test_a_plays_task_keeps_its_subject_when_the_file_has_none(people: People) -> None:
    record, play = RecordFactory.create(), PlayFactory.create(name="Renewal")
    PlayStepFactory.create(play=play, kind=TaskKind.CALL, subject="Ask about the renewal")
    enrol(play, record, people.rep)
    line = f"rosa@example.com,call,{record.crm_id},Renewal,1,+1 212 555 0141"
    imported(people.manager, [line], "user,kind,record,play,step,phone")
    assert Task.objects.get().subject == "Ask about the renewal"


def test_the_same_key_makes_no_second_task(people: People) -> None:
    first = imported(people.manager, [LINE.format(n=1), LINE.format(n=2), LINE.format(n=1)])
    assert (first.good, first.imported, first.known) == (2, 2, 1)
    second = checked(people.admin, [LINE.format(n=1), LINE.format(n=2), LINE.format(n=3)])
    assert (second.good, second.known) == (1, 2)
    task_imports.start(second)
    to_the_end(second)
    assert (second.imported, second.known) == (1, 2)
    assert list(ImportedTask.objects.order_by("key").values_list("key", flat=True)) == ["c-1", "c-2", "c-3"]


def test_m6_a_line_without_a_key_makes_no_second_task(people: People) -> None:
    heading = "user,date,phone,duration,record"
    line = f"rosa@example.com,2025-03-31T14:05:00+02:00,+1 212 555 0141,2:05,{RecordFactory.create().crm_id}"
    other = line.replace("0141", "0142")
    first = imported(people.manager, [line, line, other], heading)
    assert (first.good, first.imported, first.known) == (2, 2, 1)
    again = line.replace("rosa", "ROSA").replace("14:05:00+02:00", "12:05:00Z").replace("555 0141", "(555) 0141")
    second = checked(people.admin, [again.replace("2:05,", "125,"), other, line.replace("2:05,", "2:06,")], heading)
    assert (second.good, second.known) == (1, 2)
    task_imports.start(second)
    to_the_end(second)
    assert (second.imported, second.known) == (1, 2)
    keys = ImportedTask.objects.values_list("key", flat=True)
    assert len({key for key in keys if key and key.startswith("line:")}) == 3


def test_the_first_lines_are_shown_as_they_would_be_imported(people: People) -> None:
    imported(people.manager, [LINE.format(n=1)])
    bad = LINE.format(n=2).replace("rosa", "nobody")
    lines = [LINE.format(n=1), bad, LINE.format(n=3), LINE.format(n=3), *[LINE.format(n=n) for n in range(4, 12)]]
    found = checked(people.manager, lines)
    assert [line.number for line in import_slices.sample(found)] == [4, 6, 7, 8, 9]


def test_a_key_of_another_users_task_is_no_silent_loss(people: People) -> None:
    imported(people.manager, [LINE.format(n=1)])
    theirs = LINE.format(n=1).replace("rosa", "sven")
    found = checked(people.other_manager, [theirs, theirs.replace("c-1", "c-2")])
    assert (found.good, found.bad) == (1, 1)
    assert problems(found) == [(2, "key")]


def test_a_repeated_key_counts_when_the_first_line_is_refused(people: People) -> None:
    bad = LINE.format(n=1).replace("2025-03-31T14:05:00+02:00", "soon")
    found = imported(people.manager, [bad, LINE.format(n=1), LINE.format(n=2)])
    assert (found.imported, found.bad) == (2, 1)
    assert Task.objects.count() == 2


def test_good_lines_go_without_the_bad_ones_which_are_kept_for_a_week(people: People, var_dir: Path) -> None:
    bad = LINE.format(n=2).replace("rosa", "nobody")
    found = imported(people.manager, [LINE.format(n=1), bad, LINE.format(n=3)])
    assert (found.imported, found.bad) == (2, 1)
    assert [row[1][0] for row in import_files.every(found.file_name)] == ["c-2"]
    assert kept(var_dir) == 1
    TaskImport.objects.update(expires_at=timezone.now())
    task_imports.tidy()
    assert kept(var_dir) == 0
    found.refresh_from_db()
    assert (found.file_name, found.bad, found.problems.count()) == ("", 1, 0)


def test_nothing_is_kept_of_a_file_without_bad_lines(people: People, var_dir: Path) -> None:
    found = imported(people.manager, [LINE.format(n=1)])
    assert (kept(var_dir), found.file_name) == (0, "")


def test_what_is_never_started_is_deleted_after_a_day(people: People, var_dir: Path) -> None:
    found = checked(people.manager, [LINE.format(n=1)])
    task_imports.tidy()
    assert kept(var_dir) == 1
    TaskImport.objects.update(expires_at=timezone.now())
    task_imports.tidy()
    found.refresh_from_db()
    assert (found.state, kept(var_dir)) == (ImportState.CANCELLED, 0)


def test_columns_are_chosen_by_hand(people: People) -> None:
    found = asked(people.manager, ["rosa@example.com,Hello"], "Wer,Was")
    assert (found.state, found.lease_token) == (ImportState.READY, None)
    assert "No column says whose tasks these are." in found.error
    assert not task_imports.start(found)
    assert task_imports.remap(found, ["user", "subject"])
    to_the_end(found)
    assert (found.good, found.error) == (1, "")
    task_imports.start(found)
    to_the_end(found)
    assert not task_imports.remap(found, ["user", ""])
    assert Task.objects.get().subject == "Hello"


def test_a_start_is_taken_once(people: People) -> None:
    found = checked(people.manager, [LINE.format(n=1)])
    again = TaskImport.objects.get(pk=found.pk)
    assert (task_imports.start(found), task_imports.start(again)) == (True, False)


def test_so_many_files_of_one_person_and_no_more(people: People) -> None:
    for _number in range(task_imports.MOST_AT_ONCE):
        asked(people.manager, [LINE.format(n=1)])
    with pytest.raises(TooManyError):
        asked(people.manager, [LINE.format(n=1)])
    asked(people.admin, [LINE.format(n=1)])


def test_cancelled_in_the_middle_keeps_what_is_imported(
    people: People, var_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_slices, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(import_slices, "CHUNK", 2)
    found = checked(people.manager, [LINE.format(n=number) for number in range(6)])
    task_imports.start(found)
    run(found)
    token = found.lease_token
    assert token is not None
    assert task_imports.cancel(found)
    import_slices.run(found.pk, token)
    assert (Task.objects.count(), found.imported, kept(var_dir)) == (2, 2, 0)
    assert not task_imports.cancel(found)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_between_slices_leaves_each_line_once(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_slices, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(import_slices, "CHUNK", 3)
    keyless = [LINE.format(n=1).replace("c-1", "").replace("0141", f"014{number}") for number in range(10)]
    found = checked(people.manager, keyless)
    task_imports.start(found)
    run(found)

    # The next one dies in the middle of its chunk, once before and once after the tasks are written.
    for place in ("complete_many", "_note_problems"):

        class KilledError(BaseException):
            pass

        def die(*args: Any, **kwargs: Any) -> Any:
            raise KilledError

        with monkeypatch.context() as patched:
            patched.setattr(import_slices, place, die)
            assert found.lease_token
            with pytest.raises(KilledError):
                import_slices.run(found.pk, found.lease_token)
        assert Task.objects.count() == 3
        TaskImport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        found.refresh_from_db()
    task_imports.ring_lapsed()
    work_off()
    found.refresh_from_db()
    assert (found.state, found.imported, found.lost) == (ImportState.DONE, 10, 1)
    assert sorted(int(number[-1]) for number in Task.objects.values_list("phone_e164", flat=True)) == list(range(10))


def test_a_slow_worker_whose_lease_lapsed_counts_for_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(people.manager, [LINE.format(n=1)])
    task_imports.start(found)
    complete = complete_many

    def slowly(completions: Sequence[Completion]) -> Any:
        TaskImport.objects.update(lease_token="0" * 32)  # another one has taken it
        return complete(completions)

    monkeypatch.setattr(import_slices, "complete_many", slowly)
    run(found)
    assert not Task.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_over_which_workers_are_lost_is_given_up(people: People, var_dir: Path) -> None:
    found = asked(people.manager, [LINE.format(n=1)])
    TaskImport.objects.update(lost=2, lease_until=timezone.now() - timedelta(seconds=1))
    task_imports.ring_lapsed()
    work_off()
    found.refresh_from_db()
    assert (found.state, kept(var_dir)) == (ImportState.FAILED, 0)
    assert "3 times" in found.error
    assert Notice.objects.get().user == people.manager


def test_whoever_may_no_longer_import_does_not(people: People) -> None:
    found = checked(people.manager, [LINE.format(n=1)])
    task_imports.start(found)
    User.objects.filter(pk=people.manager.pk).update(role="rep")
    run(found)
    assert (found.state, Task.objects.count()) == (ImportState.FAILED, 0)


def test_a_user_who_left_the_managers_sight_is_refused(people: People) -> None:
    found = checked(people.manager, [LINE.format(n=1)])
    people.north.managers.clear()
    task_imports.start(found)
    to_the_end(found)
    assert (found.imported, found.bad) == (0, 1)


def test_a_lost_file_is_said(people: People, var_dir: Path) -> None:
    found = asked(people.manager, [LINE.format(n=1)])
    import_files.remove(found.file_name)
    run(found)
    assert found.state == ImportState.FAILED
    assert "VAR_DIR" in found.error


@pytest.mark.django_db(transaction=True)
def test_the_sweep_goes_on_with_what_nobody_has_in_hand(people: People) -> None:
    found = asked(people.manager, [LINE.format(n=1)])
    jobs.sweep()
    work_off()
    found.refresh_from_db()
    assert found.state == ImportState.CHECKING  # whoever uploaded it may be at it
    TaskImport.objects.update(lease_until=timezone.now())
    jobs.sweep()
    work_off()
    found.refresh_from_db()
    assert found.state == ImportState.READY


def test_imported_tasks_wait_behind_those_that_are_completed_now(people: People) -> None:
    the_connection()
    imported(people.manager, [LINE.format(n=1)])
    assert OutboxRow.objects.get().not_before < timezone.now() - timedelta(minutes=4)


@pytest.mark.slow
def test_ten_thousand_lines(people: People) -> None:
    the_connection()
    found = imported(people.manager, [LINE.format(n=number) for number in range(10_000)])
    assert (found.imported, found.bad, Task.objects.count()) == (10_000, 0, 10_000)
    assert ImportedTask.objects.count() == 10_000


@pytest.mark.slow
def test_a_hundred_thousand_bad_lines(people: People, var_dir: Path) -> None:
    found = checked(people.manager, ["nobody@example.com,soon"] * 100_000, "user,date")
    assert (found.good, found.bad) == (0, 100_000)
    assert ImportProblem.objects.count() == 100_000
    assert found.problems.first().errors == [  # type: ignore[union-attr]
        ["completed_at", "This is no time. Write it in ISO 8601, like 2025-03-31T14:05:00+02:00."],
        [
            "user",
            (
                "You see no active user with this e-mail address or CRM user id. Correct it, or ask an admin to "
                "activate the user or to put them into one of your teams."
            ),
        ],
    ]


def test_queries_do_not_grow_with_the_lines_of_a_chunk(people: People) -> None:
    the_connection()
    counts = []
    for number in (3, 30):
        found = checked(people.manager, [LINE.format(n=f"{number}-{line}") for line in range(number)])
        task_imports.start(found)
        with CaptureQueriesContext(database) as queries:
            run(found)
        assert found.imported == number
        counts.append(len(queries))
    assert counts[0] == counts[1]
