"""The addresses of the HTTP API."""

from django.urls import path, re_path

from sync.api.site import api, nothing_here

urlpatterns = [
    path("v1/", api.urls),
    re_path("", nothing_here),
]
