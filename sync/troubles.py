"""What an admin must mend: equal errors wait together, and one row at a time is tried again."""

import hashlib
import re
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from sync.enums import OutboxState
from sync.errors import RowError
from sync.models import Connection, OutboxRow, Trouble
from sync.outbox import FRESH_FOR
from sync.retry import PROBE_EVERY

# Ids and numbers differ from row to row where the cause is the same, and so does a value that the CRM quotes.
_PARTICULARS = re.compile(r"\b(?=\w*\d)\w{15,18}\b|\d+")
_QUOTED = re.compile(r"(data value too large|invalid email address): .*?(?=( \(max length=\d+\))?\Z)", re.DOTALL)


def signature(error: RowError) -> str:
    """Return what equal errors have in common, as 64 hexadecimal digits."""
    message = _PARTICULARS.sub("#", _QUOTED.sub(r"\1", error.message))
    common = "\0".join([error.mode, error.code, message, *sorted(error.fields)])
    return hashlib.sha256(common.encode()).hexdigest()


def find(connection: Connection, error: RowError, now: datetime) -> Trouble:
    """Return the open trouble that this error belongs to, opened at its first appearance."""
    trouble, _created = Trouble.objects.get_or_create(
        connection=connection,
        signature=signature(error),
        ended_at=None,
        defaults={
            "failure_mode": error.mode,
            "error_code": error.code[:100],
            "error_message": error.message,
            "first_at": now,
            "next_probe_at": now + PROBE_EVERY,
        },
    )
    return trouble


def end(trouble_pks: set[int], now: datetime) -> int:
    """Close troubles of which one row has passed, and make the others due; return how many."""
    Trouble.objects.filter(pk__in=trouble_pks, ended_at=None).update(ended_at=now)
    return _free(trouble_pks, now)


def _free(trouble_pks: Collection[int], now: datetime) -> int:
    """Make due what waits for these troubles: as backlog, which doesn't keep the tasks that are completed now."""
    waiting = OutboxRow.objects.filter(trouble__in=trouble_pks, state=OutboxState.PENDING)
    return waiting.update(trouble=None, not_before=now - FRESH_FOR)


def _free_latecomers(now: datetime) -> set[int]:
    """Free what was settled by one worker while another ended its trouble; return the connections of such rows."""
    ended = Trouble.objects.filter(ended_at__gt=now - PROBE_EVERY).values_list("pk", "connection_id")
    return {connection for pk, connection in ended if _free([pk], now)}


def probe(now: datetime) -> set[int]:
    """Make one row of each trouble whose hour is over due; return the connections that have something to send.

    A trouble for which nothing waits any more is closed.
    """
    woken = _free_latecomers(now)
    waiting = OutboxRow.objects.unsettled().filter(trouble=OuterRef("pk"))
    Trouble.objects.filter(~Exists(waiting), ended_at=None).update(ended_at=now)
    for trouble in Trouble.objects.filter(ended_at=None, next_probe_at__lte=now):
        with transaction.atomic():
            mine = Trouble.objects.filter(pk=trouble.pk, next_probe_at=trouble.next_probe_at)
            if not mine.update(next_probe_at=now + PROBE_EVERY):
                continue
            first = trouble.rows.filter(state=OutboxState.PENDING).order_by("pk").first()
            if first and OutboxRow.objects.filter(pk=first.pk, state=OutboxState.PENDING).update(not_before=now):
                woken.add(trouble.connection_id)
    return woken


def probe_at_once(connection: Connection) -> None:
    """The CRM's set-up has changed: don't wait for the hour."""
    now = timezone.now()
    Trouble.objects.filter(connection=connection, ended_at=None).update(next_probe_at=now)
