"""The page Orphaned calls: those that have no record yet, and those that were adopted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from sync import orphans, worklist
from sync.enums import CallDirection
from sync.models import Adoption, Connection, Record, Task
from sync.sync_state import NEWEST_FIRST, SyncState, newest_row, sync_state
from teams.models import User
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import Text, viewer_of

ORPHANED, ADOPTED = "", "adopted"
TITLES: dict[str, Text] = {ORPHANED: gettext_lazy("Without a record"), ADOPTED: gettext_lazy("Adopted")}
ICONS: dict[str, str] = {CallDirection.INBOUND: "call_received", CallDirection.OUTBOUND: "call_made"}


@dataclass(frozen=True, slots=True)
class Row:
    """A call as the list shows it: with `match` it can be adopted at once, with `adoption` that can be undone.

    `tells_direction`: the icon stands for the direction.
    """

    task: Task
    state: SyncState
    icon: str
    tells_direction: bool
    duration: str
    why: Text = ""
    match: Record | None = None
    adoption: Adoption | None = None

    @classmethod
    def of(cls, task: Task, holders: Sequence[Record] = ()) -> "Row":
        adoption = next((each for each in task.adoptions.all() if each.undone_at is None), None)
        return cls(
            task=task,
            state=sync_state(task, newest_row(task)),
            icon=ICONS.get(task.call_direction, "call"),
            tells_direction=task.call_direction in ICONS,
            duration=duration(task.call_duration_seconds),
            why=_why(task, len(holders)) if task.is_orphan else "",
            match=holders[0] if task.is_orphan and len(holders) == 1 else None,
            adoption=adoption,
        )


def _why(task: Task, holders: int) -> Text:
    """Say why it has no record; where there are several to choose from by now, how many."""
    if holders < 2:
        return orphans.why(task)
    words = ngettext("%(count)d record has this number.", "%(count)d records have this number.", holders)
    return words % {"count": holders}


def duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return _("%(minutes)d min %(seconds)02d s") % {"minutes": seconds // 60, "seconds": seconds % 60}


def with_all(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """What a row needs, in a fixed number of questions."""
    adoptions = Adoption.objects.select_related("by", "record", "related_record", "undone_by")
    return (
        tasks.select_related("user", "who", "what")
        .prefetch_related(NEWEST_FIRST, "decisions", Prefetch("adoptions", queryset=adoptions))
        .defer("description")
    )


@require_safe
@workspace_page
def orphaned_calls(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    show = ADOPTED if request.GET.get("show") == ADOPTED else ORPHANED
    mine = viewer.is_staff and request.GET.get("whose") == "mine"
    page = worklist.page(_tasks(viewer, show, mine=mine), _number(request.GET.get("page", "")), with_all)
    context = {
        "show": show,
        "mine": mine,
        "has_others": viewer.is_staff,
        "tabs": tabs(viewer, show, mine=mine),
        "whose": [(address(show, mine=each), title, each == mine) for each, title in _WHOSE],
        "rows": rows_of(page.tasks),
        "page": page,
        "previous": address(show, mine=mine, page=page.number - 1),
        "following": address(show, mine=mine, page=page.number + 1),
        "here": request.get_full_path(),
        "just": _just_adopted(viewer, request.GET.get("just", "")) if show == ORPHANED else None,
        "is_connected": Connection.objects.of_organisation().exists(),
    }
    return render_workspace_page(request, "orphaned_calls/page.html", _("Orphaned calls"), context)


_WHOSE: tuple[tuple[bool, Text], ...] = (
    (False, gettext_lazy("Of everyone whom I see")),
    (True, gettext_lazy("My own")),
)


def rows_of(tasks: Iterable[Task]) -> list[Row]:
    tasks = list(tasks)
    holders = orphans.holders(tasks)
    return [Row.of(task, holders.get(task.phone_e164, ())) for task in tasks]


def tabs(viewer: User, show: str, *, mine: bool) -> list[dict[str, Any]]:
    """Return the two parts of the list, each with its count and address."""
    counts = {ORPHANED: orphans.orphaned(viewer, mine=mine), ADOPTED: orphans.adopted(viewer, mine=mine)}
    return [
        {
            "name": part or "orphaned",
            "title": TITLES[part],
            "count": orphans.bounded(rows),  # type: ignore[arg-type]
            "address": address(part, mine=mine),
            "here": part == show,
        }
        for part, rows in counts.items()
    ]


def address(show: str, *, mine: bool = False, page: int = 1) -> str:
    """Return the address of one page of one part."""
    values = {"show": show, "whose": "mine" if mine else "", "page": page if page > 1 else ""}
    query = urlencode({name: value for name, value in values.items() if value})
    return reverse("orphaned_calls") + (f"?{query}" if query else "")


def _tasks(viewer: User, show: str, *, mine: bool) -> QuerySet[Task]:
    if show == ORPHANED:
        return orphans.orphaned(viewer, mine=mine)
    standing = orphans.adopted(viewer, mine=mine)
    return Task.objects.filter(adoptions__in=standing.order_by()).order_by("-adoptions__at", "-adoptions__pk")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _just_adopted(viewer: User, text: str) -> Adoption | None:
    """What was just adopted, as long as it is."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    return orphans.adopted(viewer).filter(uuid=uuid).select_related("task", "record", "related_record").first()
