"""Completing an open task: as a page of its own, or below its row in My tasks."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sync import logged, worklist
from sync.enums import TaskState
from sync.models import Task
from sync.record_page import MOST_LOOKS
from sync.task_forms import TaskForm, form_class
from sync.views.my_tasks import ICONS, Row, with_state
from sync.views.one_task import answer_row, task_or_404, wants_part, way_back
from sync.views.put_off_task import closed
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page
def complete_task(request: HttpRequest, task: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = task_or_404(viewer, task)
    if request.method != "POST" and found.state != TaskState.OPEN:
        return closed(request, found)
    inline = wants_part(request)
    # Several forms may stand open in one list.
    form = form_class(found.kind)(
        request.POST or None, viewer=viewer, task=found, auto_id=f"id_{found.uuid}_%s" if inline else "id_%s"
    )
    if request.method == "POST" and form.is_valid():
        done = form.save()
        if done is not None:
            return _completed(request, done)
        if form.is_closed:
            return _was_closed(request, found, form)
    context = {"task": found, "form": form, "icon": ICONS[form.kind], "next": way_back(request)}
    if inline:
        response = render(request, "my_tasks/complete_form.html", {**context, "inline": True})
        response["HX-Retarget"], response["HX-Reswap"] = f"#panel-{found.uuid}", "innerHTML"
        return response
    return render_workspace_page(request, "my_tasks/complete.html", _("Complete a task"), context)


@require_safe
@workspace_page
def task_state(request: HttpRequest, task: UUID) -> HttpResponse:
    """Answer a row of My tasks that waits for what was just completed: its state, and whether to look again."""
    viewer = viewer_of(request)
    found = get_object_or_404(with_state(Task.objects.visible_to(viewer)), uuid=task)
    context = {"row": Row.of(found, timezone.localdate(), viewer), "look": _number(request.GET.get("look", "")) + 1}
    return render(request, "my_tasks/state.html", {**context, "most_looks": MOST_LOOKS, "is_look": True})


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def _completed(request: HttpRequest, task: Task) -> HttpResponse:
    told = logged.told(task)
    if wants_part(request):
        said = _("“%(task)s” is completed.") % {"task": task.subject}
        return answer_row(request, task, said, outcome="completed", told=told, look=0, most_looks=MOST_LOOKS)
    messages.success(request, told)
    if "go_on" in request.POST:
        upcoming = worklist.first_due(task.user, timezone.localdate(), but=task)
        if upcoming is not None:
            return redirect(reverse("task_complete", kwargs={"task": upcoming.uuid}))
        messages.info(request, _("Nothing else is due today."))
    return redirect(way_back(request))


def _was_closed(request: HttpRequest, task: Task, form: TaskForm) -> HttpResponse:
    """Somebody, or an earlier click, was faster. What was typed is shown as long as it isn't what stands there."""
    task.refresh_from_db()
    # A field with an error of its own has nothing clean.
    typed = {name: form.cleaned_data.get(name, form[name].value() or "") for name in ("subject", "description")}
    if (typed["subject"], typed["description"]) == (task.subject, task.description):
        return closed(request, task)
    context: dict[str, Any] = {"task": task, "typed": typed, "link": logged.link(task), "next": way_back(request)}
    if wants_part(request):
        response = render(request, "my_tasks/closed.html", context)
        response["HX-Retarget"], response["HX-Reswap"] = f"#panel-{task.uuid}", "innerHTML"
        return response
    title = format_html("{}", _("Completed already") if task.state == TaskState.COMPLETED else _("Skipped already"))
    return render_workspace_page(request, "my_tasks/closed_page.html", title, context, status=409)
