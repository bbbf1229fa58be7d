"""Addresses of everyone's settings about users, teams and the organisation, below settings/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
