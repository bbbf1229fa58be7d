"""What is done from a record's page: logging a call, an e-mail or something else, starting a play, ending one."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from sync import logged, plays
from sync.enums import LinkChoice, TaskKind
from sync.models import Enrolment, Record
from sync.play_forms import StartPlayForm
from sync.task_forms import TaskForm, form_class
from sync.views.one_task import kept_aside, typed_so_far
from sync.views.record import heading, record_or_404
from teams.pages import render_workspace_page, workspace_page
from teams.scoped_admin import Text, viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page
def log_task(request: HttpRequest, record: uuid.UUID, kind: str) -> HttpResponse:
    """Log what was done with this record: it is the task's, with or without a history (M4)."""
    found = record_or_404(record)
    if kind not in TaskKind:
        raise Http404
    is_sent = request.method == "POST" and "switch" not in request.POST
    form = _form(request, found, TaskKind(kind), is_sent=is_sent)
    # What was typed stays there, below why it can't be logged.
    if is_sent and not found.missing_since and form.is_valid() and (task := form.save()) is not None:
        messages.success(request, logged.told(task))
        return redirect("record", record=found.uuid)
    context = {**heading(found), "form": form, "kind": kind, "kinds": list(TaskKind)}
    context["kept"] = kept_aside(TaskKind(kind), request.POST)
    return render_workspace_page(request, "records/log.html", _title(TaskKind(kind)), context)


def _form(request: HttpRequest, record: Record, kind: TaskKind, *, is_sent: bool) -> TaskForm:
    """Return the form with what was sent, or, when another kind was chosen, with what was typed so far."""
    data, typed = (request.POST, {}) if is_sent else (None, typed_so_far(kind, request.POST))
    viewer = viewer_of(request)
    return form_class(kind)(data, viewer=viewer, record=record, choice=LinkChoice.PAGE, initial=typed)


def _title(kind: TaskKind) -> Text:
    return {
        TaskKind.CALL: _("Log a call"),
        TaskKind.EMAIL: _("Log an e-mail"),
        TaskKind.OTHER: _("Log something else"),
    }[kind]


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_page
def start_play(request: HttpRequest, record: uuid.UUID) -> HttpResponse:
    """Choose a play, see its steps, and begin it for oneself."""
    viewer = viewer_of(request)
    found = record_or_404(record)
    form = StartPlayForm(request.POST or None, record=found, viewer=viewer)
    if request.method == "POST" and form.is_valid() and (enrolment := form.save()) is not None:
        messages.success(request, _started(enrolment))
        return redirect("record", record=found.uuid)
    return render_workspace_page(
        request, "records/start_play.html", _("Start a play"), {**heading(found), "form": form}
    )


def _started(enrolment: Enrolment) -> str:
    steps = enrolment.tasks.count()
    words = ngettext(
        "%(play)s has begun: %(count)d step stands in My tasks.",
        "%(play)s has begun: %(count)d steps stand in My tasks.",
        steps,
    )
    return words % {"play": enrolment.play, "count": steps}


@require_POST
@workspace_page
def end_play(request: HttpRequest, record: uuid.UUID, enrolment: uuid.UUID) -> HttpResponse:
    """End an enrolment within one's sight; what is open of it is skipped."""
    viewer = viewer_of(request)
    found = record_or_404(record)
    theirs = Enrolment.objects.visible_to(viewer).select_related("play")
    ended = get_object_or_404(theirs, uuid=enrolment, record=found)
    words: dict[str, Any] = {"play": ended.play}
    if plays.end_enrolment(ended, viewer):
        messages.success(request, _("%(play)s is ended for this record; its open steps are skipped.") % words)
    else:
        messages.info(request, _("%(play)s was ended already.") % words)
    return redirect("record", record=found.uuid)
