"""A database of a measurement's own: made before it, gone after it."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

KINDS = ("sqlite", "postgres")
DEFAULT_POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"


@contextmanager
def temporary_database(kind: str, directory: Path) -> Iterator[str]:
    """Give the DATABASE_URL of an empty database: a file, or one on TEST_POSTGRES_URL's server."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'playbooks.sqlite3'}"
        return
    server = os.environ.get("TEST_POSTGRES_URL") or DEFAULT_POSTGRES_URL
    name = f"playbooks_bench_{uuid.uuid4().hex[:12]}"
    _execute(server, "CREATE DATABASE {}", name)
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        # FORCE: a worker that was just killed may still have its connection.
        _execute(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(server: str, statement: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True, connect_timeout=10) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
