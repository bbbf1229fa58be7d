"""The queue in Redis: at most once, so a killed worker's wake-up is gone without a trace. The row is not."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from django_q.brokers import get_broker

from sandbox.control import SandboxControl
from sync.completion import Completion, complete
from sync.enums import OutboxState, TaskKind
from sync.jobs import sweep
from sync.models import Connection, OutboxRow
from tests.real_worker import work_off
from tests.sync.rows import make_user

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def empty_queue() -> Iterator[None]:
    broker = get_broker()
    assert broker.info().startswith("Redis")
    broker.delete_queue()
    yield
    broker.delete_queue()


def complete_one() -> None:
    complete(Completion(user=make_user(), kind=TaskKind.CALL, subject="Call"))


def test_m1_a_completed_task_is_delivered(connection: Connection, sandbox: SandboxControl) -> None:
    complete_one()
    assert get_broker().queue_size() == 1
    assert [job["func"] for job in work_off()] == ["sync.jobs.deliver"]
    assert OutboxRow.objects.get().state == OutboxState.DONE
    assert len(sandbox.stats()["keys"]) == 1


def test_b1_a_lost_wake_up_is_made_good(connection: Connection, sandbox: SandboxControl) -> None:
    complete_one()
    # A worker takes the wake-up and is killed: Redis has forgotten it.
    assert get_broker().dequeue()
    assert get_broker().queue_size() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=True):
        sweep()
        work_off()
    assert OutboxRow.objects.get().state == OutboxState.DONE
    assert len(sandbox.stats()["keys"]) == 1
