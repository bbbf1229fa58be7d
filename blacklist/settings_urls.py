"""Addresses of everyone's settings about the blacklists, below settings/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
