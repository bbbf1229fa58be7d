"""Addresses of everyone's settings about users, teams and the organisation, below settings/."""

from django.urls import URLPattern, URLResolver, path

from teams import notice_views
from teams.views import my_email_sync, profile

urlpatterns: list[URLPattern | URLResolver] = [
    path("email/crm-email-sync/", my_email_sync.my_email_sync, name="my_email_sync"),
    path("email/crm-email-sync/<str:direction>/", my_email_sync.my_email_switch, name="my_email_switch"),
    path("profile/", profile.my_profile, name="my_profile"),
    path("notices/", notice_views.my_notices, name="my_notices"),
]
