"""Connecting in the browser: to Salesforce and back, a look at what was let in, and accepting or discarding it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sync import consent
from sync.browser_app import missing_settings
from sync.consent_errors import ConsentError
from sync.crm.base import TaskSchema
from sync.enums import AuthFlow
from sync.errors import NotConnectedError
from sync.models import Connection, PendingConnection
from sync.views.crm_connection import show
from sync.views.crm_connection_facts import access_facts, is_elsewhere, usage_words
from sync.views.crm_connection_form import ConnectForm
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of

_BEGUN = "crm_consent"
_PERMISSION = "sync.change_connection"


@manager_page(_PERMISSION)
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to Salesforce.

    By a Refresh header, not by a redirect: the page's policy lets forms lead nowhere else, and browsers hold every
    redirect on the way to it, also those of the org's own single sign-on.
    """
    if request.method != "POST":  # the address of a refused form, entered again
        return redirect("crm_connection")
    form = ConnectForm(request.POST)
    if missing_settings() or is_elsewhere(request.get_host()) or not form.is_valid():
        return show(request, form, status=400)
    try:
        address, begun = consent.begin(form.cleaned_data["login_url"], viewer_of(request))
    except NotConnectedError as error:
        form.add_error(None, str(error))
        return show(request, form, status=400)
    request.session[_BEGUN] = begun.to_json()
    response = render_manager_page(request, "crm_connection/leaving.html", _("To Salesforce"), {"address": address})
    response["Refresh"] = f"0; url={address}"
    return response


@require_safe
@manager_page(_PERMISSION)
def callback(request: HttpRequest) -> HttpResponse:
    """Take what Salesforce sent the browser back with, once, from the session that asked for it."""
    user, state = viewer_of(request), request.GET.get("state", "")
    begun = consent.Begun.from_json(request.session.get(_BEGUN))
    if begun is None or not begun.answers(state, user, timezone.now()):
        # What was begun stays: a forged address must not end it.
        return _not_connected(request, ConsentError("", "", _stale()))
    del request.session[_BEGUN]
    request.session.save()  # before anything is asked: the same answer can't be used twice at once
    try:
        consent.came_back(begun, user, request.GET.dict())
    except ConsentError as error:
        return _not_connected(request, error)
    return redirect("crm_connection_review")


@require_safe
@manager_page(_PERMISSION)
def review(request: HttpRequest) -> HttpResponse:
    """Show what was let in, before it counts."""
    pending = _pending(request)
    if pending is None:
        return _nothing_waits(request)
    known = Connection.objects.of_organisation().without_tokens().first()
    context = {
        "pending": pending,
        "access": access_facts(consent.access_of(pending), TaskSchema.from_json(pending.schema)),
        "usage": usage_words(pending.usage) if pending.usage else "",
        "known": known,
        "replaces_settings": known is not None and known.auth_flow != AuthFlow.WEB_SERVER,
        "is_other_user": known is not None and known.access_user_id != pending.access_user_id,
        "minutes_left": pending.minutes_left(timezone.now()),
    }
    return render_manager_page(request, "crm_connection/review.html", _("Accept this connection?"), context)


@require_POST
@manager_page(_PERMISSION)
def accept(request: HttpRequest) -> HttpResponse:
    """Make what was let in the organisation's connection."""
    pending = _pending(request)
    if pending is None or str(pending.uuid) != request.POST.get("pending"):
        return _nothing_waits(request)
    try:
        connection = consent.accept(pending, viewer_of(request))
    except ConsentError as error:
        return _not_connected(request, error)
    if connection is None:
        return _nothing_waits(request)
    messages.success(
        request, _("Connected as %(user)s. What waited is being sent.") % {"user": connection.access_user_name}
    )
    return redirect("crm_connection")


@require_POST
@manager_page(_PERMISSION)
def discard(request: HttpRequest) -> HttpResponse:
    """Forget what was let in."""
    pending = _pending(request)
    if pending is None or str(pending.uuid) != request.POST.get("pending"):
        return _nothing_waits(request)
    problem = consent.discard(pending)
    if problem is None:
        messages.success(request, _("Discarded: nothing has changed, and Salesforce has ended that log-in."))
    else:
        messages.warning(
            request,
            _("Discarded: nothing has changed. Salesforce could not be told so (%(code)s: %(message)s).")
            % {"code": problem.code, "message": problem.message},
        )
    return redirect("crm_connection")


def _pending(request: HttpRequest) -> PendingConnection | None:
    """What this admin has to decide about; nobody else's."""
    return PendingConnection.objects.live().without_tokens().filter(user=viewer_of(request)).first()


def _nothing_waits(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("There is nothing to accept any more. Nothing has changed; to connect, begin again."))
    return redirect("crm_connection")


def _not_connected(request: HttpRequest, error: ConsentError) -> HttpResponse:
    context = {"error": error}
    return render_manager_page(request, "crm_connection/refused.html", _("Not connected"), context, status=400)


def _stale() -> str:
    return _(
        "This answer fits no log-in that you began here: it was begun in another browser or by another user, was used "
        "already, or took longer than 15 minutes. Begin again."
    )
