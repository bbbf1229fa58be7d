"""An installation for one measurement: a directory, a database, a stand-in for Salesforce, and workers.

Everything that was started has ended and everything that was made is gone afterwards, also on Ctrl-C.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import django

from benchmarks.databases import temporary_database
from playbooks.children import Child, Children
from playbooks.env_file import new_secrets
from sandbox.control import SandboxControl
from sandbox.seed import CLIENT_ID, CLIENT_SECRET

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
NAIVE_SETTINGS = "benchmarks.naive_settings"
# Seconds without a sign of life (there is one every five) until a supervisor ends its cluster.
PATIENCE = 12.0
_STARTS_WITHIN = 30.0
_COMMAND_WITHIN = 120.0


class SetupError(Exception):
    """The measurement can't begin; the message says why."""


@dataclass
class Installation:
    """What runs for one measurement. `directory` holds the logs."""

    directory: Path
    database_url: str
    sandbox: SandboxControl
    environment: Mapping[str, str]
    children: Children
    keep: bool = False
    workers: list[Child] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """What the workers say."""
        return self.directory / "workers.log"

    def manage(self, *arguments: str) -> None:
        """Run a management command to its end. Raises SetupError with its output."""
        done = subprocess.run(
            [*MANAGE, *arguments], capture_output=True, text=True, timeout=_COMMAND_WITHIN, check=False
        )
        if done.returncode:
            raise SetupError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

    def start_workers(self, settings: str = "playbooks.settings", grace: float = 3.0) -> Child:
        """Start one supervisor with its cluster."""
        name = f"workers {len(self.workers) + 1}"
        command = [*MANAGE, "workers", "--grace", f"{grace:g}", "--patience", f"{PATIENCE:g}"]
        child = self.children.start(name, command, {"DJANGO_SETTINGS_MODULE": settings}, self.log, grace=grace + 10)
        self.workers.append(child)
        return child

    def stop_workers(self) -> None:
        """End all supervisors and wait for it."""
        for child in self.workers:
            child.ask_to_end()
        deadline = time.monotonic() + 30
        while any(child.exit_status is None for child in self.workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.workers.clear()


@contextmanager
def installation(
    database: str, latency_ms: float, variables: Mapping[str, str] | None = None
) -> Iterator[Installation]:
    """Prepare an installation without workers, and Django in this process for it (once a process)."""
    directory = Path(tempfile.mkdtemp(prefix="playbooks-bench-"))
    made: Installation | None = None
    try:
        with temporary_database(database, directory) as url, Children() as children:
            sandbox = _start_sandbox(children, directory, latency_ms)
            environment = _environment(url, directory, sandbox.url, variables or {})
            os.environ.update(environment)
            made = Installation(directory, url, sandbox, environment, children)
            made.manage("setup", "--verbosity", "0")
            django.setup()
            yield made
    except SetupError:
        raise
    except Exception:
        if made is not None:
            made.keep = True
        raise
    finally:
        if made is not None and made.keep:
            print(f"The logs are kept in {directory}", flush=True)
        else:
            shutil.rmtree(directory, ignore_errors=True)


def _environment(url: str, directory: Path, sandbox_url: str, variables: Mapping[str, str]) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "playbooks.settings",
        "ENV_FILE": "",
        "ENVIRONMENT": "development",
        **new_secrets(),
        "DATABASE_URL": url,
        "VAR_DIR": str(directory / "var"),
        "EMAIL_URL": "memorymail://",
        "LOG_LEVEL": "INFO",
        "LOG_FORMAT": "json",
        "QUEUE_REDIS_URL": "",
        "QUEUE_WORKERS": "2",
        "SALESFORCE_LOGIN_URL": sandbox_url,
        "SALESFORCE_CLIENT_ID": CLIENT_ID,
        "SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
        **variables,
    }


def _start_sandbox(children: Children, directory: Path, latency_ms: float) -> SandboxControl:
    """Start the sandbox as a process of its own on a free port, and wait until it says where."""
    log = directory / "sandbox.log"
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--latency-ms", f"{latency_ms:g}"]
    child = children.start("sandbox", command, {"PYTHONPATH": str(ROOT)}, log)
    deadline = time.monotonic() + _STARTS_WITHIN
    while child.exit_status is None and time.monotonic() < deadline:
        words = log.read_text().split()
        if words and words[-1].startswith("http://"):
            return SandboxControl(words[-1])
        time.sleep(0.05)
    raise SetupError(f"The sandbox did not start:\n{log.read_text()}")
