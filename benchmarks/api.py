"""Tasks a second that the HTTP API accepts, singly and in lists of 1,000: `make bench ARGS=api`.

gunicorn with two processes on PostgreSQL, beside the same written with plain Django saves (benchmarks/plain_api.py),
on one database, in turns. No worker runs: what is measured is taking tasks, not sending them.
"""

import http.client
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.filled import ROOT, filled, report
from benchmarks.installation import SetupError
from playbooks.children import Children

USERS, RECORDS, TASKS = 500, 20_000, 100_000
IN_A_LIST = 1_000
SENDERS = 2  # that hand in at the same time
PROCESSES = 2
ROUNDS = 3
# Of one round, for each who hands in.
OUR_LISTS, PLAIN_LISTS = 5, 1
OUR_SINGLES, PLAIN_SINGLES = 200, 100
AT_LEAST = 3_000

_FILL = f"""
import django
django.setup()
from benchmarks.bulk import Size, fill
fill(Size(teams=10, users={USERS}, records={RECORDS}, tasks={TASKS}))
from sync.models import Record, RecordEmail, RecordPhone
records = Record.objects.order_by("pk")
RecordPhone.objects.bulk_create(
    [RecordPhone(record=r, number=f"+1212555{{n % 10000:04}}", e164=f"+1212555{{n % 10000:04}}")
     for n, r in enumerate(records)], batch_size=5000)
RecordEmail.objects.bulk_create(
    [RecordEmail(record=r, address=f"person{{n}}@customer.example") for n, r in enumerate(records)], batch_size=5000)
"""
_LIMITS = {"API_REQUESTS_PER_MINUTE": "1000000000", "API_TASKS_PER_MINUTE": "1000000000"}


class Web:
    """A web server under test, and bodies for it that nobody has handed in yet."""

    def __init__(self, name: str, port: int, token: str) -> None:
        self.port = port
        self._name = name
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._chance = random.Random(1)
        self._number = 0

    def task(self) -> dict[str, Any]:
        """A call with a number, a call on a record, or an e-mail."""
        self._number += 1
        chance = self._chance
        said: dict[str, Any] = {
            "key": f"{self._name}-{self._number}",
            "kind": "call",
            "user": f"rep{chance.randint(1, USERS)}@bench.example",
            "subject": "Call about the winter season",
            "description": "They want to hear of the prices again after the holidays. " * 4,
            "completed_at": "2025-03-31T14:05:00+02:00",
        }
        if self._number % 4 == 0:
            return said | {"kind": "email", "email_address": f"person{chance.randint(1, RECORDS)}@customer.example"}
        call = {"direction": "outbound", "duration_seconds": 61, "disposition": "Left voicemail"}
        if self._number % 4 == 1:
            return said | {"call": call, "record": f"003{chance.randint(1, RECORDS):012}"}
        return said | {"call": call, "phone_number": f"+1 212 555 {chance.randint(0, 9999):04}"}

    def seconds(self, requests: int, tasks: int | None) -> float:
        """Hand in so many requests with so many tasks each (None: one alone), SENDERS at a time; return how long."""
        bodies = [
            [
                json.dumps(self.task() if tasks is None else [self.task() for _each in range(tasks)]).encode()
                for _request in range(requests)
            ]
            for _sender in range(SENDERS)
        ]
        began = time.perf_counter()
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(self._send, bodies))
        return time.perf_counter() - began

    def _send(self, bodies: Sequence[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        for body in bodies:
            connection.request("POST", "/api/v1/tasks", body, self._headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            if answer.status != 202 or not all(
                one.get("created") for one in (told if isinstance(told, list) else [told])
            ):
                raise SetupError(f"{self._name} answered {answer.status}: {str(told)[:500]}")
        connection.close()

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise SetupError(f"{self._name} did not start.")


def measure() -> list[Figure]:
    """Return tasks a second. Of several rounds, taken in turns, the fastest counts: what else runs only slows down."""
    with filled("postgres", _FILL) as environment, tempfile.TemporaryDirectory() as logs, Children() as children:
        ours = _start(children, environment, "ours", "playbooks.settings", Path(logs))
        plain = _start(children, environment, "plain", "benchmarks.plain_api_settings", Path(logs))
        for web in (ours, plain):
            web.wait()
            web.seconds(5, None)
            web.seconds(1, 100)
        lists: dict[Web, list[float]] = {ours: [], plain: []}
        singles: dict[Web, list[float]] = {ours: [], plain: []}
        for _round in range(ROUNDS):
            for web, many, few in ((ours, OUR_LISTS, OUR_SINGLES), (plain, PLAIN_LISTS, PLAIN_SINGLES)):
                lists[web].append(SENDERS * many * IN_A_LIST / web.seconds(many, IN_A_LIST))
                singles[web].append(SENDERS * few / web.seconds(few, None))
    return [
        Figure(
            f"tasks a second, handed in in lists of {IN_A_LIST:,}",
            round(max(lists[ours])),
            round(max(lists[plain])),
            "tasks/s",
            at_least=AT_LEAST,
        ),
        Figure("tasks a second, handed in singly", round(max(singles[ours])), round(max(singles[plain])), "tasks/s"),
    ]


def _start(children: Children, environment: Mapping[str, str], name: str, settings: str, logs: Path) -> Web:
    token = subprocess.run(
        [sys.executable, "manage.py", "api_token_create", name],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "playbooks.wsgi", "--bind", f"127.0.0.1:{port}"),
        *("--workers", str(PROCESSES), "--threads", "2", "--no-control-socket", "--graceful-timeout", "5"),
    ]
    children.start(name, command, {**environment, **_LIMITS, "DJANGO_SETTINGS_MODULE": settings}, logs / name)
    return Web(name, port, token)


if __name__ == "__main__":
    sys.exit(report("api", measure()))
