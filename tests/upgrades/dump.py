"""Write a database as this version leaves it, with tasks on their way, for the upgrade tests of later versions.

    python -m tests.upgrades.dump DIRECTORY     (TEST_POSTGRES_URL, or PostgreSQL on 127.0.0.1:5432; needs pg_dump)

Run it when a version is finished, before the next one's first migration. Everything in it is made up.
"""

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
# Stands for the address of the sandbox, which is another in each run.
SANDBOX = "http://127.0.0.1:65535"
PASSWORD = "correct horse battery"


def fill() -> None:
    """Make an organisation whose tasks stand in every state. Runs in a process of its own, on an empty database."""
    import django  # noqa: PLC0415 - the settings come from the environment of this process

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from sandbox.server import start  # noqa: PLC0415
    from sync import delivery, outbox, troubles  # noqa: PLC0415
    from sync.completion import Completion, complete  # noqa: PLC0415
    from sync.connecting import connect  # noqa: PLC0415
    from sync.enums import FailureMode, OutboxState, TaskKind  # noqa: PLC0415
    from sync.errors import RowError  # noqa: PLC0415
    from sync.models import OutboxRow  # noqa: PLC0415
    from teams.models import Role, Team, User  # noqa: PLC0415

    call_command("setup", verbosity=0)
    team = Team.objects.create(name="North")
    User.objects.create_user("ada@example.com", PASSWORD, name="Ada Admin", role=Role.ADMIN)
    manager = User.objects.create_user("mia@example.com", PASSWORD, name="Mia Manager", role=Role.MANAGER)
    rep = User.objects.create_user("rosa@example.com", PASSWORD, name="Rosa Rep", team=team)
    team.managers.add(manager)
    with start() as running:
        django.conf.settings.SALESFORCE_LOGIN_URL = running.url
        connection = connect().connection

        def call(subject: str) -> OutboxRow:
            task = complete(Completion(user=rep, kind=TaskKind.CALL, subject=subject))
            return OutboxRow.objects.get(task=task)

        call("Synced")
        delivery.deliver(connection.pk)
        running.control.add_fault("row_error", statusCode="REQUIRED_FIELD_MISSING", message="Required: [Reason__c]")
        call("Refused, waits for an admin")
        delivery.deliver(connection.pk)
        running.control.clear_faults()
        failed = call("Given up")
        error = RowError(FailureMode.CONFIGURATION, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Calls need a result.")
        OutboxRow.objects.filter(pk=failed.pk).update(
            state=OutboxState.FAILED,
            settled_at=timezone.now(),
            failure_mode=error.mode,
            error_code=error.code,
            error_message=error.message,
            signature=troubles.signature(error),
            error_since=timezone.now(),
            error_at=timezone.now(),
        )
        left_behind = call("Left behind by a killed worker")
        batch = outbox.claim(connection, 1)
        assert [row.pk for row in batch.rows] == [left_behind.pk]
        outbox.start(connection, batch.token, batch.rows)
        OutboxRow.objects.filter(pk=left_behind.pk).update(not_before=timezone.now() - timedelta(hours=1))
        for number in range(3):
            call(f"Waits {number}")
        type(connection).objects.update(login_url=SANDBOX, instance_url=SANDBOX)


def dump_sqlite(path: Path) -> str:
    """Return the database's tables and rows as SQL."""
    with closing(sqlite3.connect(path)) as database:
        return "\n".join(database.iterdump()) + "\n"


def dump_postgres(url: str) -> str:
    """Return the same of a PostgreSQL database, without owners and without what only psql reads."""
    command = ["pg_dump", "--inserts", "--no-owner", "--no-privileges", "--dbname", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return re.sub(r"^\\.*\n", "", text, flags=re.MULTILINE)


def _filled(database_url: str, var: str, extra: Mapping[str, str]) -> None:
    environment = {**os.environ, **extra, "TEST_DATABASE_URL": database_url, "VAR_DIR": var}
    subprocess.run(
        [sys.executable, "-c", "from tests.upgrades.dump import fill; fill()"], check=True, cwd=ROOT, env=environment
    )


def main(directory: Path) -> None:
    """Write sqlite.sql and postgres.sql into `directory`."""
    import psycopg  # noqa: PLC0415 - not needed by fill

    directory.mkdir(parents=True, exist_ok=True)
    salesforce = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SALESFORCE_CLIENT_ID": "sandbox-client",
        "SALESFORCE_CLIENT_SECRET": "sandbox-secret",
    }
    with tempfile.TemporaryDirectory() as var:
        database = Path(var) / "filled.sqlite3"
        _filled(f"sqlite:///{database}", var, salesforce)
        (directory / "sqlite.sql").write_text(dump_sqlite(database))
        server = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
        filled = urlsplit(server)._replace(path="/playbooks_dump").geturl()
        with closing(psycopg.connect(server, autocommit=True)) as admin:
            admin.execute("DROP DATABASE IF EXISTS playbooks_dump WITH (FORCE)")
            admin.execute("CREATE DATABASE playbooks_dump")
            try:
                _filled(filled, var, salesforce)
                (directory / "postgres.sql").write_text(dump_postgres(filled))
            finally:
                admin.execute("DROP DATABASE playbooks_dump WITH (FORCE)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
