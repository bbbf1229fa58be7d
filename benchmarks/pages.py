"""How long pages take, in this process: `python -m benchmarks.pages ours|plain`, on the database of the environment.

Prints one JSON object: milliseconds (median) by the page's name. From request to rendered answer, without a network.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from django.test import Client

REPEATS = 11
LOG = "/manager/settings/crm/task-sync/"
PLAIN_LOG = "/manager/sync/outboxrow/"
# As benchmarks/bulk.py makes them: a task, a record and a user somewhere in the middle.
TASK_ID, RECORD_ID, USER_ID = "00T000000500003EAA", "003000000007777AAA", "005000000002500AAA"


@dataclass(frozen=True, slots=True)
class Case:
    """One page, as `who` sees it; `plain` is the baseline's address, where it has one."""

    name: str
    ours: str
    plain: str = ""
    who: str = "admin"


def cases(middle: str, team: str) -> list[Case]:
    """Return the pages; `middle` is a day (ISO) amid those of the log, `team` a team's UUID."""
    users, teams, tasks = "/manager/teams/user/", "/manager/teams/team/", "/manager/sync/task/"
    day = f"created_at_from={middle}&created_at_to={middle}"
    return [
        Case("log, newest", LOG, PLAIN_LOG),
        Case("log, page 200", f"{LOG}?p=200", f"{PLAIN_LOG}?p=200"),
        Case("log, failed", f"{LOG}?state=failed", f"{PLAIN_LOG}?state__exact=failed"),
        Case("log, synced", f"{LOG}?state=synced", f"{PLAIN_LOG}?state__exact=done"),
        Case("log, waiting", f"{LOG}?state=waiting", f"{PLAIN_LOG}?state__exact=pending"),
        Case("log, one team", f"{LOG}?team={team}", f"{PLAIN_LOG}?user__team__id__exact=7"),
        Case("log, one user's name", f"{LOG}?user=rep2500@bench.example"),
        Case("log, a common error code", f"{LOG}?code=STRING_TOO_LONG", f"{PLAIN_LOG}?q=STRING_TOO_LONG"),
        Case("log, a rare and old error code", f"{LOG}?code=DUPLICATE_VALUE", f"{PLAIN_LOG}?q=DUPLICATE_VALUE"),
        Case("log, one day", f"{LOG}?{day}"),
        Case("log, one day's failed", f"{LOG}?state=failed&{day}"),
        Case("log, one team's failed of one day", f"{LOG}?state=failed&team={team}&{day}"),
        Case("log, CRM id of a task", f"{LOG}?q={TASK_ID}", f"{PLAIN_LOG}?q={TASK_ID}"),
        Case("log, CRM id of a record", f"{LOG}?q={RECORD_ID}", f"{PLAIN_LOG}?q={RECORD_ID}"),
        Case("log, CRM id of a user", f"{LOG}?q={USER_ID}", f"{PLAIN_LOG}?q={USER_ID}"),
        Case("log, manager of one team", LOG, who="one-team"),
        Case("log, manager of one team, failed", f"{LOG}?state=failed", who="one-team"),
        Case("log, manager of half of all teams", LOG, who="half-of-all"),
        Case("log, manager of half, failed", f"{LOG}?state=failed", who="half-of-all"),
        Case("log, manager of half, CRM id of a record", f"{LOG}?q={RECORD_ID}", who="half-of-all"),
        Case("users", users, users),
        Case("users, last page", f"{users}?p=100", f"{users}?p=100"),
        Case("users, one team", f"{users}?team={team}", f"{users}?team__id__exact=7"),
        Case("users, CRM id", f"{users}?q={USER_ID}", f"{users}?q={USER_ID}"),
        Case("users, manager of half of all teams", users, who="half-of-all"),
        Case("teams", teams, teams),
        Case("a team's page", f"{teams}{team}/change/", f"{teams}7/change/"),
        Case("tasks", tasks),
        Case("tasks, failed", f"{tasks}?sync=failed"),
        Case("tasks, CRM id of a user", f"{tasks}?q={USER_ID}"),
        Case("tasks, manager of one team", tasks, who="one-team"),
    ]


def measure(which: str) -> Mapping[str, float]:
    from django.test import Client  # noqa: PLC0415 - needs Django

    from sync.models import OutboxRow  # noqa: PLC0415
    from teams.models import Team, User  # noqa: PLC0415

    middle = OutboxRow.objects.values_list("created_at", flat=True).get(pk=OutboxRow.objects.count() // 2)
    team = Team.objects.values_list("uuid", flat=True).get(pk=7)
    clients: dict[str, Client] = {}
    found = {}
    for case in cases(middle.date().isoformat(), str(team)):
        if case.who not in clients:
            clients[case.who] = Client(SERVER_NAME="localhost")
            user = User.objects.get(email=f"{case.who}@bench.example")
            clients[case.who].force_login(user, "teams.backends.RoleBackend")
        if address := getattr(case, which):
            found[case.name] = _milliseconds(clients[case.who], address)
    return found


def _milliseconds(client: "Client", address: str) -> float:
    times = []
    for number in range(REPEATS):
        began = time.perf_counter()
        answer = client.get(address)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
        if number == 1 and times[-1] > 3000:
            break  # it is slow; nobody needs to know it more exactly
    return median(times[1:])


if __name__ == "__main__":
    django.setup()
    print(json.dumps(measure(sys.argv[1])))
