"""Django system checks: settings that would lose, double or delay tasks stop the start."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

SQLITE = "django.db.backends.sqlite3"


def needed_retry(workers: int, queue_limit: int, bulk: int, timeout: float) -> float:
    """Return the seconds after which the broker may hand a job out again.

    A job waits in the cluster behind those that were taken before it, each of which may last the whole time-out; one
    that is handed out earlier runs twice. (Measured with django-q2 1.11.)
    """
    return ((queue_limit + bulk) / workers + 1) * timeout


@register(Tags.compatibility)
def check_time_limits(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """HTTP time-out < lease < job time-out < broker retry: each must see the one before it end."""
    cluster = settings.Q_CLUSTER
    job = cluster.get("timeout") or 0
    workers = cluster.get("workers") or os.cpu_count() or 1
    errors: list[CheckMessage] = []
    if settings.SYNC_LEASE <= settings.SYNC_HTTP_TIMEOUT:
        errors.append(
            _error(
                1,
                f"SYNC_HTTP_TIMEOUT ({settings.SYNC_HTTP_TIMEOUT}) is not below SYNC_LEASE ({settings.SYNC_LEASE}).",
                "Another worker would take a batch whose call still runs. Raise SYNC_LEASE.",
            )
        )
    if job <= settings.SYNC_LEASE:
        errors.append(
            _error(
                2,
                f"SYNC_LEASE ({settings.SYNC_LEASE}) is not below the jobs' time-out, SYNC_JOB_TIMEOUT ({job}).",
                "A job would be killed while its batch is still its own. Raise SYNC_JOB_TIMEOUT.",
            )
        )
    least = needed_retry(workers, cluster.get("queue_limit", workers**2), cluster.get("bulk", 1), job)
    if cluster.get("retry", 60) <= least:
        errors.append(
            _error(
                3,
                f"Q_CLUSTER['retry'] ({cluster.get('retry', 60)}) is not above {least:g} seconds.",
                "A job that still waits or runs would be handed out again. Raise retry above "
                "((queue_limit + bulk) / workers + 1) * timeout.",
            )
        )
    return errors


@register(Tags.compatibility)
def check_queue(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """The outbox alone retries: django-q2 runs each job once, and never what it missed."""
    wanted = {
        "max_attempts": (1, "The outbox owns the retries."),
        "ack_failures": (True, "A job that failed would be handed out again for ever."),
        "catch_up": (False, "An outage of a day would be followed by hundreds of back-runs."),
    }
    defaults = {"max_attempts": 0, "ack_failures": False, "catch_up": True}
    return [
        _error(4, f"Q_CLUSTER[{name!r}] must be {value!r}.", why)
        for name, (value, why) in wanted.items()
        if settings.Q_CLUSTER.get(name, defaults[name]) != value
    ]


@register(Tags.compatibility)
def check_supervision(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Without our brokers a cluster shows no sign of life, and its supervisor would kill it again and again."""
    if str(settings.Q_CLUSTER.get("broker_class", "")).startswith("sync.broker."):
        return []
    return [
        _error(
            5,
            "Q_CLUSTER['broker_class'] is none of sync.broker.",
            "Set it to sync.broker.OrmBroker or sync.broker.RedisBroker.",
        )
    ]


@register(Tags.compatibility)
def check_database_settings(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """SQLite has one writer; and a connection that isn't kept is made anew for each look into the queue."""
    database = settings.DATABASES["default"]
    errors: list[CheckMessage] = []
    if database["ENGINE"] == SQLITE and settings.Q_CLUSTER.get("workers") != 1:
        errors.append(
            _error(6, "SQLite needs Q_CLUSTER['workers'] = 1.", "More would wait for one another. Or use PostgreSQL.")
        )
    age = database.get("CONN_MAX_AGE", 0)
    if age is not None and age <= 0:
        errors.append(
            _error(7, "CONN_MAX_AGE of the database is 0.", "django-q2 would connect anew for each job. Set 600.")
        )
    return errors


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"sync.E{number:03}")
