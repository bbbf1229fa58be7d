"""Addresses of the Manager App's pages about the CRM, below manager/."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
