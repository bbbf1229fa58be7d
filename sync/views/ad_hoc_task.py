"""Logging a task that no play asked for: for a record that one looks up, or with a number or an address alone."""

from uuid import UUID

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sync import logged
from sync.enums import RecordKind, TaskKind
from sync.models import Connection, Record
from sync.record_search import search_records
from sync.task_forms import TaskForm, form_class
from sync.views.my_tasks import ICONS
from sync.views.one_task import kept_aside, typed_so_far, way_back
from teams.models import User
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import viewer_of

_FOUND = 20


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page
def new_task(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    data = request.POST if request.method == "POST" else request.GET
    kind = _kind(data.get("switch") or data.get("kind", ""))
    record = record_named(data.get("choose", data.get("record", "")))
    text = data.get("q", "")
    is_searched = "find" in data or (bool(text.strip()) and text != data.get("searched", "") and "log" not in data)
    is_sent = request.method == "POST" and not is_searched and data.keys().isdisjoint(("choose", "switch"))
    form = _form(viewer, kind, record, data, is_sent=is_sent)
    if is_sent and form.is_valid() and (task := form.save()) is not None:
        messages.success(request, logged.told(task))
        return redirect(way_back(request))
    context = {
        "form": form,
        "kinds": list(TaskKind),
        "kind": kind,
        "kept": kept_aside(kind, data),
        "record": record,
        "icon": ICONS[kind],
        "q": text,
        "is_searched": is_searched,
        "found": found_by(text),
        "next": way_back(request),
        "is_connected": Connection.objects.of_organisation().exists(),
    }
    return render_workspace_page(request, "my_tasks/new.html", _("Log a task"), context)


@require_safe
@workspace_page
def records_to_choose(request: HttpRequest) -> HttpResponse:
    """Answer with what one finds, while one types."""
    text = request.GET.get("q", "")
    return render(request, "my_tasks/found.html", {"q": text, "found": found_by(text)})


def _kind(name: str) -> TaskKind:
    return TaskKind(name) if name in TaskKind else TaskKind.CALL


def record_named(text: str) -> Record | None:
    """Return the record that was chosen; one that can't be written to, or isn't ours, is none."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    there = Record.objects.filter(connection__in=Connection.objects.of_organisation(), is_deleted=False)
    return there.exclude(kind=RecordKind.CASE).filter(uuid=uuid).first()


def found_by(text: str) -> list[Record]:
    found = search_records(text, _FOUND) if text.strip() else []
    prefetch_related_objects(found, "phones", "emails")
    return found


def _form(viewer: User, kind: TaskKind, record: Record | None, data: QueryDict, *, is_sent: bool) -> TaskForm:
    """Return the form: with what was sent, or, while a record is being chosen, with what was typed so far."""
    if is_sent:
        return form_class(kind)(data, viewer=viewer, record=record)
    typed = typed_so_far(kind, data)
    if "choose" in data:
        # The record's own numbers and relations follow from which record was chosen now.
        for name in ("known_number", "known_address", "related_record"):
            typed.pop(name, None)
    return form_class(kind)(None, viewer=viewer, record=record, initial=typed)
