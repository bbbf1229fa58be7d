"""What docs/api.md shows works as it stands there, against a server."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync.api import schemas
from sync.models import ReceivedTask, Task
from tests.people import People
from tests.sync.api.conftest import dialer_of

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "api.md"
OURS = DOCUMENT.read_text().partition("\n## Webhooks\n")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", OURS, re.DOTALL)


@pytest.mark.django_db(transaction=True)
def test_b8_the_examples_work(people: People, live_server: Any) -> None:
    """The curl command first, then the Python, in one go, as a reader would."""
    environment = {
        "PLAYBOOKS_URL": live_server.url,
        "PLAYBOOKS_TOKEN": dialer_of().text,
        "PATH": str(Path(shutil.which("curl") or "").parent),
    }

    def run(*command: str) -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (curl,) = blocks("sh")
    answer = json.loads(run("/bin/sh", "-c", curl))
    task = Task.objects.get()
    assert (answer["key"], answer["id"], answer["state"]) == ("call-4711", str(task.uuid), "waiting")
    assert (task.user, task.phone_e164, task.call_duration_seconds) == (people.rep, "+12125550141", 75)
    printed = run(sys.executable, "-c", "".join(blocks("python"))).splitlines()
    assert printed[0].startswith("call-4713 user unknown ")
    assert printed[1].startswith("waiting ")
    assert printed[2:] == ["call-4711 waiting []", "call-4712 waiting []"]
    assert ReceivedTask.objects.count() == 2


def test_the_json_is_as_the_schemas_say() -> None:
    item, problem = (json.loads(block) for block in blocks("json"))
    schemas.ItemOut.model_validate(item, strict=True)
    schemas.ProblemOut.model_validate(problem, strict=True)


def test_every_field_state_and_parameter_is_explained() -> None:
    told = set(re.findall(r"`(\w+)`", OURS))
    fields = {*schemas.TaskIn.model_fields, *schemas.CallIn.model_fields, *schemas.TaskQuery.model_fields}
    assert fields <= told
    assert set(schemas.TaskOut.model_fields) - {"id", "completed_at", "received_at", "is_final"} <= told
    # A task that is handed in is completed.
    assert {"waiting", "sending", "synced", "failed", "cancelled", "stopped"} <= told
