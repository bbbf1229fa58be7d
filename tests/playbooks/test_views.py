"""What load balancers see."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone

from sync.enums import ConnectionState
from sync.models import Connection, Heartbeat, OutboxRow
from tests.sync.rows import complete, make_connection

NO_WORKER = "No worker has shown a sign of life yet. Is `manage.py workers` running?"


def away(*_args: Any, **_kwargs: Any) -> Any:
    raise OperationalError("server at 10.0.0.1 closed the connection")


@pytest.mark.django_db
def test_healthz_answers_whatever_the_database_does(client: Client) -> None:
    with connection.execute_wrapper(away):
        response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_readyz_is_ready(client: Client) -> None:
    Heartbeat.beat()
    response = client.get("/readyz")
    body = response.json()
    assert body.pop("heartbeat_age") < 60
    assert (response.status_code, body) == (
        200,
        {"status": "ready", "problems": [], "oldest_due_age": None, "connection": "none"},
    )


@pytest.mark.django_db
def test_readyz_without_workers(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()["problems"]) == (503, [NO_WORKER])


@pytest.mark.django_db
def test_readyz_without_a_database(client: Client) -> None:
    with connection.execute_wrapper(away):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["problems"] == [
        "The database doesn't answer (OperationalError). Does it run, and is DATABASE_URL right?"
    ]
    assert "10.0.0.1" not in response.content.decode()


@pytest.mark.django_db
def test_readyz_with_rows_that_nobody_sends_and_with_a_lost_connection(client: Client) -> None:
    Heartbeat.beat()
    complete(make_connection())
    OutboxRow.objects.update(not_before=timezone.now() - timedelta(hours=1))
    assert client.get("/readyz").status_code == 503
    Connection.objects.update(state=ConnectionState.DISCONNECTED, down_since=timezone.now())
    response = client.get("/readyz")
    assert (response.status_code, response.json()["connection"]) == (200, "disconnected")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_sent_to_https_and_change_nothing(client: Client, path: str) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert client.get(path).status_code in {200, 503}
        assert client.get("/manager/").status_code == 301
    assert client.post(path).status_code == 405
