"""A record's page: who or what it is, its plays, what was done with it and where that stands."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from sync import record_facts, record_page
from sync.enums import RecordKind
from sync.models import Record
from sync.record_rows import ICONS
from sync.refresh import fetch_soon
from teams.models import User
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import Text, page_of, viewer_of

WAITED_FOR = 20  # looks, every two seconds, for a record that is being fetched


@require_safe
@workspace_page
def record_page_view(request: HttpRequest, record: uuid.UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = record_or_404(record)
    look = _number(request.GET.get("look", ""))
    looks_again = "look" in request.GET and bool(request.headers.get("HX-Request"))
    if found.fetched_at is None:
        if looks_again and not found.missing_since:
            return render(request, "records/unfetched.html", {"record": found, **_looking(look)})
        if not looks_again:
            fetch_soon(found)
    if looks_again:
        # It has arrived meanwhile, or the CRM doesn't have it: the whole page has more to say.
        return HttpResponse(headers={"HX-Redirect": reverse("record", args=[found.uuid])})
    return render_workspace_page(request, "records/record.html", str(found), _context(request, found, viewer))


@require_safe
@workspace_page
def task_states(request: HttpRequest, record: uuid.UUID) -> HttpResponse:
    """Answer a page that waits for its tasks to be settled: their states, and whether it should look again."""
    found = record_or_404(record)
    look = _number(request.GET.get("look", "")) + 1
    keys = [key for key in request.GET.getlist("task") if _is_uuid(key)]
    rows = record_page.watched(found, viewer_of(request), keys)
    watched = [str(row.task.uuid) for row in rows if row.is_unsettled]
    context = {"record": found, "rows": rows, "watched": watched if look < record_page.MOST_LOOKS else [], "look": look}
    return render(request, "records/states.html", context)


def record_or_404(key: uuid.UUID) -> Record:
    """Return a record of the organisation's connection: all who sign in may see it, as the Access User does."""
    records = Record.objects.filter(connection__user=None).select_related("connection")
    return get_object_or_404(records, uuid=key)


def why_not(record: Record) -> Text:
    """Say why nothing can be logged on a record; empty when it can."""
    if record.missing_since:
        return gettext_lazy(
            "The CRM has no such record, or the Access User may not see it, so that nothing can be logged on it. The "
            "CRM is asked again whenever the record's page is opened."
        )
    if record.is_deleted:
        return gettext_lazy("It was deleted in the CRM, so that nothing more can be logged on it.")
    if record.kind == RecordKind.CASE:
        return gettext_lazy(
            "Cases are off until an admin has done their set-up. Log on the Case's Contact or Account instead."
        )
    return ""


def crm_address(record: Record) -> str:
    """Return the record's page in the CRM; empty where that isn't known."""
    base = record.connection.instance_url.rstrip("/")
    return f"{base}/{record.crm_id}" if base else ""


def heading(record: Record) -> dict[str, Any]:
    """What all pages about one record show of it."""
    return {
        "record": record,
        "icon": ICONS[RecordKind(record.kind)],
        "crm_address": crm_address(record),
        "cannot": why_not(record),
        "warnings": record_facts.warnings(record),
    }


def _context(request: HttpRequest, record: Record, viewer: User) -> dict[str, Any]:
    others = _others(record)
    work = record_page.work_on(record, viewer, _number(request.GET.get("page", "")))
    return {
        **heading(record),
        **_looking(0),
        "account": next((one for one in others if one.crm_id == record.account_crm_id), None),
        "owner": _owner(record, viewer),
        "phones": record.phones.order_by("pk"),
        "emails": record.emails.order_by("pk"),
        "facts": record_facts.facts(record, others),
        "enrolments": record_page.enrolments_of(record, viewer),
        "work": work,
        "watched": work.watched,
        "look": 0,
        "here": request.get_full_path(),
        "viewer": viewer,
        "other_page": page_of(record) if viewer.has_perm("sync.view_record") else "",
    }


def _others(record: Record) -> list[Record]:
    crm_ids = record_facts.referred_ids(record)
    return list(Record.objects.filter(connection=record.connection_id, crm_id__in=crm_ids)) if crm_ids else []


def _owner(record: Record, viewer: User) -> str:
    """Return the owner's name where the viewer may know it."""
    if record.owner_id is None:
        return ""
    owner = User.objects.visible_to(viewer).filter(pk=record.owner_id).first()
    return str(owner) if owner else _("outside your sight")


def _looking(look: int) -> dict[str, Any]:
    return {"fetch_look": look + 1, "is_awaited": look < WAITED_FOR}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
