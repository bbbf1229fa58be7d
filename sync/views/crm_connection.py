"""The page Connection: whether it works, as whom, and what is missing; checking it and taking it away."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync import connecting
from sync.enums import ConnectionState
from sync.errors import CrmError
from sync.models import Connection, OutboxRow, PendingConnection
from sync.views.crm_connection_facts import app_facts, facts_of
from sync.views.crm_connection_form import ConnectForm, form_for
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of


@require_safe
@manager_page("sync.view_connection")
def connection_page(request: HttpRequest) -> HttpResponse:
    """Show the connection, or how to make one."""
    return show(request)


@require_POST
@manager_page("sync.change_connection")
def check_now(request: HttpRequest) -> HttpResponse:
    """Look at once whether the Access User is let in, and what it may do."""
    try:
        connection = get_object_or_404(Connection.objects.of_organisation())
    except ImproperlyConfigured as error:
        # No key reads the tokens. The page itself is shown without them.
        messages.error(request, str(error))
        return redirect("crm_connection")
    if connection.disconnected_by_id:
        messages.warning(request, _("It was disconnected on purpose. To connect again, log in to Salesforce below."))
    elif connection.state == ConnectionState.DISCONNECTED:
        if connecting.reconnect(connection):
            messages.success(request, _("Salesforce lets the Access User in again. What waited is being sent."))
        else:
            messages.error(request, _("Salesforce still doesn't let the Access User in. Its words stand below."))
    else:
        _check(request, connection)
    return redirect("crm_connection")


@require_http_methods(["GET", "HEAD", "POST"])
@manager_page("sync.change_connection")
def disconnect(request: HttpRequest) -> HttpResponse:
    """Say what disconnecting does, and do it."""
    connection = get_object_or_404(Connection.objects.of_organisation().without_tokens())
    if connection.disconnected_by_id:
        return redirect("crm_connection")
    if request.method != "POST":
        waiting = OutboxRow.objects.unsettled().filter(connection=connection).count()
        context = {"connection": connection, "waiting": waiting}
        return render_manager_page(request, "crm_connection/disconnect.html", _("Disconnect Salesforce?"), context)
    problem = connecting.disconnect(connection, viewer_of(request))
    if problem is None:
        messages.success(request, _("Disconnected. Salesforce has ended the Access User's log-in."))
    else:
        messages.warning(
            request,
            _(
                "Disconnected here, but Salesforce could not be told (%(code)s: %(message)s). End the log-in there, "
                "too: Setup, Connected Apps OAuth Usage."
            )
            % {"code": problem.code, "message": problem.message},
        )
    return redirect("crm_connection")


def show(request: HttpRequest, form: ConnectForm | None = None, status: int = 200) -> HttpResponse:
    """Render the page; `form` when something is wrong with it."""
    connection = Connection.objects.of_organisation().without_tokens().select_related("disconnected_by").first()
    waiting = PendingConnection.objects.live().filter(user=viewer_of(request)).only("access_user_name").first()
    context: dict[str, Any] = {
        "connection": connection,
        "facts": facts_of(connection, timezone.now()) if connection else None,
        "pending": waiting,
        "form": form or form_for(connection),
        "app": app_facts(request.get_host()),
    }
    return render_manager_page(request, "crm_connection/page.html", _("Connection"), context, status)


def _check(request: HttpRequest, connection: Connection) -> None:
    try:
        connecting.check(connection)
    except CrmError as error:
        messages.error(
            request,
            _("Salesforce could not be asked: %(code)s: %(message)s") % {"code": error.code, "message": error.message},
        )
    else:
        messages.success(request, _("Checked: Salesforce lets the Access User in."))
