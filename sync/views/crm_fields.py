"""Settings › CRM › Fields: what the org's Task has, what of it is filled, and the package of custom fields."""  # noqa: RUF002

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync import connecting, crm_fields, troubles
from sync.crm.fields_check import is_complete
from sync.crm.package import FILE_NAME, PACKAGE_FIELDS, PACKAGE_VERSION, package_zip
from sync.errors import CrmError
from sync.models import Connection, FieldMapping
from sync.views.crm_fields_form import FieldsForm
from teams.pages import manager_page, render_manager_page

_VIEW, _CHANGE = "sync.view_fieldmapping", "sync.change_fieldmapping"


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page(_VIEW, _CHANGE)
def fields_page(request: HttpRequest) -> HttpResponse:
    """Show what was last seen of the fields, and keep which of them are filled."""
    return _save(request) if request.method == "POST" else _show(request)


@require_POST
@manager_page(_VIEW, _CHANGE)
def check_now(request: HttpRequest) -> HttpResponse:
    """Ask the org at once."""
    connection = _connection()
    if reason := crm_fields.why_not_now(connection):
        messages.error(request, reason)
        return redirect("crm_fields")
    assert connection is not None
    try:
        found = crm_fields.look(connection)
    except CrmError as error:
        messages.error(request, _refusal(error))
        return redirect("crm_fields")
    wanting = sum(not report.state.is_good for report in found.reports)
    if not wanting:
        messages.success(request, _("Checked: every field that Playbooks fills is there."))
    else:
        text = ngettext("Checked: %(count)d field is not filled.", "Checked: %(count)d fields are not filled.", wanting)
        messages.warning(request, text % {"count": wanting})
    return redirect("crm_fields")


@require_POST
@manager_page(_VIEW, _CHANGE)
def as_usual(request: HttpRequest) -> HttpResponse:
    """Let every slot go into its usual field again."""
    connection = _connection()
    if connection is not None:
        crm_fields.choose(connection, {}, seen=FieldMapping.objects.names())
        _apply(connection)
        messages.success(request, _("Every field is the usual one again, from the next Task on."))
    return redirect("crm_fields")


@require_safe
@manager_page(_VIEW)
def package(_request: HttpRequest) -> HttpResponse:
    """Hand out the package as a file."""
    return HttpResponse(
        package_zip(),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{FILE_NAME}"'},
    )


def _connection() -> Connection | None:
    return Connection.objects.of_organisation().without_tokens().first()


def _show(request: HttpRequest, form: FieldsForm | None = None, status: int = 200) -> HttpResponse:
    connection, names = _connection(), FieldMapping.objects.names()
    found = crm_fields.comparison(connection, names) if connection else None
    context: dict[str, Any] = {
        "connection": connection,
        "not_now": crm_fields.why_not_now(connection),
        "found": found,
        # What is wrong first; else in the order of the slots.
        "reports": sorted(found.reports, key=lambda report: report.state.is_good) if found else (),
        "is_complete": found is not None and is_complete(found.reports),
        "form": form or (FieldsForm(None, found.check.org_fields, names) if found else None),
        "is_changed": bool(names),
        "fewest": crm_fields.FEWEST_CALLS,
        "most": crm_fields.MOST_CALLS,
        "package_version": PACKAGE_VERSION,
        "package_fields": PACKAGE_FIELDS,
        "package_file": FILE_NAME,
    }
    return render_manager_page(request, "crm_fields/page.html", _("Fields"), context, status)


def _save(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen, checked against the org's fields as they are now."""
    connection, names = _connection(), FieldMapping.objects.names()
    problem, found = crm_fields.why_not_now(connection), None
    if connection is not None and not problem:
        try:
            found = crm_fields.look(connection)
        except CrmError as error:
            problem = _refusal(error)
    if connection is not None and found is None:
        found = crm_fields.comparison(connection, names)
    if connection is None or found is None:
        messages.error(request, problem)
        return redirect("crm_fields")
    form = FieldsForm(request.POST, found.check.org_fields, names)
    if problem:
        text = _("Nothing was changed, because the fields can't be checked now. %(why)s")
        form.add_error(None, text % {"why": problem})
    return _keep(request, connection, form) if form.is_valid() else _show(request, form, 422)


def _keep(request: HttpRequest, connection: Connection, form: FieldsForm) -> HttpResponse:
    try:
        changed = crm_fields.choose(connection, form.names(), seen=form.seen_names())
    except crm_fields.ChangedMeanwhileError:
        form.add_error(None, _("Somebody changed the fields since you opened this page. Load it again, then choose."))
        return _show(request, form, 409)
    if changed:
        _apply(connection)
        text = _("From the next Task on, these go where you chose: %(what)s.")
        messages.success(request, text % {"what": ", ".join(changed)})
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("crm_fields")


def _apply(connection: Connection) -> None:
    """Read the schema with the new choice; where that fails, whoever sends next does it."""
    try:
        if connecting.read_schema(connection, connecting.gateway(connection)):
            troubles.probe_at_once(connection)
    except CrmError as error:
        connecting.note_loss(connection, error)


def _refusal(error: CrmError) -> str:
    text = _("The CRM could not be asked: %(code)s: %(message)s")
    return text % {"code": error.code, "message": error.message}
