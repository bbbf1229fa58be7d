"""Switching a whole team in one go: the preview of who changes, then the change."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from teams.email_sync import in_words
from teams.models import EmailDirection, SwitchChoice, Team, User
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of
from teams.team_switching import Effect, Line, Plan, StalePlanError, load_plan, switch_team
from teams.views.switches import choice_in, direction_in
from teams.views.team import OWN_CHOICE, team_of

# Of more the counts say enough; all of them are switched.
MOST_SHOWN = 200


@manager_page("teams.view_team", "teams.change_emailswitch")
def team_email_sync(request: HttpRequest, team: UUID) -> HttpResponse:
    """Show who would change, and after the confirmation change exactly these."""
    the_team = team_of(request, team)
    asked = request.POST if request.method == "POST" else request.GET
    direction, choice = direction_in(asked.get("direction", "")), choice_in(asked.get("choice", ""))
    if direction not in OWN_CHOICE:
        raise Http404  # attachments are no member's choice
    if request.method != "POST":
        return _preview(request, the_team, load_plan(the_team, direction, choice))
    fingerprint = request.POST.get("plan", "")
    try:
        plan = switch_team(viewer_of(request), the_team, direction, choice, fingerprint=fingerprint)
    except StalePlanError as error:
        messages.error(
            request, _("Nobody was switched: something has changed since the preview. This is how it is now.")
        )
        return _preview(request, the_team, error.plan, status=409)
    messages.success(request, _done(plan))
    return HttpResponseRedirect(reverse("team", args=(team,)))


def _preview(request: HttpRequest, team: Team, plan: Plan, status: int = 200) -> HttpResponse:
    viewer = viewer_of(request)
    groups = [
        {
            "title": title,
            "count": len(lines),
            "shown": [_shown(line, viewer) for line in lines[:MOST_SHOWN]],
            "more": max(0, len(lines) - MOST_SHOWN),
        }
        for effect, title in (
            (Effect.CHANGES, _("Will change")),
            (Effect.SKIPPED, _("Left out")),
            (Effect.STAYS, _("Stand so already")),
        )
        if (lines := plan.of(effect))
    ]
    context = {
        "team": team,
        "plan": plan,
        "what": _asked(plan),
        "choice": plan.choice.value or "follow",
        "count": len(plan.of(Effect.CHANGES)),
        "groups": groups,
    }
    title = _("%(team)s: CRM Email Sync") % {"team": team.name}
    return render_manager_page(request, "manager/team_email_sync.html", title, context, status=status)


def _shown(line: Line, viewer: User) -> tuple[str, str]:
    return str(line.user), in_words(line.state, viewer.pk)


def _asked(plan: Plan) -> str:
    """Say what was asked for, in words."""
    match plan.direction, plan.choice:
        case EmailDirection.OUTBOUND, SwitchChoice.ON:
            return _("Switch outbound on")
        case EmailDirection.OUTBOUND, SwitchChoice.OFF:
            return _("Switch outbound off")
        case EmailDirection.OUTBOUND, _any:
            return _("Let outbound follow the organisation")
        case _any, SwitchChoice.ON:
            return _("Switch inbound on")
        case _any, SwitchChoice.OFF:
            return _("Switch inbound off")
    return _("Let inbound follow the organisation")


def _done(plan: Plan) -> str:
    changed = len(plan.of(Effect.CHANGES))
    text = ngettext("%(what)s: %(count)d user was changed.", "%(what)s: %(count)d users were changed.", changed)
    return text % {"what": _asked(plan), "count": changed}
