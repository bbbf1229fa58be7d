"""Skipping a task, taking that back, and putting it off: from a list, which answers in place, or from a page."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from sync import logged, skipping, snoozing
from sync.enums import TaskState
from sync.models import Task
from sync.views.one_task import answer_row, is_my_tasks, task_or_404, wants_part, way_back, with_values
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import viewer_of

MONDAY = 0


class SnoozeForm(forms.Form):
    """A day: one of those offered, as its button says, or another."""

    until = forms.DateField(required=False, widget=forms.HiddenInput)
    day = forms.DateField(
        label=gettext_lazy("Another day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Enter a day, like 2025-03-31.")},
    )

    def __init__(self, data: Any, today: date, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["day"].widget.attrs |= {"min": f"{today}", "max": f"{today + snoozing.FARTHEST}"}

    def clean(self) -> dict[str, Any]:
        if not self.errors and not (self.cleaned_data.get("until") or self.cleaned_data.get("day")):
            self.add_error("day", _("Choose a day."))
        return self.cleaned_data

    @property
    def chosen(self) -> date:
        chosen: date = self.cleaned_data.get("until") or self.cleaned_data["day"]
        return chosen


@require_POST
@workspace_page
def skip(request: HttpRequest, task: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = task_or_404(viewer, task)
    back = way_back(request)
    try:
        skipping.skip(found, viewer)
    except ValidationError as error:
        return _refused(request, found, error)
    if wants_part(request):
        return answer_row(request, found, _("“%(task)s” is skipped.") % {"task": found.subject}, outcome="skipped")
    if is_my_tasks(back) and found.user_id == viewer.pk:
        return redirect(with_values(back, skipped=str(found.uuid)))
    messages.success(request, format_html(_("{task} is skipped: nothing of it is sent."), task=logged.link(found)))
    return redirect(back)


@require_POST
@workspace_page
def unskip(request: HttpRequest, task: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = task_or_404(viewer, task)
    try:
        skipping.unskip(found, viewer)
    except ValidationError as error:
        return _refused(request, found, error)
    if wants_part(request):
        return answer_row(request, found, _("“%(task)s” is open again.") % {"task": found.subject}, outcome="open")
    messages.success(request, format_html(_("{task} is open again."), task=logged.link(found)))
    return redirect(with_values(way_back(request), skipped=""))


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page
def snooze(request: HttpRequest, task: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = task_or_404(viewer, task)
    if found.state != TaskState.OPEN:
        return closed(request, found)
    today = snoozing.today_of(found.user)
    form = SnoozeForm(request.POST or None, today, auto_id=f"id_{found.uuid}_%s")
    if request.method == "POST" and form.is_valid():
        try:
            snoozing.snooze(found, form.chosen, viewer)
        except ValidationError as error:
            if "task" in error.error_dict:
                return _refused(request, found, error)
            form.add_error("day", error.error_dict["until"])
        else:
            return _snoozed(request, found, form.chosen)
    context = {"task": found, "form": form, "offers": _offers(today), "next": way_back(request)}
    if wants_part(request):
        return _panel(request, "my_tasks/snooze_form.html", context, found)
    return render_workspace_page(request, "my_tasks/snooze.html", _("Snooze a task"), context)


def closed(request: HttpRequest, task: Task) -> HttpResponse:
    """Answer for a task that isn't open any more, so that nothing is asked of it."""
    words = {"task": task.subject}
    done = task.state == TaskState.COMPLETED
    said = _("“%(task)s” is completed already.") if done else _("“%(task)s” is skipped already.")
    if wants_part(request):
        return answer_row(request, task, said % words, outcome="closed")
    messages.info(request, said % words)
    return redirect(reverse("task", kwargs={"task": task.uuid}))


def _snoozed(request: HttpRequest, task: Task, until: date) -> HttpResponse:
    day = date_format(until, _("l, j F"))
    if wants_part(request):
        said = _("“%(task)s” is snoozed until %(day)s.") % {"task": task.subject, "day": day}
        return answer_row(request, task, said, outcome="snoozed")
    messages.success(request, format_html(_("{task} is snoozed until {day}."), task=logged.link(task), day=day))
    return redirect(way_back(request))


def _refused(request: HttpRequest, task: Task, error: ValidationError) -> HttpResponse:
    """Say why nothing was changed: the task changed meanwhile."""
    said = " ".join(error.messages)
    if wants_part(request):
        return answer_row(request, task, said, outcome="closed")
    messages.warning(request, format_html("{}: {}", logged.link(task), said))
    return redirect(way_back(request))


def _panel(request: HttpRequest, template: str, context: dict[str, Any], task: Task) -> HttpResponse:
    """Return a form that opens below its row."""
    response = render(request, template, {**context, "inline": True})
    response["HX-Retarget"], response["HX-Reswap"] = f"#panel-{task.uuid}", "innerHTML"
    return response


def _offers(today: date) -> list[tuple[str, date]]:
    """Return the days that one button each chooses."""
    next_week = today + timedelta(days=7 - today.weekday() + MONDAY)
    offers = [
        (_("Tomorrow"), today + timedelta(days=1)),
        (_("In 3 days"), today + timedelta(days=3)),
        (_("Next week"), next_week),
    ]
    return sorted(offers, key=lambda offer: offer[1])
