"""Correcting a completed task that the CRM refused: the form of its kind, filled in, and out it goes."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sync import correcting, logged
from sync.correction_forms import CorrectionForm, correction_form
from sync.crm.remedies import remedy_for, speaker
from sync.enums import LinkChoice
from sync.models import Connection, OutboxRow, Record, Task
from sync.sync_state import ROWS
from sync.views.ad_hoc_task import found_by, record_named
from sync.views.my_tasks import ICONS
from sync.views.one_task import task_or_404, way_back
from teams.models import User
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page
def correct_task(request: HttpRequest, task: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = task_or_404(viewer, task)
    row = ROWS.filter(task=found).order_by("-pk").first()
    data = request.POST
    if request.method != "POST" and (trouble := correcting.in_the_way(found, row)):
        messages.info(request, trouble)
        return redirect(_address(found))
    text = data.get("q", "")
    is_searched = "find" in data or (bool(text.strip()) and text != data.get("searched", "") and "log" not in data)
    is_sent = request.method == "POST" and not is_searched and "choose" not in data
    form = _form(viewer, found, row, data, is_sent=is_sent)
    if is_sent and form.is_valid():
        corrected = form.save()
        if corrected is not None:
            messages.success(request, format_html(_("{task} is corrected, and goes out."), task=logged.link(corrected)))
            return redirect(_back(request, found))
        if form.refused == correcting.SAME:
            messages.info(request, _("It was corrected like this already."))
            return redirect(_back(request, found))
    context = {
        "task": found,
        "row": row,
        "form": form,
        "remedy": remedy_for(row.failure_mode, row.error_code, row.error_message) if row and row.error_code else None,
        "speaker": speaker(row.error_code) if row else "",
        "icon": ICONS[form.kind],
        "kind": form.kind,
        "record": form.record,
        "matched": (found.who or found.what) if found.link_choice == LinkChoice.MATCH else None,
        "q": text,
        "is_searched": is_searched,
        "found": found_by(text),
        "next": _back(request, found),
        "is_connected": Connection.objects.of_organisation().exists(),
    }
    status = 409 if form.refused else 200
    return render_workspace_page(request, "my_tasks/correct.html", _("Correct a task"), context, status=status)


def _form(viewer: User, task: Task, row: OutboxRow | None, data: QueryDict, *, is_sent: bool) -> CorrectionForm:
    """Return the form: with what was sent; while a record is chosen, with what was typed so far; or as it stands."""
    make, keeps = correction_form(task.kind), correcting.keeps_records(task, row)
    record = _record(task, data)
    if is_sent:
        return make(data, viewer=viewer, task=task, record=record, keeps=keeps)
    typed = {name: data[name] for name in make.base_fields if name in data}
    if "choose" in data:
        # The record's own numbers and relations follow from which record was chosen now.
        for name in ("known_number", "known_address", "related_record"):
            typed.pop(name, None)
    return make(viewer=viewer, task=task, record=record, keeps=keeps, initial=typed)


def _record(task: Task, data: QueryDict) -> Record | None:
    """Return the record that was chosen just now, the one that was chosen before, or none; at first the task's own."""
    if not data:
        return task.record
    chosen = data.get("choose", data.get("record", ""))
    # Its own may be deleted in the CRM by now: that is said, instead of leaving it out.
    return task.record if task.record and chosen == str(task.record.uuid) else record_named(chosen)


def _address(task: Task) -> str:
    return reverse("task", kwargs={"task": task.uuid})


def _back(request: HttpRequest, task: Task) -> str:
    """Return the page that one came from; else the task's."""
    return way_back(request) if "next" in request.GET or "next" in request.POST else _address(task)
