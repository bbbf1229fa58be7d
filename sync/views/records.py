"""Looking a record up: by name, e-mail, number or CRM id; without a search what the viewer worked on lately."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sync import orphans, record_rows, refresh
from sync.enums import RecordKind
from sync.models import Connection
from sync.record_search import crm_id_in, search_records, storable
from teams.models import User
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import viewer_of

PER_PAGE = 20
LAST_PAGE = 10
RECENT = 20
KINDS = [kind for kind in RecordKind if kind != RecordKind.CASE]


@require_safe
@workspace_page
def records(request: HttpRequest) -> HttpResponse:
    """Answer a search with a page, and one that is being typed with what was found alone."""
    context = _found(request, viewer_of(request))
    htmx = request.htmx  # type: ignore[attr-defined]
    if htmx and not htmx.history_restore_request:
        return render(request, "records/found.html", context)
    return render_workspace_page(request, "records/page.html", _("Find records"), context)


@require_POST
@workspace_page
def open_record(request: HttpRequest) -> HttpResponse:
    """Lead to the page of a CRM id that nobody has named here before; the CRM is asked for the rest of it."""
    crm_id = crm_id_in(request.POST.get("crm_id", ""))
    connection = Connection.objects.of_organisation().without_tokens().first()
    if connection is None or orphans.known_unmirrored(crm_id) is None:
        found = search_records(crm_id, 1)
        if not found:
            messages.error(request, _("This is not the CRM id of an Account, Contact, Lead or Opportunity."))
            return redirect(_address(q=storable(request.POST.get("crm_id", ""))))
        return redirect("record", record=found[0].uuid)
    record = refresh.known(connection, [crm_id])[crm_id]
    refresh.fetch_soon(record)
    return redirect("record", record=record.uuid)


def _found(request: HttpRequest, viewer: User) -> dict[str, Any]:
    text = storable(request.GET.get("q", ""))
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    kinds = [kind] if kind else None
    number = _number(request.GET.get("page", ""))
    end = number * PER_PAGE
    if text:
        found = search_records(text, end + 1, kinds)
    else:
        number, end = 1, RECENT
        found = record_rows.recently_worked(viewer, RECENT, kinds or ())
    has_next = len(found) > end
    return {
        "q": text,
        "kind": kind,
        "tabs": [_tab(each, kind, text) for each in ("", *KINDS)],
        "rows": record_rows.rows_of(found[end - PER_PAGE : end], viewer),
        "number": number,
        "previous": _address(q=text, kind=kind, page=number - 1) if number > 1 else "",
        "following": _address(q=text, kind=kind, page=number + 1) if has_next and number < LAST_PAGE else "",
        "is_cut": has_next and number == LAST_PAGE,
        "unmirrored": orphans.known_unmirrored(crm_id_in(text)) if text and not found else None,
        "is_connected": Connection.objects.of_organisation().exists(),
    }


def _tab(kind: str, chosen: str, text: str) -> dict[str, Any]:
    title = RecordKind(kind).label if kind else _("All kinds")
    return {"title": title, "address": _address(q=text, kind=kind), "here": kind == chosen}


def _number(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isdecimal() and len(text) < 9 else 1


def _address(**values: str | int) -> str:
    query = urlencode({name: value for name, value in values.items() if value and (name, value) != ("page", 1)})
    return reverse("records") + (f"?{query}" if query else "")
