"""Teams › team › user: members with their CRM Email Sync, and one member's page."""  # noqa: RUF002

from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from teams.email_sync_facts import States, states_of
from teams.models import EmailDirection, MailProvider, Team, User
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import page_of, viewer_of
from teams.switching import switch_user
from teams.views.switches import Row, back_of, choice_in, direction_in, press, row_of, seen_in

PER_PAGE = 50
OWN_CHOICE = (EmailDirection.OUTBOUND, EmailDirection.INBOUND)


def team_of(request: HttpRequest, team: UUID) -> Team:
    """Return a team of the viewer's; another's isn't there."""
    return get_object_or_404(Team.objects.visible_to(viewer_of(request)), uuid=team)


def member_of(request: HttpRequest, team: UUID, user: UUID) -> User:
    """Return a member of one of the viewer's teams, with the team; anybody else isn't there."""
    viewer = viewer_of(request)
    members = User.objects.visible_to(viewer).filter(team__in=Team.objects.visible_to(viewer))
    member: User = get_object_or_404(members.select_related("team"), uuid=user, team__uuid=team)
    return member


@manager_page("teams.view_team", "teams.view_emailswitch")
def team_page(request: HttpRequest, team: UUID) -> HttpResponse:
    """List the team's active members; each with what is in force, why, and the switches."""
    the_team = team_of(request, team)
    query = request.GET.get("q", "").strip()
    pages = Paginator(_search(the_team.members.active().order_by("name", "pk"), query), PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    members = list(page.object_list)
    states = states_of(members)
    back = request.get_full_path()
    context = {
        "team": the_team,
        "managers": list(the_team.managers.all()),
        "page": page,
        "query": query,
        "members": [
            {
                "user": member,
                "url": reverse("team_user", args=(team, member.uuid)),
                "rows": _rows(request, the_team, member, states[member.pk], back, OWN_CHOICE),
            }
            for member in members
        ],
        "edit_url": page_of(the_team) if viewer_of(request).has_perm("teams.change_team") else "",
        "directions": OWN_CHOICE,
    }
    return render_manager_page(request, "manager/team.html", the_team.name, context)


@manager_page("teams.view_team", "teams.view_emailswitch")
def team_user(request: HttpRequest, team: UUID, user: UUID) -> HttpResponse:
    """One member: the switches, whose the last change was, and how many private rules they have."""
    member = member_of(request, team, user)
    assert member.team is not None
    back = reverse("team_user", args=(team, user))
    context: dict[str, Any] = {
        "team": member.team,
        "member": member,
        "rows": _rows(request, member.team, member, states_of([member])[member.pk], back, tuple(EmailDirection)),
        "provider": MailProvider(member.mail_provider),
        # How many, never which: private rules are their owner's alone.
        "private_rules": member.blacklist_rules.count(),
        "user_url": page_of(member),
    }
    return render_manager_page(request, "manager/team_user.html", str(member), context)


@manager_page("teams.view_team", "teams.change_emailswitch")
def team_user_switch(request: HttpRequest, team: UUID, user: UUID, direction: str) -> HttpResponse:
    """Set a member's switch (M15)."""
    page = reverse("team_user", args=(team, user))
    if request.method != "POST":
        return HttpResponseRedirect(page)
    viewer, which = viewer_of(request), direction_in(direction)
    choice, seen = choice_in(request.POST.get("choice", "")), seen_in(request)
    member = member_of(request, team, user)

    def row() -> Row:
        now = member_of(request, team, user)
        assert now.team is not None
        return _rows(request, now.team, now, states_of([now])[now.pk], back_of(request, page), (which,))[0]

    return press(request, lambda: switch_user(viewer, member, which, choice, seen=seen), row)


def _search(members: QuerySet[User], query: str) -> QuerySet[User]:
    if "\0" in query:
        raise BadRequest("A NUL byte in the address")
    return members.filter(Q(name__icontains=query) | Q(email__icontains=query)) if query else members


def _rows(
    request: HttpRequest, team: Team, member: User, states: States, back: str, directions: tuple[EmailDirection, ...]
) -> list[Row]:
    viewer = viewer_of(request)
    return [
        row_of(
            states[direction],
            viewer,
            key=f"{member.uuid}-{direction.value}",
            url=reverse("team_user_switch", args=(team.uuid, member.uuid, direction.value)),
            back=back,
        )
        for direction in directions
    ]
