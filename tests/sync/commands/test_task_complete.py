"""task_complete: what it stores, what it prints, and what it refuses naming the option."""

import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

from sandbox.control import SandboxControl
from sync import plays
from sync.delivery import deliver
from sync.enums import DecisionCode, TaskKind, TaskState
from sync.models import Connection, OutboxRow, Record, Task
from teams.models import Role, User
from tests.factories import PlayStepFactory, RecordFactory, UserFactory, crm_id, the_connection


@pytest.fixture
def rep(db: None) -> User:
    return UserFactory.create(email="rep@playbooks.example")


def run(*args: str, user: str = "rep@playbooks.example") -> str:
    out = StringIO()
    call_command("task_complete", "--user", user, *args, stdout=out)
    return out.getvalue()


def refused(*args: str, **kwargs: Any) -> list[str]:
    with pytest.raises(CommandError) as raised:
        run(*args, **kwargs)
    assert raised.value.returncode == 1
    assert not Task.objects.filter(state=TaskState.COMPLETED).exists()
    assert (OutboxRow.objects.count(), Record.objects.filter(fetched_at=None).count()) == (0, 0)
    return str(raised.value).split("\n")


def test_everything_can_be_said(rep: User) -> None:
    hana = RecordFactory.create()
    printed = run(
        *("--kind", "call", "--subject", "Discovery call", "--description", "They asked for prices."),
        *("--record", hana.crm_id[:15], "--related-record", crm_id("006", 1), "--phone", "(212) 555-0141"),
        *("--direction", "inbound", "--duration", "75", "--disposition", "Connected"),
        *("--completed-at", "2025-03-03T12:00:00+01:00"),
    )
    task = Task.objects.get()
    assert printed == f"Task {task.uuid} is completed.\nIt waits to be sent.\n"
    assert (task.user, task.kind, task.subject, task.who) == (rep, TaskKind.CALL, "Discovery call", hana)
    assert (task.phone_e164, task.call_direction, task.call_duration_seconds) == ("+12125550141", "inbound", 75)
    assert task.completed_at is not None
    assert (task.call_disposition, task.completed_at.isoformat()) == ("Connected", "2025-03-03T11:00:00+00:00")
    assert (task.what and task.what.crm_id, task.description) == (crm_id("006", 1), "They asked for prices.")


def test_what_was_decided_is_printed(rep: User) -> None:
    the_connection()
    printed = run("--kind", "email", "--subject", "Offer", "--email", "nobody@birch.example")
    assert printed.split("\n")[1:] == [f"· {DecisionCode.NO_MATCH.label}", "It waits to be sent.", ""]


def test_before_a_crm_is_connected_it_is_stored(rep: User) -> None:
    printed = run("--kind", "other", "--subject", "Visit")
    assert printed.split("\n")[1] == "It is stored, and is sent once a CRM is connected (manage.py crm_connect)."
    assert Task.objects.get().subject == "Visit"


def test_a_plays_task_is_completed_by_its_uuid(rep: User) -> None:
    step = PlayStepFactory.create(name="First call")
    plays.enrol(step.play, RecordFactory.create(), rep)
    run("--task", str(Task.objects.get().uuid))
    assert Task.objects.get().state == TaskState.COMPLETED
    with pytest.raises(CommandError) as raised:
        run("--task", str(Task.objects.get().uuid))
    assert str(raised.value) == "--task: This task is completed already. Nothing was changed."


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--kind", "call"], ["--subject: Enter a subject: the CRM shows the task under it."]),
        (["--subject", "S"], ["--kind: Say which kind of task this was: call, email, other."]),
        (
            ["--kind", "call", "--subject", "S", "--phone", "12", "--duration", "-1"],
            [
                "--duration: Enter the call's duration in seconds, from 0 to 2147483647.",
                (
                    "--phone: This is not a phone number. Enter it with its country code, like +1 415 555 0132, or as "
                    "it is dialled within US."
                ),
            ],
        ),
        (
            ["--kind", "email", "--subject", "S", "--email", "ann"],
            ["--email: Enter one e-mail address, like ann@example.com."],
        ),
        (
            ["--kind", "email", "--subject", "S", "--direction", "inbound", "--disposition", "Busy"],
            [
                "--direction: Only calls have this. Leave it empty, or choose a call.",
                "--disposition: Only calls have this. Leave it empty, or choose a call.",
            ],
        ),
        (
            ["--kind", "call", "--subject", "S", "--completed-at", "2999-01-01T00:00:00Z"],
            [
                (
                    "--completed-at: This time lies in the future. Enter when the task was completed, and check clock "
                    "and time zone."
                )
            ],
        ),
        (
            ["--kind", "call", "--subject", "S", "--completed-at", "2025-03-03T12:00:00"],
            ["--completed-at: The time has no time zone. Add one, like 2025-03-31T14:05:00+02:00."],
        ),
        (
            ["--kind", "call", "--subject", "S", "--completed-at", "2025-02-30T12:00:00Z"],
            ["--completed-at: This is not a date with a time. Write 2025-03-31T14:05:00+02:00."],
        ),
        (
            ["--kind", "call", "--subject", "S", "--completed-at", "yesterday"],
            ["--completed-at: This is not a date with a time. Write 2025-03-31T14:05:00+02:00."],
        ),
        (
            ["--kind", "call", "--subject", "a\0b"],
            ["--subject: The text has a NUL character (U+0000), which no CRM can store. Remove it."],
        ),
        (
            ["--kind", "call", "--subject", "S", "--related-record", "nonsense"],
            [
                (
                    "--related-record: This is not a CRM id: it has 15 or 18 letters and digits, and upper and lower "
                    "case count. Copy it from the record's address in the CRM."
                )
            ],
        ),
        (
            ["--task", "nonsense"],
            ["--task: There is no such task. Take the UUID from the address of its page in the Manager App."],
        ),
        (
            ["--task", str(uuid4())],
            ["--task: There is no such task. Take the UUID from the address of its page in the Manager App."],
        ),
        (
            ["--kind", "call", "--subject", "S", "--actor", "stranger@playbooks.example"],
            ["--user: You may complete tasks for yourself and, as a manager, for your own teams."],
        ),
        (
            ["--kind", "call", "--subject", "S", "--actor", "nobody@playbooks.example"],
            ["--actor: There is no user with this e-mail address. The Manager App lists them all."],
        ),
    ],
)
def test_bad_input_names_the_option(rep: User, args: list[str], expected: list[str]) -> None:
    UserFactory.create(email="stranger@playbooks.example", role=Role.MANAGER)
    the_connection()
    assert refused(*args) == expected


def test_who_does_not_exist_or_is_deactivated(rep: User) -> None:
    said = "--kind", "call", "--subject", "S"
    assert refused(*said, user="nobody@playbooks.example") == [
        "--user: There is no user with this e-mail address. The Manager App lists them all."
    ]
    User.objects.update(is_active=False)
    assert refused(*said) == ["--user: This user is deactivated. Let an admin activate them again, or name another."]


@pytest.mark.parametrize(
    "args", [["--kind", "meeting"], ["--duration", "long"], ["--direction", "sideways"], ["--wait", "long"]]
)
def test_what_is_no_value_at_all_is_refused_before_anything_is_done(rep: User, args: list[str]) -> None:
    with pytest.raises(CommandError) as raised:
        run("--subject", "S", *args)
    assert str(raised.value).startswith(f"Error: argument {args[0]}: ")


@pytest.fixture
def worker(connection: Connection) -> Iterator[threading.Thread]:
    """Delivers as soon as something waits."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            if OutboxRow.objects.unsettled().exists():
                deliver(connection.pk)
        database.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    stop.set()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_wait_ends_when_the_crm_has_it(rep: User, worker: threading.Thread, sandbox: SandboxControl) -> None:
    printed = run("--kind", "other", "--subject", "Visit", "--wait", "20")
    task = Task.objects.get()
    assert task.crm_id
    assert printed.split("\n")[-2] == f"Synced: {task.crm_id}"


@pytest.mark.django_db(transaction=True)
def test_wait_says_what_the_crm_said(rep: User, connection: Connection, sandbox: SandboxControl) -> None:
    with pytest.raises(CommandError) as raised:
        run("--kind", "other", "--subject", "Visit", "--wait", "0.1")
    assert str(raised.value) == "The CRM doesn't have it yet (Waiting). Nothing is lost: it is stored."
    sandbox.add_fault("row_error", statusCode="FIELD_INTEGRITY_EXCEPTION", message="Not on Sundays.", times=1)
    deliver(connection.pk)
    assert OutboxRow.objects.get().error_code == "FIELD_INTEGRITY_EXCEPTION"
