"""The organisation's page."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Field, Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from teams.models import Organisation, Role
from teams.scoped_admin import ScopedAdmin, page_of
from teams.second_factor import roles_that_need_one, without_second_factor


@admin.register(Organisation)
class OrganisationAdmin(ScopedAdmin):
    """There is one organisation: the list leads to it, and nobody adds or deletes it."""

    lead = gettext_lazy("What holds for everyone. Own domains and internal mail stand on the page CRM Email Sync.")
    change_form_before_template = "admin/form_lead.html"
    fields = ("name", "time_zone", "phone_region", "second_factor")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(page_of(Organisation.load()))

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "second_factor":
            field.help_text = _(
                "Who has none yet must set one up before anything else, from the moment you save. Without one are at "
                "present: admins %(admins)d, managers %(managers)d, reps %(reps)d."
            ) % {
                "admins": without_second_factor([Role.ADMIN]),
                "managers": without_second_factor([Role.MANAGER]),
                "reps": without_second_factor([Role.REP]),
            }
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "second_factor" in form.changed_data:
            asked = without_second_factor(roles_that_need_one(obj.second_factor))
            if asked:
                text = ngettext(
                    "%d user has no second factor yet, and must set one up before going on.",
                    "%d users have no second factor yet, and must set one up before going on.",
                    asked,
                )
                self.message_user(request, text % asked, messages.WARNING)
