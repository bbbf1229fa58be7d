"""A job that lasts shows that its worker lives: a slow CRM is no hang.

The hang that a supervisor must end is that of idle workers, which wait for a lock. A job that never ends is
django-q2's to end, by its time-out, and no sign of life is given for longer than that.
"""

import logging
import threading
import time
from typing import Any

from django.db import DatabaseError, connections
from django.dispatch import receiver
from django_q.conf import Conf
from django_q.signals import post_execute_in_worker, pre_execute

from sync.broker import BEAT_EVERY, supervised
from sync.models.job import Heartbeat

logger = logging.getLogger(__name__)

_ended: dict[str, threading.Event] = {}  # by the job's id; a worker has one at a time


@receiver(pre_execute, dispatch_uid="sync.long_jobs.begin")
def begin(task: dict[str, Any], **_kwargs: Any) -> None:
    """Show signs of life from a thread of its own until the job ends."""
    if supervised():
        ended = _ended[task["id"]] = threading.Event()
        threading.Thread(target=_beat_until, args=(ended,), daemon=True).start()


@receiver(post_execute_in_worker, dispatch_uid="sync.long_jobs.end")
def end(task: dict[str, Any], **_kwargs: Any) -> None:
    """The worker is idle again."""
    if ended := _ended.pop(task["id"], None):
        ended.set()


def _beat_until(ended: threading.Event) -> None:
    last_at = time.monotonic() + (Conf.TIMEOUT or 0)
    try:
        while not ended.wait(BEAT_EVERY) and time.monotonic() < last_at:
            try:
                Heartbeat.beat()
            except DatabaseError as error:
                logger.warning("A sign of life could not be written (%s).", type(error).__name__)
                connections.close_all()
    finally:
        connections.close_all()  # this thread's own
