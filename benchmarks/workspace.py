"""The pages where people work, at size, on SQLite and PostgreSQL: `make bench ARGS=workspace`.

One rep with 100,000 tasks: 99,400 completed over 30 days (2,000 orphaned calls), 600 open ones from a month ago to a
month ahead. Milliseconds at the median, from request to rendered answer without a network, and queries a page.
"""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.databases import KINDS
from benchmarks.figures import Figure
from benchmarks.filled import child, filled, report

if TYPE_CHECKING:
    from sync.models import Task

TASKS = 100_000
OPEN = 600
MILLISECONDS = 100
_REPEATS = 15
_FILL = "import django; django.setup(); from benchmarks.workspace import fill; fill()"


def fill() -> None:
    """Make a rep who has worked a lot, in an empty database that is migrated."""
    from django.db import connection as database  # noqa: PLC0415 - needs Django
    from django.db.models import F  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from benchmarks import bulk  # noqa: PLC0415
    from sync.enums import TaskState  # noqa: PLC0415
    from sync.models import Attempt, OutboxRow, Record, RecordName, RecordPhone, Task  # noqa: PLC0415
    from teams.models import User  # noqa: PLC0415

    bulk.fill(bulk.Size(users=200, tasks=TASKS))
    rep = User.objects.get(email="rep1@bench.example")
    Task.objects.update(user=rep)
    OutboxRow.objects.update(user=rep)
    today = timezone.localdate()
    open_ids = list(Task.objects.order_by("pk").values_list("pk", flat=True)[:: TASKS // OPEN])[:OPEN]
    Attempt.objects.filter(task__in=open_ids).delete()
    OutboxRow.objects.filter(task__in=open_ids).delete()
    tasks = Task.objects.in_bulk(open_ids)
    for number, task in enumerate(tasks.values()):
        task.state, task.completed_at, task.synced_at, task.crm_id = TaskState.OPEN, None, None, ""
        task.who = None
        task.due_on = today + timedelta(days=number % 61 - 30)
    Task.objects.bulk_update(tasks.values(), ["state", "completed_at", "synced_at", "crm_id", "who", "due_on"])
    _enrol(tasks.values())
    orphans = Task.objects.filter(state=TaskState.COMPLETED).annotate(nth=F("pk") % 50).filter(nth=7)
    orphans.update(is_orphan=True, who=None, record=None, phone_number="+49 30 1234567", phone_e164="+49301234567")
    for start in range(0, 20_000, 2_000):
        RecordName.keep(Record.objects.filter(pk__range=(start + 1, start + 2_000)))
    RecordPhone.objects.create(record_id=5, number="+49 30 1234567", e164="+49301234567")
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if database.vendor == "postgresql" else "ANALYZE")


def _enrol(tasks: "Iterable[Task]") -> None:
    """Make each of the open tasks the last of three steps of an enrolment of its record."""
    from sync.enums import LinkChoice, TaskKind, TaskState  # noqa: PLC0415
    from sync.models import Enrolment, Play, PlayStep, Task  # noqa: PLC0415

    play = Play.objects.create(name="Renewal")
    steps = [
        PlayStep.objects.create(play=play, position=number, kind=TaskKind.CALL, name=f"Step {number}")
        for number in (1, 2, 3)
    ]
    for last in tasks:
        assert last.record_id is not None
        enrolment = Enrolment.objects.create(play=play, record_id=last.record_id, user_id=last.user_id)
        done = Task.objects.filter(record=last.record_id, state=TaskState.COMPLETED, enrolment=None).order_by("pk")
        for step, pk in zip(steps, done.values_list("pk", flat=True)[:2], strict=False):
            Task.objects.filter(pk=pk).update(enrolment=enrolment, step=step, link_choice=LinkChoice.PLAY)
        last.enrolment, last.step = enrolment, steps[2]
    Task.objects.bulk_update(tasks, ["enrolment", "step"])


def cases() -> dict[str, str]:
    """Return the pages' addresses by their names."""
    from sync.enums import TaskState  # noqa: PLC0415
    from sync.models import Task  # noqa: PLC0415

    done = Task.objects.filter(state=TaskState.COMPLETED, is_orphan=False).order_by("pk")[5_000]
    waiting = Task.objects.filter(state=TaskState.OPEN).order_by("pk")[5]
    orphan = Task.objects.orphans().order_by("pk")[5]
    assert waiting.record is not None
    record = waiting.record
    return {
        "my tasks, today": "/tasks/",
        "my tasks, upcoming": "/tasks/?show=upcoming",
        "my tasks, completed": "/tasks/?show=completed",
        "my tasks, completed, page 100": "/tasks/?show=completed&page=100",
        "my tasks, completed, searched": "/tasks/?show=completed&q=Call+5555",
        "completing a task": f"/tasks/{waiting.uuid}/complete/",
        "an ad hoc task": "/tasks/new/",
        "a task's page": f"/tasks/{done.uuid}/",
        "records, worked on lately": "/records/",
        "records, searched by name": "/records/?q=number+7777",
        "records, searched by CRM id": f"/records/?q={record.crm_id}",
        "a record's page": f"/records/{record.uuid}/",
        "orphaned calls": "/orphaned-calls/",
        "an orphaned call": f"/orphaned-calls/{orphan.uuid}/",
    }


def measure_pages() -> dict[str, tuple[float, int]]:
    """Return median milliseconds and queries by the page's name, as the rep sees it."""
    from django.db import connection as database  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from teams.models import User  # noqa: PLC0415

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email="rep1@bench.example"), "teams.backends.RoleBackend")
    found = {}
    for name, address in cases().items():
        times = []
        for _repeat in range(_REPEATS):
            began = time.perf_counter()
            answer = client.get(address)
            times.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{address} answered {answer.status_code}")
        with CaptureQueriesContext(database) as queries:
            client.get(address)
        found[name] = (median(times[1:]), len(queries))
    return found


def measure(kinds: Sequence[str]) -> list[Figure]:
    """Return two figures for each page and database."""
    figures = []
    for kind in kinds:
        with filled(kind, _FILL) as environment:
            pages: dict[str, Any] = child(environment, "benchmarks.workspace", "pages")
        for name, (took, queries) in pages.items():
            figures.append(Figure(f"{kind}: {name}", round(took, 1), None, "ms", at_most=MILLISECONDS))
            figures.append(Figure(f"{kind}: {name}, queries", queries, None, "queries"))
    return figures


if __name__ == "__main__":
    if sys.argv[1:] == ["pages"]:
        import django

        django.setup()
        print(json.dumps(measure_pages()))
    else:
        sys.exit(report("workspace", measure(sys.argv[1:] or KINDS)))
