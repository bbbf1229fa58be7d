"""What a real django-q2 worker hands on of a job that failed."""

from multiprocessing import Value

from django.utils import timezone
from django_q.queues import Queue
from django_q.worker import worker

PRIVATE = "Ann wants a rebate"


def fail() -> None:
    raise ValueError(PRIVATE)


def succeed() -> str:
    return "as it is: password=x"


def results_of(*functions: str) -> list[str]:
    jobs, results = Queue(), Queue()
    for func in functions:
        jobs.put({"id": func, "name": func, "func": func, "args": (), "kwargs": {}, "started": timezone.now()})
    jobs.put("STOP")
    worker(jobs, results, Value("f", -1), timeout=30)
    answers = [results.get(timeout=10)["result"] for _ in functions]
    for queue in (jobs, results):
        queue.close()
        queue.join_thread()
    return answers


def test_a_failed_jobs_result_says_where_and_not_what(db: None) -> None:
    (result,) = results_of("tests.sync.test_job_results.fail")
    assert PRIVATE not in result
    assert result.splitlines()[-1] == "ValueError"
    assert "in fail" in result


def test_a_result_of_a_job_that_went_well_is_left_alone(db: None) -> None:
    assert results_of("tests.sync.test_job_results.succeed") == [succeed()]
