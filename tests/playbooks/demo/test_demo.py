"""The demo as a newcomer runs it: it serves until a signal ends it, and leaves no process behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.demo.installation import DIRECTORY, ROOT
from playbooks.demo.waiting import answers

pytestmark = pytest.mark.slow
_PATIENCE = 120.0


@pytest.fixture
def demo() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "playbooks.demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        yield process
        process.kill()


def line_with(process: "subprocess.Popen[str]", beginning: str) -> str:
    """Read its output up to the line that begins so. The end of the output is the bound."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(beginning):
            return line
    raise AssertionError(f"it ended without saying {beginning!r}")


def processes_of_the_demo() -> list[str]:
    """The living processes whose environment names the demo's .env."""
    mark = f"ENV_FILE={DIRECTORY / '.env'}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0"):
                found.append((path.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_terminals_group_ends_everything(demo: "subprocess.Popen[str]", number: signal.Signals) -> None:
    address = line_with(demo, "Open: ").removeprefix("Open: ").strip()
    for role, email in (("Admin", "grace.holloway"), ("Manager", "elena.rossi"), ("Rep", "amara.osei")):
        assert re.fullmatch(rf"{role} +{email}@fernhill\.example  \S{{16}}\n", line_with(demo, role))
    assert answers(f"{address}manager/login/")
    assert len(processes_of_the_demo()) > 3
    os.killpg(demo.pid, number)
    assert demo.wait(_PATIENCE) == 0
    deadline = time.monotonic() + 30
    while processes_of_the_demo() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of_the_demo() == []


def test_a_second_demo_is_told_that_one_runs(demo: "subprocess.Popen[str]") -> None:
    line_with(demo, "Preparing")
    second = subprocess.run(
        [sys.executable, "-m", "playbooks.demo", "--once"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert [second.returncode, second.stderr] == [1, "A demo is running already; end it first (Ctrl-C).\n"]
    demo.send_signal(signal.SIGINT)
    assert demo.wait(_PATIENCE) == 0
