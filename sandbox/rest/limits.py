"""What the org has left of its daily allowance."""

from sandbox.org import Org
from sandbox.rest.call import Call, Response


def used(org: Org) -> int:
    """API calls of the last 24 hours: this sandbox's own and those of others."""
    return org.limits.daily_used + org.log.api_calls


def usage_header(org: Org) -> str:
    return f"api-usage={used(org)}/{org.limits.daily_max}"


def serve(call: Call) -> Response:
    """`GET /limits`."""
    call.allow("GET")
    org = call.org
    most = org.limits.daily_max
    return Response(
        200,
        {
            "DailyApiRequests": {"Max": most, "Remaining": max(0, most - used(org))},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DataStorageMB": {"Max": 1024, "Remaining": 1024},
            "FileStorageMB": {"Max": 1024, "Remaining": 1024},
        },
    )
