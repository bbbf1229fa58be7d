"""Addresses of the Manager App's pages about users, teams and the organisation, below manager/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
