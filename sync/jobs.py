"""django-q2's entry points. A wake-up carries no data but ids."""

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from django_q.models import Failure
from django_q.tasks import async_task

from sync import (
    connecting,
    consent,
    crm_users,
    delivery,
    error_cards,
    error_watch,
    export_slices,
    exports,
    import_slices,
    outbox,
    refresh,
    task_imports,
    troubles,
    unmatched_users,
    webhook_events,
)
from sync.enums import ConnectionState
from sync.errors import CrmError
from sync.models import Connection, Heartbeat, JobLease, Record
from teams import notice_emails, notices
from teams.models import User

logger = logging.getLogger(__name__)

KEEP_FAILURES = timedelta(days=30)


def deliver(connection_pk: int) -> None:
    """Send what is due."""
    Heartbeat.beat()
    delivery.deliver(connection_pk)


def fetch_record(record_pk: int) -> None:
    """Fetch a record of which only the id is known: somebody looks at it. Its first task asks again if need be."""
    Heartbeat.beat()
    record = Record.objects.select_related("connection").get(pk=record_pk)
    connection = record.connection
    if record.fetched_at is not None or not connection.may_send(timezone.now()):
        return
    try:
        refresh.fetch(connection, connecting.gateway(connection), [record])
    except CrmError as error:
        connecting.note_loss(connection, error)
        logger.warning("record not fetched", extra={"error_code": error.code})


def prepare_results(export_pk: int, token: uuid.UUID) -> None:
    """Write a second's worth of a file of Task Sync Results."""
    Heartbeat.beat()
    export_slices.prepare(export_pk, token)


def import_tasks(import_pk: int, token: uuid.UUID) -> None:
    """Check or import a few seconds' worth of a file of tasks."""
    Heartbeat.beat()
    import_slices.run(import_pk, token)


def beat() -> None:
    """Show that jobs run."""
    Heartbeat.beat()


def sweep() -> None:
    """Find what no wake-up told of: lost ones, retries that are due, leases that lapsed, hourly tries."""
    Heartbeat.beat()
    now = timezone.now()
    troubles.probe(now)
    for connection in outbox.connections_with_due_rows(now):
        outbox.ring(connection)
    exports.ring_lapsed()
    task_imports.ring_lapsed()


def reconnect() -> None:
    """Try whether lost connections are back; not those that a person disconnected."""
    with _alone("reconnect") as mine:
        lost = Connection.objects.lost() if mine else []
        for connection in lost:
            if connecting.reconnect(connection):
                outbox.ring(connection)


def discard_unaccepted() -> None:
    """Forget log-ins in the browser that nobody accepted in time, here and at the CRM."""
    with _alone("discard_unaccepted") as mine:
        if mine:
            consent.discard_lapsed()


def read_schemas() -> None:
    """Read again which fields the orgs have; where they have changed, what waited for that is tried at once."""
    with _alone("read_schemas") as mine:
        for connection in Connection.objects.filter(state=ConnectionState.CONNECTED) if mine else []:
            try:
                changed = connecting.read_schema(connection, connecting.gateway(connection))
            except CrmError as error:
                logger.warning("fields not read", extra={"error_code": error.code})
                continue
            if changed:
                troubles.probe_at_once(connection)


def retry_errors(user_pk: int, signature: str, asked_at: str, after: int = 0) -> None:
    """Make the tasks of one error card due that this user may see; what takes too long goes on in another job."""
    Heartbeat.beat()
    user = User.objects.active().filter(pk=user_pk).first()
    if user is None or not user.has_perm("sync.change_task"):
        return
    end = time.monotonic() + settings.SYNC_JOB_TIMEOUT / 4
    if after := error_cards.retry_all(user, signature, datetime.fromisoformat(asked_at), after=after, end=end):
        async_task("sync.jobs.retry_errors", user_pk, signature, asked_at, after, save=False)


def watch_errors() -> None:
    """Tell those responsible of errors that are new or growing."""
    with _alone("watch_errors") as mine:
        if mine:
            error_watch.watch(timezone.now())


def send_notices() -> None:
    """Send the notices' e-mails that a mail server didn't take at once."""
    with _alone("send_notices") as mine:
        if mine:
            notice_emails.send()


def tidy() -> None:
    """Forget ended sessions, old notices, webhook deliveries and failures, and ask for what slipped through.

    A task that was completed while the first connection was being made may have no outbox row.
    """
    connection = Connection.objects.of_organisation().first()
    if connection:
        outbox.enqueue_missing(connection)
    call_command("clearsessions")
    notices.forget(timezone.now())
    exports.tidy()
    task_imports.tidy()
    webhook_events.tidy(timezone.now())
    Failure.objects.filter(stopped__lt=timezone.now() - KEEP_FAILURES).delete()


def match_crm_users() -> None:
    """Look up the CRM users of those who have none, by e-mail; a CRM that can't be asked today is asked tomorrow."""
    with _alone("match_crm_users") as mine:
        if not mine or crm_users.why_not_now(timezone.now()):
            return
        try:
            report = crm_users.match(User.objects.all())
        except CrmError as error:
            logger.warning("CRM users not looked up", extra={"error_code": error.code})
        else:
            logger.info("CRM users looked up", extra={"count": report.looked_up})
            unmatched_users.tell()


@contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Say whether this run is the only one: a schedule doesn't look whether its last run still runs."""
    token = JobLease.take(name, settings.SYNC_JOB_TIMEOUT)
    try:
        yield token is not None
    finally:
        if token is not None:
            JobLease.give_back(name, token)
