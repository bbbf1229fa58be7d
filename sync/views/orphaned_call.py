"""One orphaned call: whom it may have been with, the search for any other record, adopting it and undoing that."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sync import linking, orphans
from sync.adoption import adopt, undo
from sync.models import Connection, Record, Task
from sync.orphans import Offer
from sync.record_search import search_records
from sync.views.one_task import way_back, with_values
from sync.views.orphaned_calls import ORPHANED, Row, rows_of, tabs, with_all
from teams.models import User
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import viewer_of

FOUND = 20
CANDIDATES = 10


@require_safe
@workspace_page
def orphaned_call(request: HttpRequest, task: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = _call_or_404(viewer, task)
    if not (found.is_orphan or found.adoptions.all()):
        return redirect("task", task=found.uuid)
    if request.htmx and "q" in request.GET:  # type: ignore[attr-defined]
        context = {"task": found, **_search(viewer, request.GET["q"], {})}
        return render(request, "orphaned_calls/found.html", context)
    return _page(request, viewer, found, request.GET.get("q", ""))


@require_POST
@workspace_page
def adopt_call(request: HttpRequest, task: UUID) -> HttpResponse:
    """Give a call the record that was chosen: from the list in place, or from its page."""
    viewer = viewer_of(request)
    found = _call_or_404(viewer, task)
    try:
        adoption = adopt(
            found,
            _given(request.POST.get("record", "")),
            viewer,
            _given(request.POST.get("related_record", "")) or None,
        )
    except ValidationError as error:
        return _refused(request, viewer, found, error)
    if request.htmx:  # type: ignore[attr-defined]
        words = _("The call with %(number)s belongs to %(record)s now.")
        return _answer_row(request, viewer, found, words % {"number": _name(found), "record": adoption.record})
    if _is_list(request):
        return redirect(with_values(way_back(request), just=str(adoption.uuid)))
    messages.success(request, _("Adopted: the call belongs to %(record)s now.") % {"record": adoption.record})
    return redirect("orphaned_call", task=found.uuid)


@require_POST
@workspace_page
def undo_adoption(request: HttpRequest, task: UUID) -> HttpResponse:
    """Take back the adoption that the form names."""
    viewer = viewer_of(request)
    found = _call_or_404(viewer, task)
    adoption = next((a for a in found.adoptions.all() if str(a.uuid) == request.POST.get("adoption")), None)
    said = _("Undone: the call with %(number)s is an orphan again.") % {"number": _name(found)}
    try:
        if adoption is None:
            raise ValidationError({"task": [_("This adoption isn't known. Load the page again.")]})
        undo(adoption, viewer)
    except ValidationError as error:
        return _refused(request, viewer, found, error)
    if request.htmx:  # type: ignore[attr-defined]
        return _answer_row(request, viewer, found, said)
    messages.success(request, said)
    return redirect(with_values(way_back(request), just="") if _is_list(request) else _address(found))


def _call_or_404(viewer: User, uuid: UUID) -> Task:
    """Return a call that the viewer may see, with what its page and its row show of it."""
    return get_object_or_404(with_all(Task.objects.visible_to(viewer)), uuid=uuid)


def _given(text: str) -> Record | str:
    """A record by its UUID, as our forms name it, or what a person took for a CRM id."""
    text = text.replace("\0", "").strip()
    try:
        uuid = UUID(text)
    except ValueError:
        return text
    return Record.objects.filter(uuid=uuid).first() or text


def _page(
    request: HttpRequest, viewer: User, task: Task, text: str, errors: dict[str, list[str]] | None = None
) -> HttpResponse:
    chosen = {"record": request.POST.get("record", ""), "related": request.POST.get("related_record", "")}
    context: dict[str, Any] = {
        "task": task,
        "row": Row.of(task),
        "adoptions": [each for each in task.adoptions.all() if each.undone_at is not None],
        "here": _address(task),
        "errors": errors or {},
        "chosen": chosen,
        "is_connected": Connection.objects.of_organisation().exists(),
        **_search(viewer, text, chosen),
    }
    if task.is_orphan and context["is_connected"]:
        context["offers"] = orphans.offers(linking.candidates(task, CANDIDATES), viewer)
    return render_workspace_page(request, "orphaned_calls/call.html", _("Orphaned call"), context)


def _search(viewer: User, text: str, chosen: dict[str, str]) -> dict[str, Any]:
    """What was searched for and found; a CRM id that nobody has mirrored yet can be chosen, too."""
    text = text.replace("\0", "").strip()
    found = [Offer(record) for record in search_records(text, FOUND)] if text else []
    return {
        "q": text,
        "found": orphans.described(found, viewer),
        "unmirrored": orphans.known_unmirrored(text) if text and not found else None,
        "chosen": chosen,
    }


def _refused(request: HttpRequest, viewer: User, task: Task, error: ValidationError) -> HttpResponse:
    """Say what speaks against it: in the row, on the list, or at the field on the call's page."""
    told = error.message_dict
    words = " ".join(message for found in told.values() for message in found)
    if request.htmx:  # type: ignore[attr-defined]
        return _answer_row(request, viewer, task, words, refused=words)
    if _is_list(request):
        messages.error(request, words)
        return redirect(way_back(request))
    fresh = _call_or_404(viewer, task.uuid)
    return _page(request, viewer, fresh, request.POST.get("q", ""), told)


def _answer_row(request: HttpRequest, viewer: User, task: Task, said: str, refused: str = "") -> HttpResponse:
    """Return the row of the list as it stands now, what is said of it, and the counts anew."""
    (row,) = rows_of([_call_or_404(viewer, task.uuid)])
    back = way_back(request)
    context = {
        "row": row,
        "said": said,
        "refused": refused,
        "here": back,
        "has_others": viewer.is_staff,
        "tabs": tabs(viewer, ORPHANED, mine="whose=mine" in back),
        "is_connected": True,
    }
    return render(request, "orphaned_calls/answer.html", context)


def _is_list(request: HttpRequest) -> bool:
    return way_back(request).partition("?")[0] == reverse("orphaned_calls")


def _address(task: Task) -> str:
    return reverse("orphaned_call", kwargs={"task": task.uuid})


def _name(task: Task) -> str:
    return task.phone_number or task.subject
