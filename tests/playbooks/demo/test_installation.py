"""The demo has an installation of its own, whatever the shell has set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from playbooks.demo.installation import (
    ROOT,
    RunningAlreadyError,
    documented_variables,
    free_ports,
    fresh_directory,
)

ENTER = """
import os, sys
from pathlib import Path
from playbooks.demo.installation import enter
enter(Path(sys.argv[1]), 8123, "http://127.0.0.1:9", "id", "secret")
from playbooks import settings
print(settings.DATABASES["default"]["NAME"], settings.SALESFORCE_LOGIN_URL, settings.QUEUE_REDIS_URL, settings.SITE_URL)
print(settings.EMAIL_FILE_PATH, *settings.WEBHOOK_PRIVATE_NETWORKS)
"""


def test_the_directory_is_emptied_and_belongs_to_one_demo_at_a_time(tmp_path: Path) -> None:
    directory = tmp_path / "var" / "demo"
    directory.mkdir(parents=True)
    (directory / "old").touch()
    with fresh_directory(directory) as mine:
        assert list(mine.iterdir()) == []
        (mine / "new").touch()
        with pytest.raises(RunningAlreadyError), fresh_directory(directory):
            pass
        assert (mine / "new").exists()
    with fresh_directory(directory) as mine:
        assert list(mine.iterdir()) == []


def test_ports_are_different_and_free() -> None:
    assert len(set(free_ports(3))) == 3


def test_the_shells_settings_for_another_installation_are_left_out(tmp_path: Path) -> None:
    variables = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgres://user@127.0.0.1:1/production",
        "QUEUE_REDIS_URL": "redis://127.0.0.1:1/0",
        "ENVIRONMENT": "production",
    }
    done = subprocess.run(
        [sys.executable, "-c", ENTER, str(tmp_path)],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    database, mail = f"{tmp_path}/playbooks.sqlite3", f"{tmp_path}/mail"
    assert done.stdout == f"{database} http://127.0.0.1:9  http://127.0.0.1:8123\n{mail} 127.0.0.0/8\n"
    assert {"DATABASE_URL", "QUEUE_REDIS_URL", "ENV_FILE"} < set(documented_variables())
