"""Each rule is broken once."""

from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

from sync.checks import needed_retry

POSTGRES = "django.db.backends.postgresql"


def found(**changes: Any) -> list[str | None]:
    with override_settings(**changes):
        return [message.id for message in run_checks() if (message.id or "").startswith("sync.")]


def queue(**changes: Any) -> dict[str, Any]:
    return {**settings.Q_CLUSTER, **changes}


def test_the_projects_own_settings_pass() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("workers", "queue_limit", "bulk", "seconds"), [(1, 1, 1, 900), (2, 2, 1, 750), (4, 16, 1, 1575)]
)
def test_needed_retry(workers: int, queue_limit: int, bulk: int, seconds: float) -> None:
    assert needed_retry(workers, queue_limit, bulk, 300) == seconds


def test_http_timeout_must_be_below_the_lease() -> None:
    assert found(SYNC_HTTP_TIMEOUT=120, SYNC_LEASE=120) == ["sync.E001"]


def test_lease_must_be_below_the_job_timeout() -> None:
    assert found(SYNC_LEASE=300) == ["sync.E002"]


def test_retry_must_exceed_the_formula_and_not_just_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    least = needed_retry(2, 4, 1, settings.SYNC_JOB_TIMEOUT)
    assert least > settings.SYNC_JOB_TIMEOUT
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", POSTGRES)
    assert found(Q_CLUSTER=queue(workers=2, queue_limit=4, retry=least)) == ["sync.E003"]
    assert found(Q_CLUSTER=queue(workers=2, queue_limit=4, retry=least + 1)) == []


def test_retry_must_exceed_the_formula_with_django_q2s_own_queue_limit() -> None:
    changed = queue()
    del changed["queue_limit"]
    assert found(Q_CLUSTER=changed | {"workers": 1, "retry": 901}) == []
    assert found(Q_CLUSTER=changed | {"workers": 1, "retry": 900}) == ["sync.E003"]


@pytest.mark.parametrize("name", ["max_attempts", "ack_failures", "catch_up"])
def test_the_outbox_alone_retries(name: str) -> None:
    changed = queue()
    del changed[name]
    assert found(Q_CLUSTER=changed) == ["sync.E004"]


def test_the_broker_must_show_signs_of_life() -> None:
    changed = queue()
    del changed["broker_class"]
    assert found(Q_CLUSTER=changed) == ["sync.E005"]


def test_sqlite_has_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    database = settings.DATABASES["default"]
    monkeypatch.setitem(database, "ENGINE", "django.db.backends.sqlite3")
    assert found(Q_CLUSTER=queue(workers=2)) == ["sync.E006"]
    assert found(Q_CLUSTER=queue(workers=1, queue_limit=1)) == []
    monkeypatch.setitem(database, "ENGINE", POSTGRES)
    assert found(Q_CLUSTER=queue(workers=2)) == []


def test_database_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", 0)
    assert found() == ["sync.E007"]
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", None)
    assert found() == []
