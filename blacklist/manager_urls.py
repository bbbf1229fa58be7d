"""Addresses of the Manager App's pages about the blacklists, below manager/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
