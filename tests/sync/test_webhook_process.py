"""The real processes: `manage.py workers` tells senders, and whatever is killed, nothing is lost or left behind."""

import os
import signal
from collections.abc import Callable
from functools import partial

import pytest

from tests.sync.real_cluster import Installation, alive, wait_for
from tests.sync.receivers import Receiver, listening, raw, say_nothing

pytestmark = pytest.mark.slow

WITHIN = 60.0

# Senders, each with one task that has come to its end.
HAND_IN = """
from django.utils import timezone
from sync import webhook_events
from sync.enums import OutboxState
from sync.models import OutboxRow
from tests.sync.receivers import hand_in, make_sender
from tests.sync.rows import complete, make_connection
from sync.models import Connection
connection = Connection.objects.first() or make_connection()
for name, url in {senders}:
    sender = make_sender(name, url)
    tasks = complete(connection, 5)
    OutboxRow.objects.update(state=OutboxState.DONE, settled_at=timezone.now())
    hand_in(sender, tasks)
    webhook_events.note(webhook_events.hearers_of([task.pk for task in tasks]), timezone.now())
"""


@pytest.fixture
def loopback(site: Installation) -> Installation:
    site.variables["WEBHOOK_PRIVATE_NETWORKS"] = "127.0.0.0/8"
    return site


def hand_in(site: Installation, *senders: tuple[str, str]) -> None:
    site.manage("shell", "-v", "0", "-c", HAND_IN.format(senders=senders))


def waiting(site: Installation, name: str) -> int:
    sql = (
        "SELECT COUNT(*) FROM sync_webhookdelivery d JOIN sync_sender s ON s.id = d.sender_id "
        "WHERE s.name = ? AND d.state = 'waiting'"
    )
    return int(site.query(sql, name)[0][0])


def heard(receiver: Receiver, count: int) -> bool:
    return len({got.headers["webhook-id"] for got in receiver.got}) == count


def webhook_process(site: Installation, but: int = 0) -> int | None:
    """The number of the Python process that runs `manage.py webhooks`."""
    for pid in site.processes():
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            words = file.read().split(b"\0")
        if b"webhooks" in words and not any(b"lifeline" in word for word in words) and pid != but:
            return pid
    return None


def is_held(site: Installation, name: str) -> bool:
    sql = (
        "SELECT lease_token FROM sync_webhookreceiver r JOIN sync_sender s ON s.id = r.sender_id "
        "WHERE s.name = ? AND lease_token IS NOT NULL"
    )
    return bool(site.query(sql, name))


def test_b8_webhook_receivers_of_real_processes(loopback: Installation, unused_port: int) -> None:
    """A slow and a dead one beside a good one; then the process is killed in the middle, and the supervisor at last."""
    with listening() as receiver, raw(say_nothing) as slow:
        hand_in(
            loopback, ("A slow one", slow), ("A dead one", f"http://127.0.0.1:{unused_port}/"), ("Good", receiver.url)
        )
        workers = loopback.start("workers", "--grace=5")
        wait_for("the good one hears", partial(heard, receiver, 5), WITHIN)
        assert all(got.is_signed for got in receiver.got)
        killed = wait_for("the process", partial(webhook_process, loopback), WITHIN) or 0
        wait_for("the slow one holds it up", partial(is_held, loopback, "A slow one"), WITHIN)
        os.kill(killed, signal.SIGKILL)
        wait_for("another process", partial(webhook_process, loopback, killed), WITHIN)
        hand_in(loopback, ("Good too", receiver.url))
        wait_for("it hears, too", partial(heard, receiver, 10), WITHIN)
        # What the killed one had in its hands is told when its lease has lapsed.
        assert waiting(loopback, "A slow one") == 5
        loopback.query("UPDATE sync_sender SET webhook_url = ? WHERE name = 'A slow one'", receiver.url)
        loopback.query("UPDATE sync_webhookreceiver SET lease_until = '2020-01-01'")
        wait_for("the slow one, mended, hears", partial(heard, receiver, 15), WITHIN)
        os.kill(workers.pid, signal.SIGKILL)
        gone: Callable[[], bool] = lambda: not any(map(alive, loopback.processes()))  # noqa: E731
        wait_for("everything to end with its supervisor", gone, WITHIN)
    assert waiting(loopback, "A dead one") == 5
