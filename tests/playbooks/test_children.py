"""Child processes end with their parent, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from playbooks.children import Children, wait_until_interrupted
from playbooks.env import BASE_DIR

# Starts a grandchild, writes both numbers to the given file, and then waits.
FAMILY = """
import os, signal, sys, time
if len(sys.argv) > 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = os.fork()
if grandchild:
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(f"{os.getpid()} {grandchild}")
    os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""
PARENT = """
import sys
from pathlib import Path
from playbooks.children import Children, wait_until_interrupted
with Children() as children:
    children.start("family", [sys.executable, "-c", *sys.argv[1:]], grace=0.5)
    try:
        wait_until_interrupted(children)
    except KeyboardInterrupt:
        sys.exit(7)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def family(file: Path) -> list[int]:
    wait_for(file.exists)
    return [int(number) for number in file.read_text().split()]


def gone(pids: list[int]) -> bool:
    return not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_parent_and_everything_below_it(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    # With a third argument the family doesn't obey SIGTERM.
    parent = subprocess.Popen([sys.executable, "-c", PARENT, FAMILY, str(file), "deaf"], cwd=BASE_DIR)
    pids = family(file)
    parent.send_signal(number)
    parent.send_signal(number)
    assert parent.wait(20) == 7
    assert gone(pids)


def test_a_killed_parent_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, FAMILY, str(file)], cwd=BASE_DIR)
    pids = family(file)
    parent.kill()
    parent.wait(20)
    wait_for(lambda: gone(pids))


def test_a_child_that_ends_by_itself_is_named_with_its_status(tmp_path: Path) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    try:
        with Children() as children:
            children.start("lasting", [sys.executable, "-c", "import time; time.sleep(60)"], grace=1)
            child = children.start(
                "brief",
                [sys.executable, "-c", "import os; print(os.environ['WORD']); raise SystemExit(3)"],
                env={"WORD": "hello"},
                log=tmp_path / "log",
            )
            assert wait_until_interrupted(children) is child
            assert [child.name, child.exit_status] == ["brief", 3]
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), handlers, strict=True):
            signal.signal(number, handler)
    assert (tmp_path / "log").read_text() == "hello\n"
    assert os.environ.get("WORD") is None
