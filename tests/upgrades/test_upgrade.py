"""A database as an earlier version left it, with tasks on their way, is migrated and goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from tests.sync.real_cluster import Installation, ended, wait_for
from tests.upgrades.dump import SANDBOX

if TYPE_CHECKING:
    from sandbox.control import SandboxControl

DUMPS = sorted(path for path in Path(__file__).parent.glob("from_*") if path.is_dir())
REFUSED = "Refused, waits for an admin"
AT_ONCE = ["Left behind by a killed worker", "Waits 0", "Waits 1", "Waits 2"]
STATES = "SELECT t.subject, r.state FROM sync_outboxrow r JOIN sync_task t ON t.id = r.task_id"
SIGNATURES = "SELECT t.subject, r.signature FROM sync_outboxrow r JOIN sync_task t ON t.id = r.task_id"

Run = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(params=DUMPS, ids=lambda path: path.name)
def dump(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def check_upgrade(site: Installation, sandbox: "SandboxControl", run: Run) -> None:
    """Migrate, start workers, and see that each task goes on from where it stood."""
    make_as_of_today(run)
    site.manage("setup")
    with ended(site):
        site.start("workers")

        def sent() -> bool:
            found: dict[str, str] = dict(run(STATES))
            return all(found[subject] == "done" for subject in AT_ONCE)

        wait_for("the waiting tasks", sent, 60)
    states: dict[str, str] = dict(run(STATES))
    assert states == {**dict.fromkeys([*AT_ONCE, "Synced"], "done"), "Given up": "failed", REFUSED: "pending"}
    assert sorted(row["Subject"] for row in sandbox.rows("Task")) == AT_ONCE
    assert run("SELECT count(*) FROM sync_trouble WHERE ended_at IS NULL") == [(1,)]
    # What waits and what was given up stand on the cards of errors.
    signatures: dict[str, str] = dict(run(SIGNATURES))
    assert run("SELECT signature FROM sync_trouble WHERE ended_at IS NULL") == [(signatures[REFUSED],)]
    assert {subject for subject, signature in signatures.items() if signature} == {REFUSED, "Given up"}


def make_as_of_today(run: Run) -> None:
    """The dump's clock stands: by now its 30 days may be over, and the hour of what waits for an admin."""
    now = datetime.now(UTC)
    later = now + timedelta(hours=1)
    run(f"UPDATE sync_outboxrow SET first_attempt_at = '{now:%F %T}' WHERE first_attempt_at IS NOT NULL")
    run(f"UPDATE sync_outboxrow SET not_before = '{later:%F %T}' WHERE trouble_id IS NOT NULL")
    run(f"UPDATE sync_trouble SET next_probe_at = '{later:%F %T}'")


def variables(sandbox: "SandboxControl") -> dict[str, str]:
    return {
        "SALESFORCE_LOGIN_URL": sandbox.url,
        "SALESFORCE_CLIENT_ID": "sandbox-client",
        "SALESFORCE_CLIENT_SECRET": "sandbox-secret",
    }


@pytest.mark.slow
def test_upgrade_of_a_sqlite_database_with_tasks_on_their_way(
    dump: Path, tmp_path: Path, sandbox: "SandboxControl"
) -> None:
    site = Installation(tmp_path, variables(sandbox))
    with closing(sqlite3.connect(site.database)) as database:
        database.executescript((dump / "sqlite.sql").read_text().replace(SANDBOX, sandbox.url))

    def run(sql: str) -> list[tuple[Any, ...]]:
        return site.query(sql)

    check_upgrade(site, sandbox, run)


@pytest.fixture
def empty_postgres(db: None) -> Iterator[str]:
    """A database of its own on the test server."""
    given = connection.settings_dict
    name = f"{given['NAME']}_upgrade"
    credentials = f"{given['USER']}:{given['PASSWORD']}" if given["PASSWORD"] else given["USER"]
    server = f"postgres://{credentials}@{given['HOST'] or '127.0.0.1'}:{given['PORT'] or 5432}/postgres"
    with closing(psycopg.connect(server, autocommit=True)) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        admin.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.postgres
def test_upgrade_of_a_postgres_database_with_tasks_on_their_way(
    dump: Path, tmp_path: Path, sandbox: "SandboxControl", empty_postgres: str
) -> None:
    site = Installation(tmp_path, {**variables(sandbox), "DATABASE_URL": empty_postgres})
    with closing(psycopg.connect(empty_postgres)) as database:
        database.execute((dump / "postgres.sql").read_text().replace(SANDBOX, sandbox.url))
        database.commit()

    def run(sql: str) -> list[tuple[Any, ...]]:
        with closing(psycopg.connect(empty_postgres, autocommit=True)) as database:
            cursor = database.execute(sql)
            return cursor.fetchall() if cursor.description else []

    check_upgrade(site, sandbox, run)
