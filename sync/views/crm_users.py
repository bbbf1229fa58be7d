"""Users › Without CRM user: whose Tasks the Access User owns, why, and what can be done about it."""  # noqa: RUF002

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sync import crm_users as lookups
from sync.enums import CrmUserFinding
from sync.errors import CrmError, NotConnectedError
from sync.models import CrmUserLookup
from teams.models import User
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import Text, page_of, viewer_of

PER_PAGE = 50
# Five calls: the page answers within seconds. The rest is looked up at night, or by pressing again.
MOST_AT_ONCE = 1000

UNASKED = "unasked"
REMEDIES: dict[str, Text] = {
    CrmUserFinding.NONE: gettext_lazy(
        "Correct the e-mail here or in the CRM, or enter the CRM user id on the user's page. (In a Salesforce sandbox "
        "e-mails end with .invalid.)"
    ),
    CrmUserFinding.SEVERAL: gettext_lazy("Choose whose Tasks they are."),
    CrmUserFinding.INACTIVE: gettext_lazy(
        "A deactivated CRM user can't own Tasks. Reactivate it in the CRM, or deactivate this user."
    ),
    CrmUserFinding.TAKEN: gettext_lazy("Look up who has this CRM user id, under Users, and correct the wrong one."),
    UNASKED: gettext_lazy("It is looked up tonight, or at once with “Match now”."),
}


@manager_page("teams.view_user", "teams.change_user")
def crm_users(request: HttpRequest) -> HttpResponse:
    """List the active reps of the viewer who have no CRM user."""
    mine = _mine(request)
    why, query = request.GET.get("why", ""), request.GET.get("q", "").strip()
    if "\0" in query:
        raise BadRequest("A NUL byte in the address")
    shown = mine.filter(crm_user_lookup=None) if why == UNASKED else mine
    if why in CrmUserFinding.values:
        shown = mine.filter(crm_user_lookup__finding=why)
    if query:
        shown = shown.filter(Q(name__icontains=query) | Q(email__icontains=query))
    page = Paginator(shown.order_by("name", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    counts = dict(mine.order_by().values_list("crm_user_lookup__finding").annotate(Count("pk")))
    context = {
        "page": page,
        "rows": [_row(user) for user in page.object_list],
        "query": query,
        "why": why,
        "reasons": [(key, label, counts.get(finding, 0)) for key, label, finding in _reasons() if counts.get(finding)],
        "total": sum(counts.values()),
        "not_now": lookups.why_not_now(timezone.now()),
        "looked_up_at": mine.aggregate(at=Max("crm_user_lookup__at"))["at"],
    }
    return render_manager_page(request, "manager/crm_users.html", gettext_lazy("Users without a CRM user"), context)


@manager_page("teams.view_user", "teams.change_user")
def match_now(request: HttpRequest) -> HttpResponse:
    """Look up the viewer's users by e-mail at once."""
    if request.method == "POST":
        viewer = viewer_of(request)
        try:
            report = lookups.match(User.objects.visible_to(viewer), actor=viewer, most=MOST_AT_ONCE)
        except NotConnectedError as error:
            messages.error(request, str(error))
        except CrmError as error:
            text = _("The CRM could not be asked: %(message)s (%(code)s). What was found before that is kept.")
            messages.error(request, text % {"message": error.message, "code": error.code})
        else:
            _say(request, report)
    return HttpResponseRedirect(reverse("crm_users"))


@manager_page("teams.view_user", "teams.change_user")
def choose(request: HttpRequest, user: UUID) -> HttpResponse:
    """Give one user the CRM user that was chosen among those with the same e-mail."""
    if request.method == "POST":
        viewer = viewer_of(request)
        the_user = get_object_or_404(User.objects.visible_to(viewer), uuid=user)
        if not viewer.has_perm("teams.change_user", the_user):
            raise PermissionDenied
        try:
            name = lookups.choose(viewer, the_user, request.POST.get("crm_user", ""))
        except lookups.ChoiceRefusedError as error:
            messages.error(request, str(error))
        else:
            text = _("%(user)s is %(name)s in the CRM from now on. Tasks that are there already keep their owner.")
            messages.success(request, text % {"user": the_user, "name": name})
    return HttpResponseRedirect(reverse("crm_users"))


def _mine(request: HttpRequest) -> QuerySet[User]:
    users: QuerySet[User] = lookups.unmatched().visible_to(viewer_of(request))  # type: ignore[attr-defined]
    return users.select_related("team", "crm_user_lookup")


def _reasons() -> list[tuple[str, Text, str | None]]:
    """Each filter's value, its words and the finding in the database."""
    named = (CrmUserFinding.NONE, CrmUserFinding.SEVERAL, CrmUserFinding.INACTIVE, CrmUserFinding.TAKEN)
    return [*((each.value, each.label, each.value) for each in named), (UNASKED, _("Not looked up yet"), None)]


def _row(user: User) -> dict[str, Any]:
    lookup: CrmUserLookup | None = getattr(user, "crm_user_lookup", None)
    # A choice or match whose id somebody took away again says nothing any more.
    known = lookup is not None and lookup.finding in REMEDIES
    finding = CrmUserFinding(lookup.finding) if lookup and known else None
    can_choose = finding == CrmUserFinding.SEVERAL
    candidates = lookup.candidates if lookup and finding else []
    return {
        "user": user,
        "url": page_of(user),
        "finding": finding.label if finding else _("Not looked up yet"),
        "remedy": REMEDIES[finding or UNASKED],
        "candidates": [
            {**each, "can_choose": can_choose and each["is_active"] and each["is_free"]} for each in candidates
        ],
    }


def _say(request: HttpRequest, report: lookups.Report) -> None:
    if not report.looked_up:
        messages.info(request, _("Everyone has a CRM user already."))
        return
    text = ngettext(
        "%(many)d user was looked up by e-mail, %(matched)d found.",
        "%(many)d users were looked up by e-mail, %(matched)d found.",
        report.looked_up,
    ) % {"many": report.looked_up, "matched": report.matched}
    if report.left:
        text += " " + _("Users without a CRM user that are left: %(left)d. Press again, or wait for tonight.") % {
            "left": report.left
        }
    messages.success(request, text) if report.matched else messages.info(request, text)
