"""The process that tells senders: one thread with the database, and as many with the network as receivers are told.

A receiver that doesn't answer holds its own threads and nobody else's; tasks on their way to the CRM are other
processes' work. What the threads bring back is settled here, one after the other.
"""

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from sync import webhooks
from sync.enums import WebhookError
from sync.models import Heartbeat
from sync.webhook_http import Reply
from sync.webhook_settling import Claim, Outcome, settle

logger = logging.getLogger(__name__)

HEARTBEAT = "webhooks"
POLL = 0.5  # seconds between two looks for what is due
BEAT_EVERY = 5.0
DATABASE_REST = 2.0
# On SIGTERM what is under way may come to its end: one POST takes ten seconds at most.
GRACE = 12.0


class Dispatcher:
    """Tells what is due until it is asked to stop."""

    def __init__(self) -> None:
        self._brought: queue.SimpleQueue[tuple[Claim, list[Outcome]]] = queue.SimpleQueue()
        self._unsettled: list[tuple[Claim, list[Outcome]]] = []
        self._under_way = 0
        self._stopping = threading.Event()
        self._beat_at = 0.0
        self._database_answers = True

    def run(self) -> None:
        """Blocks until `stop`, or a signal that `obey_signals` listens for."""
        while not self._stopping.is_set():
            self.turn()
        end = time.monotonic() + GRACE
        while self._under_way and time.monotonic() < end:
            self._wait()
            self._guarded(self._settle)
        self._guarded(partial(Heartbeat.end, HEARTBEAT))

    def stop(self) -> None:
        self._stopping.set()

    def obey_signals(self) -> None:
        """Let SIGTERM and Ctrl-C stop it."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)

    def turn(self) -> None:
        """Send off what is due, wait a moment for what comes back, and settle it."""
        self._guarded(self._send_off)
        self._wait()
        self._guarded(self._settle)

    def _guarded(self, work: Callable[[], None]) -> None:
        """A database that is away ends nothing: leases lapse, and what was told is told again at worst."""
        try:
            close_old_connections()
            work()
            if not self._database_answers:
                logger.info("The database answers again.")
                self._database_answers = True
        except DatabaseError as error:
            if self._database_answers:
                logger.error("The database doesn't answer (%s). Webhooks wait.", type(error).__name__)
            self._database_answers = False
            connections.close_all()
            self._stopping.wait(DATABASE_REST)

    def _send_off(self) -> None:
        if time.monotonic() >= self._beat_at:
            Heartbeat.beat(HEARTBEAT)
            self._beat_at = time.monotonic() + BEAT_EVERY
        for claim in webhooks.claim_due(timezone.now()):
            self._under_way += 1
            threading.Thread(target=self._carry, args=(claim,), name="webhook", daemon=True).start()

    def _carry(self, claim: Claim) -> None:
        try:
            outcomes = webhooks.carry(claim)
        except Exception:
            logger.exception("A webhook could not be sent.")
            outcomes = [Outcome(claim.parcels[0], Reply(error=WebhookError.BROKEN))]
        self._brought.put((claim, outcomes))

    def _wait(self) -> None:
        """Take what was brought, and wait for it if there is nothing yet."""
        try:
            self._unsettled.append(self._brought.get(timeout=POLL))
            while True:
                self._unsettled.append(self._brought.get_nowait())
        except queue.Empty:
            pass

    def _settle(self) -> None:
        while self._unsettled:
            settle(*self._unsettled[0])
            claim, outcomes = self._unsettled.pop(0)
            self._under_way -= 1
            _log(claim, outcomes)


def _log(claim: Claim, outcomes: list[Outcome]) -> None:
    """Ids and codes, never an address's path: it may hold a token."""
    taken = [each for each in outcomes if each.reply.error is None]
    if taken:
        logger.info("webhook taken", extra={"row": claim.receiver, "count": len(taken)})
    for each in outcomes:
        if each.reply.error is not None:
            logger.warning(
                "webhook not taken",
                extra={
                    "row": claim.receiver,
                    "error_code": each.reply.error.value,
                    "http_status": each.reply.status,
                    "duration_ms": each.reply.ms,
                },
            )
