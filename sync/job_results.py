"""What django-q2 keeps of a job that failed: it stores the exception's text, which may hold contents."""

from typing import Any

from django.dispatch import receiver
from django_q.signals import post_execute_in_worker

from sync.redaction import redact


@receiver(post_execute_in_worker, dispatch_uid="sync.job_results")
def keep_where_and_not_what(task: dict[str, Any], **_kwargs: Any) -> None:
    """Reduce a failure to its traceback without messages, before the worker hands it on to be stored and logged."""
    if not task["success"]:
        task["result"] = redact(str(task["result"]))
