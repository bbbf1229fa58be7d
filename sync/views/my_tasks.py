"""The page My tasks: what is due, what comes, and what is done with where it stands on its way to the CRM."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from sync import worklist
from sync.correcting import can_correct
from sync.crm.remedies import actor_of
from sync.enums import Actor, TaskKind, TaskState
from sync.models import Record, Task
from sync.reasons import reason
from sync.record_page import is_unsettled
from sync.sync_state import NEWEST_FIRST, SyncState, newest_row, sync_state
from sync.worklist import Show
from teams.models import User
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import viewer_of

ICONS = {TaskKind.CALL: "call", TaskKind.EMAIL: "mail", TaskKind.OTHER: "task_alt"}


@dataclass(frozen=True, slots=True)
class Row:
    """A task as a list shows it."""

    task: Task
    icon: str
    record: Record | None
    days_late: int
    days_ahead: int | None  # None: it has no day
    state: SyncState | None = None  # of what is completed
    reason: str = ""
    is_unsettled: bool = False
    can_correct: bool = False  # the CRM refused it for something that can be corrected here

    @classmethod
    def of(cls, task: Task, today: date, viewer: User) -> "Row":
        ahead = (task.due_on - today).days if task.due_on else None
        common = {
            "task": task,
            "icon": ICONS[TaskKind(task.kind)],
            "days_late": max(0, -(ahead or 0)),
            "days_ahead": ahead,
        }
        if task.state != TaskState.COMPLETED:
            return cls(record=task.record or task.related_record, **common)  # type: ignore[arg-type]
        row = newest_row(task)
        state = sync_state(task, row)
        words = reason(task, row, viewer) if state.tone in ("bad", "warn") else ""
        corrects = can_correct(task, row) and row is not None and actor_of(row.failure_mode) != Actor.NOBODY
        return cls(
            record=task.who or task.what,
            state=state,
            reason=words,
            is_unsettled=is_unsettled(row),
            can_correct=corrects,
            **common,  # type: ignore[arg-type]
        )


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: list[Row]


def with_all(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """What every row needs, in the same question."""
    return tasks.select_related("record", "related_record", "who", "what", "step__play").defer("description")


def with_state(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """What a row of a completed task needs besides: one question more."""
    return with_all(tasks).prefetch_related(NEWEST_FIRST)


@workspace_page
def my_tasks(request: HttpRequest) -> HttpResponse:
    user = viewer_of(request)
    today = timezone.localdate()
    show = _show(request.GET.get("show", ""))
    text = worklist.searchable(request.GET.get("q", ""))
    tasks = worklist.of(user, show, today)
    if text:
        tasks = worklist.search(tasks, show, text)
    load = with_state if show == Show.COMPLETED else with_all
    page = worklist.page(tasks, _number(request.GET.get("page", "")), load)
    rows = [Row.of(task, today, user) for task in page.tasks]
    context = {
        "show": show,
        "q": text,
        "tabs": tabs(user, today, show, text),
        "groups": _groups(rows, show),
        "page": page,
        "previous": _address(show, text, page.number - 1),
        "following": _address(show, text, page.number + 1),
        "here": request.get_full_path(),
        "undo": _skipped(user, request.GET.get("skipped", "")),
        "searched": number_format(worklist.SEARCHED, force_grouping=True),
        "is_cut": bool(text) and worklist.is_cut(user, show, today),
        "is_long": page.has_next or page.has_previous,
    }
    return render_workspace_page(request, "my_tasks/page.html", _("My tasks"), context)


def tabs(user: User, today: date, show: Show, text: str) -> list[dict[str, Any]]:
    """Return the parts of the list, each with its count and address."""
    return [
        {"name": part, "title": part.label, "count": count, "address": _address(part, text), "here": part == show}
        for part, count in worklist.counts(user, today).items()
    ]


def _show(name: str) -> Show:
    return Show(name) if name in Show else Show.TODAY


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _address(show: Show, text: str = "", page: int = 1) -> str:
    """Return the address of one page of one part."""
    values = {"show": "" if show == Show.TODAY else show.value, "q": text, "page": page if page > 1 else ""}
    query = urlencode({name: value for name, value in values.items() if value})
    return reverse("my_tasks") + (f"?{query}" if query else "")


def _groups(rows: list[Row], show: Show) -> list[Group]:
    """Under headings: what is late before what is due today."""
    if show != Show.TODAY:
        return [Group("", rows)] if rows else []
    groups = (
        Group(_("Overdue"), [row for row in rows if row.days_late]),
        Group(_("Due today"), [row for row in rows if not row.days_late]),
    )
    return [group for group in groups if group.rows]


def _skipped(user: User, text: str) -> Task | None:
    """What was just skipped, as long as it is."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    return Task.objects.filter(user=user, state=TaskState.SKIPPED, uuid=uuid).first()
