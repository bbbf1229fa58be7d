"""The organisation's page."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from teams.models import Organisation
from teams.scoped_admin import ScopedAdmin, page_of


@admin.register(Organisation)
class OrganisationAdmin(ScopedAdmin):
    """There is one organisation: the list leads to it, and nobody adds or deletes it."""

    fields = ("name", "time_zone", "phone_region")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(page_of(Organisation.load()))
