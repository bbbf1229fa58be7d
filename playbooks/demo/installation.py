"""An installation of its own in var/demo/, made anew for each run, with the environment that its processes share."""

import fcntl
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbooks.env_file import new_secrets, write_env_file

ROOT = Path(__file__).resolve().parent.parent.parent
DIRECTORY = ROOT / "var" / "demo"


class RunningAlreadyError(Exception):
    """Another demo uses the directory."""


@contextmanager
def fresh_directory(directory: Path = DIRECTORY) -> Iterator[Path]:
    """Empty the directory and keep it to ourselves. Raises RunningAlreadyError when another process has it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Beside the directory, which is removed while the lock is held.
    with directory.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunningAlreadyError(directory) from None
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir()
        yield directory


def free_ports(number: int) -> list[int]:
    """Return ports of the loopback interface that nobody listens at: as many different ones."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def documented_variables() -> list[str]:
    """Every variable that the application reads, by .env.example."""
    return re.findall(r"^(?:# )?([A-Z][A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def enter(directory: Path, web_port: int, crm_url: str, client_id: str, client_secret: str) -> None:
    """Write the installation's .env and put this process, and so its children, into that environment alone."""
    mail = directory / "mail"
    mail.mkdir()
    file = directory / ".env"
    write_env_file(
        file,
        {
            "ENVIRONMENT": "development",
            **new_secrets(),
            "SITE_URL": f"http://127.0.0.1:{web_port}",
            "DATABASE_URL": f"sqlite:///{directory / 'playbooks.sqlite3'}",
            "VAR_DIR": str(directory),
            "EMAIL_URL": f"filemail:///{mail}",
            "SALESFORCE_LOGIN_URL": crm_url,
            "SALESFORCE_CLIENT_ID": client_id,
            "SALESFORCE_CLIENT_SECRET": client_secret,
            # A receiver of webhooks is tried out on this machine.
            "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
        },
        "The demo's own, written anew by each run.",
    )
    # What the shell has set for another installation would win over the file.
    for name in documented_variables():
        os.environ.pop(name, None)
    os.environ["ENV_FILE"] = str(file)
    os.environ["DJANGO_SETTINGS_MODULE"] = "playbooks.settings"
