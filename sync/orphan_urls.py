"""Addresses of the orphaned calls, below orphaned-calls/."""

from django.urls import URLPattern, URLResolver, path

from sync.views import orphaned_call, orphaned_calls

urlpatterns: list[URLPattern | URLResolver] = [
    path("", orphaned_calls.orphaned_calls, name="orphaned_calls"),
    path("<uuid:task>/", orphaned_call.orphaned_call, name="orphaned_call"),
    path("<uuid:task>/adopt/", orphaned_call.adopt_call, name="orphaned_call_adopt"),
    path("<uuid:task>/undo/", orphaned_call.undo_adoption, name="orphaned_call_undo"),
]
