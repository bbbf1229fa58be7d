"""For load balancers and monitoring: open to everyone, so they tell nothing about anyone."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sync.health import check


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """This process answers. It says nothing of the database: restarting the web server would not bring it back."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and the workers work, else 503 with the problems.

    A lost connection to the CRM is no reason to take the site away from the people who must mend it.
    """
    health = check(counts=False)
    body = {
        "status": "ready" if health.ready else "not ready",
        "problems": health.blocking,
        "heartbeat_age": health.heartbeat_age,
        "oldest_due_age": health.oldest_due_age,
        "connection": health.connection,
    }
    return JsonResponse(body, status=200 if health.ready else 503)
