"""A large organisation's database for one measurement, and child processes that measure on it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.databases import temporary_database
from benchmarks.figures import Figure, as_json, as_table
from playbooks.env_file import new_secrets

ROOT = Path(__file__).resolve().parent.parent
_FILL = "import django; django.setup(); from benchmarks.bulk import Size, fill; fill(Size())"
# What a page may take at the median.
MILLISECONDS = 300


@contextmanager
def filled(kind: str, fill: str = _FILL) -> Iterator[dict[str, str]]:
    """Give the environment of an installation with 5,000 users and a million tasks; all gone afterwards.

    `fill` is the Python that fills it otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="playbooks-bench-") as name:
        directory = Path(name)
        with temporary_database(kind, directory) as url:
            environment = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "playbooks.settings",
                "ENV_FILE": "",
                "ENVIRONMENT": "development",
                **new_secrets(),
                "DATABASE_URL": url,
                "VAR_DIR": str(directory / "var"),
                "EMAIL_URL": "memorymail://",
                "LOG_LEVEL": "WARNING",
                "QUEUE_REDIS_URL": "",
            }
            (directory / "var").mkdir()
            print(f"{kind}: filling the database", flush=True)
            _run(environment, "manage.py", "setup", "--verbosity", "0")
            _run(environment, "-c", fill)
            yield environment


def child(environment: Mapping[str, str], module: str, argument: str) -> dict[str, Any]:
    """Return what a module prints as JSON. Raises CalledProcessError; what it says goes to this process's output."""
    print(f"{module} {argument}", flush=True)
    printed: dict[str, Any] = json.loads(_run(environment, "-m", module, argument))
    return printed


def report(what: str, figures: Sequence[Figure]) -> int:
    """Print the figures and write them to var/bench-<what>.json; return an exit status that says nothing of speed."""
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f} (what else runs here counts)")
    print("\n".join(as_table(figures)))
    file = ROOT / "var" / f"bench-{what}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(as_json(figures))
    print(f"Written to {file.relative_to(ROOT)}.")
    return 0


def _run(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout
