"""One of each thing that an address can name. All of it belongs to the team `north`, which `manager` manages."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db.models import Model
from django.utils import timezone
from django_q.models import Failure, Schedule

from sync.enums import ImportState, OutboxState
from sync.models import ApiToken, Enrolment, OutboxRow, Play, Record, Sender, Task, TaskImport, TaskSyncExport, Trouble
from teams.models import Notice, NoticeKind, Organisation
from tests.people import People, make_people
from tests.sync.admin.conftest import make_connection, make_task

NOWHERE = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class AddressWorld:
    people: People
    by_model: dict[str, Model]
    # By the name that an address gives its parameter.
    values: dict[str, Any] = field(default_factory=dict)


def make_address_world() -> AddressWorld:
    people = make_people()
    connection = make_connection()
    task: Task = make_task(connection, people.rep, "Call about the offer", OutboxState.FAILED)
    trouble = Trouble.objects.create(
        connection=connection,
        signature="a" * 64,
        failure_mode="configuration",
        error_code="REQUIRED_FIELD_MISSING",
        first_at=timezone.now(),
        next_probe_at=timezone.now(),
    )
    export = TaskSyncExport.objects.create(
        requested_by=people.manager, since=timezone.now(), until=timezone.now(), expires_at=timezone.now()
    )
    failure = Failure.objects.create(
        id="f" * 32, name="job", func="math.sqrt", started=timezone.now(), stopped=timezone.now(), success=False
    )
    play = Play.objects.create(name="Renewal")
    record = make_record(connection)
    # Another play: one that had an enrolment is not deleted.
    enrolment = Enrolment.objects.create(play=Play.objects.create(name="Follow-up"), record=record, user=people.rep)
    by_model: dict[str, Model] = {
        "teams/organisation": Organisation.load(),
        "teams/team": people.north,
        "teams/user": people.rep,
        "django_q/schedule": Schedule.objects.create(func="math.sqrt", args="4"),
        "django_q/failure": failure,
        "sync/outboxrow": OutboxRow.objects.get(task=task),
        "sync/enrolment": enrolment,
        "sync/play": play,
        "sync/record": record,
        "sync/task": task,
        "sync/trouble": trouble,
    }
    sender = Sender.objects.create(name="Dialer", webhook_url="https://example.com/")
    notice = Notice.objects.create(user=people.rep, kind=NoticeKind.FILE_READY, title="A file is ready")
    return AddressWorld(
        people,
        by_model,
        {
            "team": people.north.uuid,
            "user": people.rep.uuid,
            "task": task.uuid,
            "export": export.uuid,
            "task_import": make_import(people).uuid,
            "play": play.uuid,
            "record": record.uuid,
            "kind": "call",
            "enrolment": enrolment.uuid,
            "uuid": notice.uuid,
            "direction": "outbound",
            "signature": "a" * 64,
            "sender": sender.uuid,
            "token": ApiToken.issue(sender)[0].uuid,
            "id": people.rep.pk,
            "pk": 1,
            "content_type_id": 1,
            "app_label": "sync",
            "uidb36": "1",
            "key": "set-password",
            "url": "no-such-page",
        },
    )


def make_import(people: People) -> TaskImport:
    return TaskImport.objects.create(
        user=people.manager,
        name="calls.csv",
        headings=["user"],
        mapping=["user"],
        time_zone="UTC",
        state=ImportState.READY,
        total=1,
        expires_at=timezone.now(),
    )


def make_record(connection: Any) -> Record:
    from tests.factories import RecordFactory  # noqa: PLC0415 - it reads settings

    record: Record = RecordFactory.create(connection=connection)
    return record


def address_of(route: str, world: AddressWorld) -> str:
    """Return an address that fits a pattern, naming what the world has."""
    path = "/" + route.replace("(start)", "").replace("^", "").replace("$", "").lstrip("/")
    path = re.sub(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\))?[^()]*\)", lambda found: f"<{found[1]}>", path)

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "object_id":
            model = "/".join(path.split("/")[2:4])
            return str(world.by_model[model].pk if model in world.by_model else uuid4())
        return str(world.values[name])

    return re.sub(r"<(?:\w+:)?(\w+)>", value, path)
