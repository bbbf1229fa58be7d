"""Runs a command and ends it, and all that it started, when whoever holds the other end of a pipe is gone.

    python -I lifeline.py PIPE GRACE COMMAND...

A program of its own, of the standard library alone: it leads the process group that `sync/cluster_group.py` starts,
so that a cluster whose supervisor was killed with SIGKILL ends, too. (A death signal from the kernel would reach
the command, but not the processes that it forked.)
"""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

LOOK_EVERY = 0.2  # seconds


def _run(pipe: int, grace: float, command: list[str]) -> int:
    """Return the command's exit status; ends the whole group instead when the pipe is closed at its other end."""
    child = subprocess.Popen(command)

    def forward(number: int, _frame: FrameType | None) -> None:
        if child.poll() is None:
            child.send_signal(number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    while child.poll() is None:
        if select.select([pipe], [], [], LOOK_EVERY)[0]:
            _end_all(child, grace)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end_all(child: "subprocess.Popen[bytes]", grace: float) -> NoReturn:
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(grace)
    os.killpg(0, signal.SIGKILL)
    raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(_run(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
