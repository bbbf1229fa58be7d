"""Addresses of the Manager App's pages about users, teams and the organisation, below manager/."""

from django.urls import URLPattern, URLResolver, path

from teams.views import team, team_email_sync

# Below the model's own list, so that its entry of the navigation stays the one one is at.
_TEAM = "teams/team/<uuid:team>"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_TEAM}/", team.team_page, name="team"),
    path(f"{_TEAM}/crm-email-sync/", team_email_sync.team_email_sync, name="team_email_sync"),
    path(f"{_TEAM}/users/<uuid:user>/", team.team_user, name="team_user"),
    path(f"{_TEAM}/users/<uuid:user>/<str:direction>/", team.team_user_switch, name="team_user_switch"),
]
