"""Addresses of everyone's settings about the CRM, below settings/."""

from django.urls import URLPattern, URLResolver, path

from sync.views import my_crm

urlpatterns: list[URLPattern | URLResolver] = [
    path("crm/", my_crm.my_crm, name="my_crm"),
]
