"""Manager App › Tasks › Import: a dialer's file is checked, shown, and imported in the background."""  # noqa: RUF002

import uuid
from collections.abc import Iterator
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import formats
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync import import_files, import_slices, task_imports
from sync.enums import ImportState, TaskKind
from sync.import_columns import ALIASES, FIELDS, LABELS, check_mapping
from sync.import_lines import Line
from sync.models import TaskImport
from sync.views.mail_upload import MAX_BYTES, is_too_large, takes_mail
from teams.csv_text import csv_response
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of

_guard = manager_page("sync.add_taskimport")
_TONES = {
    ImportState.CHECKING: "busy",
    ImportState.READY: "warn",
    ImportState.IMPORTING: "busy",
    ImportState.DONE: "good",
    ImportState.FAILED: "bad",
    ImportState.CANCELLED: "neutral",
}
MOST_SHOWN = 20
MOST_PROBLEMS = 50


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={
            "required": gettext_lazy("Choose the file that your dialer exported."),
            "empty": gettext_lazy("The file is empty."),
        },
    )


class MappingForm(forms.Form):
    """For each column of the file the field that it is taken for."""

    def __init__(self, found: TaskImport, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("not imported")), *((name, f"{label} ({name})") for name, label in LABELS.items())]
        for place, heading in enumerate(found.headings):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=heading or _("column %(number)d") % {"number": place + 1},
                choices=choices,
                required=False,
                initial=found.mapping[place],
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            check_mapping(self.mapping)
        return cleaned

    @property
    def mapping(self) -> list[str]:
        return [self.cleaned_data[name] for name in self.fields]


# The upload sets how it is received before anything reads the form; takes_mail checks the form for forgery itself.
@csrf_exempt
@_guard
@require_http_methods(["GET", "HEAD", "POST"])
@takes_mail
def imports(request: HttpRequest) -> HttpResponse:
    """Show the viewer's own imports, and take a file."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        found = _taken(request, form)
        if found is not None:
            return HttpResponseRedirect(reverse("task_import", args=[found.uuid]))
    mine = TaskImport.objects.visible_to(viewer_of(request)).defer("repeats", "headings", "mapping")[:MOST_SHOWN]
    context = {
        "form": form,
        "imports": [
            {
                "found": each,
                "tone": _TONES[ImportState(each.state)],
                "numbers": [_number(number) for number in (each.total, each.imported, each.bad)],
            }
            for each in mine
        ],
        "columns": [(LABELS[name], name, text, ", ".join(ALIASES[name])) for name, text in FIELDS.items()],
        "most_lines": _number(import_files.MOST_LINES),
        "most_megabytes": MAX_BYTES // 1_000_000,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render_manager_page(request, "task_import/imports.html", _("Import tasks"), context, status)


@_guard
@require_safe
def task_import(request: HttpRequest, task_import: uuid.UUID) -> HttpResponse:
    return _page(request, _own(request, task_import))


@_guard
@require_safe
def state(request: HttpRequest, task_import: uuid.UUID) -> HttpResponse:
    """Say how far it is, for the script that keeps the page up to date."""
    found = _own(request, task_import)
    return JsonResponse({"state": found.state, "percentage": found.percentage, "lines": _lines(found)})


@require_POST
@_guard
def choose_columns(request: HttpRequest, task_import: uuid.UUID) -> HttpResponse:
    found = _own(request, task_import)
    form = MappingForm(found, request.POST)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        again = task_imports.remap(found, form.mapping)
    except OSError:
        again = False
    if again:
        _first_slice(found)
    else:
        messages.info(request, _("This file is no longer there to be checked. Upload it anew."))
    return _back(found)


@require_POST
@_guard
def start(request: HttpRequest, task_import: uuid.UUID) -> HttpResponse:
    found = _own(request, task_import)
    if task_imports.start(found):
        _first_slice(found)
    else:
        messages.info(request, _("There was nothing to start: it runs or has ended already, or has no good line."))
    return _back(found)


@require_POST
@_guard
def cancel(request: HttpRequest, task_import: uuid.UUID) -> HttpResponse:
    found = _own(request, task_import)
    if task_imports.cancel(found):
        messages.success(request, _("The import was cancelled. What was imported before stays."))
    else:
        messages.info(request, _("There was nothing to cancel: the import had ended before."))
    return _back(found)


@_guard
@require_safe
def bad_lines(request: HttpRequest, task_import: uuid.UUID) -> HttpResponseBase:
    """Send the lines that can't be imported, each with what is wrong with it."""
    found = _own(request, task_import)
    if not found.bad or not found.file_name or not import_files.exists(found.file_name):
        messages.info(request, _("There are no refused lines, or they are no longer kept."))
        return _back(found)
    heading = [*found.headings, _("Line"), _("Problem")]
    return csv_response("refused-lines.csv", heading, _bad_rows(found))


def _bad_rows(found: TaskImport) -> Iterator[list[object]]:
    wrong = dict(found.problems.values_list("line", "errors"))
    for number, cells in import_files.every(found.file_name):
        if number in wrong:
            yield [*cells, number, "; ".join(f"{name}: {text}" if name else text for name, text in wrong[number])]


def _own(request: HttpRequest, key: uuid.UUID) -> TaskImport:
    """Return the viewer's own import; another's is not there, for admins neither."""
    mine = TaskImport.objects.visible_to(viewer_of(request)).select_related("user")
    return get_object_or_404(mine, uuid=key)


def _taken(request: HttpRequest, form: UploadForm) -> TaskImport | None:
    """Keep the file and check its first lines; what is wrong with it is said at the form's field."""
    if is_too_large(request):
        form.errors.pop("file", None)
        words = _("The file has more than %(most)s MB. Split it.")
        form.add_error("file", words % {"most": MAX_BYTES // 1_000_000})
        return None
    if not form.is_valid():
        return None
    upload = form.cleaned_data["file"]
    try:
        found = task_imports.ask(viewer_of(request), upload.file, upload.name or _("tasks.csv"))
    except ValidationError as error:
        form.add_error("file", error)
    except task_imports.TooManyError:
        words = _("%(count)d of your files are not finished yet. Import or cancel one of them first.")
        form.add_error("file", words % {"count": task_imports.MOST_AT_ONCE})
    except OSError:
        form.add_error("file", _("The file could not be stored: is the server's disk full? Tell an admin."))
    else:
        _first_slice(found)
        return found
    return None


def _first_slice(found: TaskImport) -> None:
    """Begin at once: a small file is done before the page is shown, the rest goes on in the background."""
    if found.is_working and found.lease_token:
        import_slices.run(found.pk, found.lease_token)


def _back(found: TaskImport) -> HttpResponse:
    return HttpResponseRedirect(reverse("task_import", args=[found.uuid]))


def _page(request: HttpRequest, found: TaskImport, form: MappingForm | None = None, status: int = 200) -> HttpResponse:
    is_ready = found.state == ImportState.READY
    problems = list(found.problems.all()[: MOST_PROBLEMS + 1])
    context = {
        "found": found,
        "tone": _TONES[ImportState(found.state)],
        "lines": _lines(found),
        "numbers": {name: _number(getattr(found, name)) for name in ("total", "good", "known", "bad", "imported")},
        "form": (form or MappingForm(found)) if is_ready else None,
        "is_ready": is_ready,
        "is_checked": is_ready and not found.error,
        "notes": _notes(found) if is_ready and not found.error else [],
        "sample": _sample(found) if is_ready and found.good else [],
        "problems": [
            (problem.line, LABELS.get(name, ""), name, text)
            for problem in problems[:MOST_PROBLEMS]
            for name, text in problem.errors
        ],
        "shown": min(len(problems), MOST_PROBLEMS),
        "has_more": len(problems) > MOST_PROBLEMS,
        "has_bad_lines": bool(found.bad and found.file_name) and not found.is_working,
        "tasks_url": f"{reverse('admin:sync_task_changelist')}?imported={found.uuid}",
    }
    title = _("Import of %(name)s") % {"name": found.name}
    return render_manager_page(request, "task_import/import.html", title, context, status)


def _sample(found: TaskImport) -> list[list[tuple[str, str]]]:
    """Name and value of each cell of the first lines, so that a column that was taken for another is noticed."""
    try:
        lines = import_slices.sample(found)
    except OSError:
        return []
    return [_told(line, ZoneInfo(found.time_zone)) for line in lines]


def _told(line: Line, zone: ZoneInfo) -> list[tuple[str, str]]:
    said = line.completion
    assert said is not None
    planned = said.task or said.step
    kind = planned.kind if planned is not None else said.kind
    when = formats.localize(said.completed_at.astimezone(zone)) if said.completed_at else _("at the import")
    name = said.task.subject if said.task is not None else said.step.name if said.step is not None else ""
    return [
        (_("Line"), str(line.number)),
        (_("User"), str(said.user)),
        (_("Kind"), str(TaskKind(kind).label) if kind else ""),
        (_("Subject"), said.subject or name),
        (_("When"), when),
        (_("Record"), str(said.record or "–")),
        (_("Number or address"), said.phone_number or said.email_address or "–"),
    ]


def _lines(found: TaskImport) -> str:
    return _("%(done)s of %(total)s lines") % {"done": _number(found.done), "total": _number(found.total)}


def _number(number: int) -> str:
    return number_format(number, force_grouping=True)


def _notes(found: TaskImport) -> list[str]:
    """What whoever imports should know before they do."""
    mapping = cast(list[str], found.mapping)
    notes = []
    if found.without_offset:
        words = ngettext(
            "%(count)s time has no offset. It is taken as a time in %(zone)s.",
            "%(count)s times have no offset. They are taken as times in %(zone)s.",
            found.without_offset,
        )
        notes.append(words % {"count": _number(found.without_offset), "zone": found.time_zone.replace("_", " ")})
    if "completed_at" not in mapping:
        notes.append(_("No column says when. All count as completed at the moment of the import."))
    if "kind" not in mapping:
        notes.append(_("No column says what they are. All are calls."))
    words = _(
        "A line without a key counts as the same when user, kind, time, number or address, subject, record, duration "
        "and step of the play are the same: it is imported once."
    )
    if "key" not in mapping:
        notes.append(_("No column has the dialer's own id.") + " " + words)
    if left_out := [heading for heading, name in zip(found.headings, mapping, strict=True) if heading and not name]:
        notes.append(_("Not imported: %(columns)s.") % {"columns": ", ".join(left_out)})
    return notes
