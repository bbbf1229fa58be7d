"""Settings › CRM › Task Sync › Results: a CSV of the last 30 days, prepared in the background (M22)."""  # noqa: RUF002

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from sync import export_files, exports
from sync.enums import ExportState
from sync.forms import STATE_CHOICES, ResultsForm, crm_user_id_of
from sync.models import TaskSyncExport
from teams.models import Team, User
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of

_guard = manager_page("sync.view_attempt")
_TONES = {
    ExportState.WAITING: "busy",
    ExportState.RUNNING: "busy",
    ExportState.READY: "good",
    ExportState.FAILED: "bad",
    ExportState.CANCELLED: "neutral",
    ExportState.WITHDRAWN: "warn",
}
MOST_SHOWN = 50


@_guard
def results(request: HttpRequest) -> HttpResponse:
    """Show the viewer's own files, and take what is asked for."""
    viewer = viewer_of(request)
    form = ResultsForm(viewer, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            exports.ask(viewer, form.wanted())
        except exports.TooManyError:
            words = _("%(count)d files are being prepared for you already. Wait for one, or cancel one.")
            form.add_error(None, words % {"count": exports.MOST_AT_ONCE})
        else:
            messages.success(request, _("The file is being prepared. You are told when it is ready; go on meanwhile."))
            return HttpResponseRedirect(reverse("task_sync_results"))
    files = list(TaskSyncExport.objects.visible_to(viewer)[:MOST_SHOWN])
    context = {
        "form": form,
        "files": _described(files, viewer),
        "days": exports.DAYS,
        "unfinished": any(export.is_unfinished for export in files),
    }
    status = 422 if form.errors else 200
    return render_manager_page(request, "task_sync/results.html", _("Task Sync Results"), context, status)


@_guard
def state(request: HttpRequest) -> HttpResponse:
    """Say how far the viewer's files are, for the script that keeps the page up to date."""
    files = TaskSyncExport.objects.visible_to(viewer_of(request))[:MOST_SHOWN]
    return JsonResponse({"files": [{"id": str(export.uuid), **_progress(export)} for export in files]})


@require_GET
@_guard
def download(request: HttpRequest, export: uuid.UUID) -> HttpResponseBase:
    """Send a file that is ready, whole or the rows of one CRM user (?crm_user_id=…)."""
    found = _own(request, export)
    if exports.withdraw_if_outgrown(found):
        messages.error(request, _("You no longer see everyone whose tasks stand in that file. Prepare it anew."))
    elif found.is_ready and found.expires_at > timezone.now():
        try:
            return _file(found, request.GET.get("crm_user_id", ""))
        except FileNotFoundError:
            messages.error(request, _("The file is not on this server. Prepare it anew, and tell an admin."))
        except forms.ValidationError as error:
            messages.error(request, error.messages[0])
    else:
        messages.error(request, _("That file is not ready, or no longer kept."))
    return HttpResponseRedirect(reverse("task_sync_results"))


@require_POST
@_guard
def cancel(request: HttpRequest, export: uuid.UUID) -> HttpResponse:
    if exports.cancel(_own(request, export)):
        messages.success(request, _("The file is no longer prepared."))
    else:
        messages.info(request, _("There was nothing to cancel: the file had ended before."))
    return HttpResponseRedirect(reverse("task_sync_results"))


@require_POST
@_guard
def again(request: HttpRequest, export: uuid.UUID) -> HttpResponse:
    """Ask anew for what failed, was cancelled or withdrawn."""
    found = _own(request, export)
    if found.is_unfinished or found.is_ready:
        messages.info(request, _("That file is there, or on its way."))
    else:
        try:
            exports.ask_again(found)
        except exports.TooManyError:
            messages.error(
                request, _("Too many files are being prepared for you already. Wait for one, or cancel one.")
            )
        except LookupError:
            messages.error(request, _("You no longer see that user or team. Choose again."))
        else:
            messages.success(request, _("The file is being prepared. You are told when it is ready; go on meanwhile."))
    return HttpResponseRedirect(reverse("task_sync_results"))


@require_POST
@_guard
def delete(request: HttpRequest, export: uuid.UUID) -> HttpResponse:
    exports.delete(_own(request, export))
    messages.success(request, _("The file was deleted."))
    return HttpResponseRedirect(reverse("task_sync_results"))


def _own(request: HttpRequest, key: uuid.UUID) -> TaskSyncExport:
    """Return the viewer's own file; another's is not there, for admins neither."""
    mine = TaskSyncExport.objects.visible_to(viewer_of(request)).select_related("requested_by")
    return get_object_or_404(mine, uuid=key)


def _file(export: TaskSyncExport, crm_user_id: str) -> HttpResponseBase:
    """Raises FileNotFoundError, and ValidationError for what is no CRM id."""
    day = timezone.localtime(export.until).date().isoformat()
    if not crm_user_id.strip():
        name = f"task-sync-results-{day}.csv"
        return FileResponse(
            export_files.opened(export.file_name),
            as_attachment=True,
            filename=name,
            content_type="text/csv; charset=utf-8",
        )
    crm_id = crm_user_id_of(crm_user_id)
    rows = export_files.of_one_user(export_files.opened(export.file_name), crm_id)
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="task-sync-results-{day}-{crm_id}.csv"'
    return response


def _described(files: list[TaskSyncExport], viewer: User) -> list[dict[str, Any]]:
    """Return what the page says of each: two queries, however many there are."""
    users = User.objects.visible_to(viewer).in_bulk([pk for one in files if (pk := one.filters.get("user"))])
    teams = Team.objects.visible_to(viewer).in_bulk([pk for one in files if (pk := one.filters.get("team"))])
    return [
        {"export": export, "tone": _TONES[ExportState(export.state)], "chosen": _chosen(export, users, teams)}
        | _progress(export)
        for export in files
    ]


def _chosen(export: TaskSyncExport, users: Mapping[int, User], teams: Mapping[int, Team]) -> str:
    words = []
    if pk := export.filters.get("user"):
        user = users.get(pk)
        words.append(f"{user} ({user.crm_user_id})" if user else _("a user whom you no longer see"))
    if pk := export.filters.get("team"):
        words.append(_("team %(name)s") % {"name": teams.get(pk, _("that you no longer see"))})
    if chosen := export.filters.get("state"):
        words.append(str(dict(STATE_CHOICES)[chosen]))
    return ", ".join(words) or _("everything you may see")


def _progress(export: TaskSyncExport) -> dict[str, Any]:
    left = export.time_left(timezone.now()) if export.is_unfinished else None
    return {
        "state": export.state,
        "percentage": export.percentage,
        "rows": _rows(export),
        "size": filesizeformat(export.bytes) if export.bytes else "",
        "left": _about(left) if left is not None else "",
    }


def _rows(export: TaskSyncExport) -> str:
    done = formats.number_format(export.rows_done, force_grouping=True)
    if export.rows_total is None or not export.is_unfinished:
        return ngettext("%(done)s row", "%(done)s rows", export.rows_done) % {"done": done}
    total = formats.number_format(export.rows_total, force_grouping=True)
    return _("%(done)s of %(total)s rows") % {"done": done, "total": total}


def _about(left: timedelta) -> str:
    """Say roughly how long it takes still: nobody can promise more."""
    seconds = max(1, round(left.total_seconds()))
    if seconds < 60:
        return ngettext("about %(count)d second left", "about %(count)d seconds left", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    return ngettext("about %(count)d minute left", "about %(count)d minutes left", minutes) % {"count": minutes}
