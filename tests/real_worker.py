"""django-q2's own dequeue, worker and monitor, run to the end of the queue in this process."""

from multiprocessing import Event, Value
from queue import Queue
from typing import Any

from django_q.brokers import Broker, get_broker
from django_q.monitor import monitor
from django_q.pusher import pusher
from django_q.worker import worker

MOST_ROUNDS = 100


def work_off() -> list[dict[str, Any]]:
    """Run every job that waits, and those that they make; return them as the monitor saw them, in order.

    A job that fails, and a queue that never gets empty, fail the test.
    """
    finished: list[dict[str, Any]] = []
    broker = get_broker()
    for _round in range(MOST_ROUNDS):
        if not broker.queue_size():
            break
        finished += _one_round(broker)
    assert broker.queue_size() == 0
    failed = [job["result"] for job in finished if not job["success"]]
    assert failed == []
    return finished


def _one_round(broker: Broker) -> list[dict[str, Any]]:
    jobs: Queue[Any] = Queue()
    results: Queue[Any] = Queue()
    stop = Event()
    stop.set()  # the pusher ends after one look at the queue
    pusher(jobs, stop, broker)
    jobs.put("STOP")
    worker(jobs, results, Value("f", -1))
    results.put("STOP")
    done = [job for job in list(results.queue) if job != "STOP"]
    monitor(results, broker)
    return done
