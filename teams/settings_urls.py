"""Addresses of everyone's settings about users, teams and the organisation, below settings/."""

from django.urls import URLPattern, URLResolver, path

from teams import notice_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("notices/", notice_views.my_notices, name="my_notices"),
]
