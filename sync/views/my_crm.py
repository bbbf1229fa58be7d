"""Settings › CRM: what of mine syncs as whom, how it stands, and who can help."""  # noqa: RUF002

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.enums import ConnectionState, CrmUserFinding, OutboxState
from sync.models import Connection, CrmUserLookup, OutboxRow, Task
from sync.models.outbox import UNSETTLED
from teams.models import User
from teams.pages import render_settings_page, settings_page
from teams.scoped_admin import viewer_of


@settings_page
def my_crm(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    connection = Connection.objects.of_organisation().defer("access_token", "refresh_token", "schema").first()
    rows = OutboxRow.objects.newest().filter(user=viewer)
    counts = rows.aggregate(
        waiting=Count("pk", filter=Q(state__in=UNSETTLED)), failed=Count("pk", filter=Q(state=OutboxState.FAILED))
    )
    context = {
        "crm_user": _crm_user(viewer),
        "connection": connection,
        "state": _state(connection),
        "last_synced": Task.objects.filter(user=viewer, synced_at__isnull=False).order_by("-synced_at").first(),
        "helpers": _helpers(viewer),
        **counts,
    }
    return render_settings_page(request, "settings/my_crm.html", gettext_lazy("CRM"), context)


def _crm_user(viewer: User) -> dict[str, Any]:
    """Who the viewer is in the CRM, and how that is known; or why nobody."""
    lookup = CrmUserLookup.objects.filter(user=viewer).first()
    candidate = lookup.candidate(viewer.crm_user_id) if lookup else None
    if viewer.crm_user_id is None:
        known = (CrmUserFinding.MATCHED, CrmUserFinding.CHOSEN)
        why = lookup.get_finding_display() if lookup and lookup.finding not in known else _("It was not looked up yet")
        return {"id": "", "why": why}
    how = _("entered by a manager or an admin")
    if lookup and candidate and lookup.finding == CrmUserFinding.MATCHED:
        how = _("found by your e-mail")
    elif lookup and candidate and lookup.finding == CrmUserFinding.CHOSEN:
        how = _("chosen by a manager or an admin")
    return {"id": viewer.crm_user_id, "name": candidate["name"] if candidate else "", "how": how}


def _state(connection: Connection | None) -> tuple[str, str, str]:
    """The connection in a rep's words: tone, word, and what that means for them."""
    if connection is None:
        return (
            "neutral",
            _("Not connected yet"),
            _("What you complete is kept, and syncs once an admin has connected the CRM."),
        )
    if connection.state != ConnectionState.CONNECTED:
        return (
            "bad",
            _("Disconnected"),
            _("Nothing is lost: what you complete waits, and syncs once it is back. Admins know."),
        )
    if not connection.may_send(timezone.now()):
        return (
            "warn",
            _("Resting"),
            _("The CRM takes nothing at the moment. It goes on by itself; what you complete waits."),
        )
    return "good", _("Connected"), _("What you complete stands in the CRM almost at once.")


def _helpers(viewer: User) -> list[User]:
    """The managers of the viewer's team, else the admins; at most five."""
    managers = (
        User.objects.active().filter(managed_teams=viewer.team_id).exclude(pk=viewer.pk) if viewer.team_id else []
    )
    return list(managers[:5]) or list(User.objects.admins().exclude(pk=viewer.pk)[:5])
