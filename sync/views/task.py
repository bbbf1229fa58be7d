"""A task's page: what it is, where it stands and why, its whole story, *retry now* and *cancel* (B2)."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sync import by_hand
from sync.enums import TaskKind, TaskState
from sync.models import OutboxRow, Task
from sync.task_page import page_of_task
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import page_of, viewer_of


@require_safe
@workspace_page
def task_page(request: HttpRequest, task: uuid.UUID) -> HttpResponse:
    """Show a task; to the page that looks again by itself only what has changed since it looked."""
    found = _seen(request, task)
    context = _context(request, found)
    if "seen" in request.GET and request.headers.get("HX-Request"):
        if request.GET["seen"] == context["seen"]:
            return HttpResponse(status=204)
        return render(request, "task/way.html", context)
    return render_workspace_page(request, "task/page.html", found.subject or _("(no subject)"), context)


@require_POST
@workspace_page
def retry(request: HttpRequest, task: uuid.UUID) -> HttpResponse:
    found = _seen(request, task)
    by_hand.retry(request, OutboxRow.objects.filter(task=found))
    return _answer(request, found)


@require_POST
@workspace_page
def cancel(request: HttpRequest, task: uuid.UUID) -> HttpResponse:
    """Give it up; the form on the page has asked whether that is meant."""
    found = _seen(request, task)
    by_hand.cancel(request, OutboxRow.objects.filter(task=found))
    return _answer(request, found)


def _seen(request: HttpRequest, key: uuid.UUID) -> Task:
    """Return a task that the viewer may see: reps their own, managers their teams', admins all."""
    tasks = Task.objects.visible_to(viewer_of(request)).select_related(
        "user", "step__play", "record", "related_record", "who", "what"
    )
    return get_object_or_404(tasks, uuid=key)


def _answer(request: HttpRequest, task: Task) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "task/way.html", {**_context(request, task), "says": True})
    return HttpResponseRedirect(reverse("task", args=[task.uuid]))


def _context(request: HttpRequest, task: Task) -> dict[str, Any]:
    viewer = viewer_of(request)
    return {
        **page_of_task(task, viewer),
        "may_act": True,  # whoever sees a task may: reps for themselves, managers for their teams
        "answers_in_place": True,
        "retry_url": reverse("task_retry", args=[task.uuid]),
        "cancel_url": reverse("task_cancel", args=[task.uuid]),
        "other_page": page_of(task) if viewer.has_perm("sync.view_task") else "",
        "is_own": task.user_id == viewer.pk,
        "here": reverse("task", args=[task.uuid]),
        "is_open": task.state == TaskState.OPEN,
        "is_skipped": task.state == TaskState.SKIPPED,
        "is_call": task.kind == TaskKind.CALL,
        "duration": _duration(task.call_duration_seconds),
        "records": _records(task),
    }


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return _("%(minutes)d min %(seconds)02d s") % {"minutes": seconds // 60, "seconds": seconds % 60}


def _records(task: Task) -> list[tuple[str, Any]]:
    """What it is linked to; before that is decided, what was asked for."""
    if task.who or task.what:
        named = [(_("Person"), task.who), (_("Related to"), task.what)]
    else:
        named = [(_("Record"), task.record), (_("Related record"), task.related_record)]
    return [(label, record) for label, record in named if record is not None]
