"""The Manager App's first page: what needs somebody, in a few numbers."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from sync.enums import OutboxState
from sync.models import OutboxRow, Task, Trouble
from teams.models import User

# Beyond that a number says "many", and counting costs.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Tile:
    number: str
    label: str
    hint: str
    url: str


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the tiles: at most four queries, each of which stops counting at MOST."""
    assert isinstance(request.user, User)
    viewer = request.user
    mine = Task.objects.visible_to(viewer)
    waiting = OutboxRow.objects.unsettled()
    failed = OutboxRow.objects.newest().filter(state=OutboxState.FAILED)
    tasks = reverse("admin:sync_task_changelist")
    context["tiles"] = [
        Tile(
            _number(mine.filter(pk__in=waiting.values("task"))),
            _("waiting or being sent"),
            _("Goes out by itself, unless a banner or a trouble says otherwise."),
            f"{tasks}?sync=waiting",
        ),
        Tile(
            _number(mine.filter(pk__in=failed.values("task"))),
            _("failed"),
            _("Each page says why, and who can mend it."),
            f"{tasks}?sync=failed",
        ),
        Tile(
            _number(mine.orphans()),
            _("orphaned phone calls"),
            _("In the CRM without a record: the number fits none with a history, or several."),
            f"{tasks}?is_orphan__exact=1",
        ),
    ]
    if viewer.has_perm("sync.view_trouble"):
        context["tiles"].append(
            Tile(
                _number(Trouble.objects.filter(ended_at=None)),
                _("open troubles"),
                _("Causes that an admin must mend. What waits for them then goes out by itself."),
                reverse("admin:sync_trouble_changelist") + "?open=yes",
            )
        )
    return context


def _number(queryset: "QuerySet[Any]") -> str:
    count = queryset.order_by()[: MOST + 1].count()
    return f"{MOST}+" if count > MOST else str(count)
