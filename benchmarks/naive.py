"""What a user would do without this project: one queued job per completed task, and in it one create.

The job runs again after a failure. Its Task carries the key in CallObject, so that duplicates can be counted.
"""

from functools import cache
from typing import Any

import requests
from django.conf import settings
from django_q.tasks import async_task
from simple_salesforce.api import Salesforce

from sync.crm.transport import new_session

KEY_FIELD = "CallObject"


def enqueue(key: str, subject: str) -> None:
    """Queue one create; inside the transaction that completes the task, so that it is never forgotten."""
    async_task("benchmarks.naive.create", key, subject, save=False, ack_failure=False)


def create(key: str, subject: str) -> None:
    """The job."""
    try:
        _salesforce().Task.create({"Subject": subject, "Status": "Completed", KEY_FIELD: key})
    except Exception:
        _salesforce.cache_clear()
        raise


@cache
def _salesforce() -> Any:
    """One client a process, logged in with client credentials."""
    url: str = settings.SALESFORCE_LOGIN_URL
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.SALESFORCE_CLIENT_ID,
        "client_secret": settings.SALESFORCE_CLIENT_SECRET,
    }
    answer = requests.post(f"{url}/services/oauth2/token", data=form, timeout=settings.SYNC_HTTP_TIMEOUT)
    answer.raise_for_status()
    session = new_session(url, settings.SYNC_HTTP_TIMEOUT)
    return Salesforce(
        instance_url=url,
        session_id=answer.json()["access_token"],
        session=session,
        version=settings.SALESFORCE_API_VERSION,
    )
