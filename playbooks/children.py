"""Child processes that end together with this one: on Ctrl-C, on SIGTERM, and even when this one is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self, TextIO

from sync import lifeline

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_EVERY = 0.05


class Child:
    """A command that leads a session of its own, so that a terminal's Ctrl-C reaches its parent alone."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path | None, grace: float
    ) -> None:
        self.name = name
        self.grace = grace
        self.log = log
        near, self._lifeline = os.pipe()
        output: TextIO | None = log.open("a") if log else None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", lifeline.__file__, str(near), str(grace), *command],
                pass_fds=(near,),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                env={**os.environ, **env},
            )
        finally:
            os.close(near)
            if output:
                output.close()

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        if self.exit_status is None:
            self._process.terminate()

    def end(self) -> None:
        """Wait for it until its time is up, then kill its whole group."""
        deadline = time.monotonic() + self.grace
        while self.exit_status is None and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._lifeline)


class Children:
    """The children of one command, ended in the opposite order of their start when the block is left.

    Within the block SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self._children: list[Child] = []

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        grace: float = 10.0,
    ) -> Child:
        """Start `command`; its output goes to `log`, else to this process's. `grace` is its time to end in seconds."""
        child = Child(name, command, env or {}, log, grace)
        self._children.append(child)
        return child

    def ended(self) -> Child | None:
        """A child that ended though nobody asked it to."""
        return next((child for child in self._children if child.exit_status is not None), None)

    def __enter__(self) -> Self:
        def interrupt(_number: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        for number in ENDING_SIGNALS:
            signal.signal(number, interrupt)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # Ending takes a few seconds; an impatient second Ctrl-C must not leave something behind.
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(self._children):
            child.ask_to_end()
            child.end()


def wait_until_interrupted(children: Children) -> Child:
    """Return the first child that ends by itself; KeyboardInterrupt is the other way out."""
    while True:
        child = children.ended()
        if child is not None:
            return child
        time.sleep(0.2)
