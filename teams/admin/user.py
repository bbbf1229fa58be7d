"""Users: who they are, what they may do, and whether they still work here."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.forms import AdminPasswordChangeForm

from teams.admin.filters import CrmUserFilter, TeamFilter
from teams.backends import may_change_user
from teams.forms import UserCreationForm
from teams.models import Role, User
from teams.scoped_admin import ScopedAdmin, badge, link, viewer_of

ROLE_TONES = {Role.REP: "neutral", Role.MANAGER: "busy", Role.ADMIN: "warn"}


@admin.register(User)
class UserAdmin(ScopedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    hidden_fields = ("password",)
    crm_id_fields = ("crm_user_id",)
    ordering = ("name",)
    list_display = ("name", "email", "role_badge", "team", "crm_user", "active_badge")
    list_select_related = ("team",)
    list_filter = (
        ("role", ChoicesDropdownFilter),
        TeamFilter,
        CrmUserFilter,
        ("is_active", BooleanRadioFilter),
    )
    search_fields = ("name", "email")
    search_help_text = _("Name, e-mail or CRM user id")
    filter_horizontal = ()
    actions = ("deactivate", "activate")
    form = ModelForm
    readonly_fields = ("password_link", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("name", "email", "password_link")}),
        (_("In the organisation"), {"fields": ("role", "team", "is_active")}),
        (_("Work"), {"fields": ("crm_user_id", "mail_provider", "time_zone")}),
        (_("History"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "email")}),
        (_("In the organisation"), {"fields": ("role", "team")}),
        (_("First password"), {"fields": ("password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # their tasks keep their name: users are deactivated

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (not isinstance(obj, User) or may_change_user(viewer_of(request), obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        viewer = viewer_of(request)
        shown = set(self.readonly_fields)
        if viewer.role != Role.ADMIN:
            shown.add("role")  # a new manager would see every record and change every play
        if obj is not None and obj.pk == viewer.pk:
            # Nobody shuts themselves out, so that an admin always remains; a manager's team is an admin's choice.
            shown |= {"role", "is_active"} if viewer.role == Role.ADMIN else {"is_active", "team"}
        return tuple(sorted(shown))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        groups = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return groups
        return [(None, {"fields": ("name", "email")}), *groups[1:]]

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "team":
            # A user without a team would be out of a manager's sight.
            field.required = viewer_of(request).role != Role.ADMIN
            field.help_text = _("Its managers see this user's tasks.")
        return field

    @admin.display(description=_("role"), ordering="role")
    def role_badge(self, user: User) -> str:
        return badge(user.get_role_display(), ROLE_TONES[Role(user.role)])

    @admin.display(description=_("CRM user"), empty_value="-")
    def crm_user(self, user: User) -> str | None:
        if user.crm_user_id:
            return format_html('<span class="pb-mono">{}</span>', user.crm_user_id)
        return badge(_("Missing"), "warn") if user.role == Role.REP and user.is_active else None

    @admin.display(description=_("active"), ordering="is_active")
    def active_badge(self, user: User) -> str:
        return badge(_("Active"), "good") if user.is_active else badge(_("Deactivated"))

    @admin.display(description=_("password"))
    def password_link(self, user: User) -> str:
        # Django's own field shows parts of the hash.
        state = _("set") if user.has_usable_password() else _("none yet: this user can't log in")
        url = reverse("admin:auth_user_password_change", args=(user.pk,))
        return format_html("{} ({})", state, link(url, _("set a new one")))

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, active=False)

    @admin.action(description=_("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_active(request, queryset, active=True)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], *, active: bool) -> None:
        viewer = viewer_of(request)
        chosen = list(queryset.exclude(is_active=active))
        allowed = [user for user in chosen if user.pk != viewer.pk and may_change_user(viewer, user)]
        User.objects.filter(pk__in=[user.pk for user in allowed]).update(is_active=active)
        for user in allowed:
            self.log_change(request, user, [{"changed": {"fields": [str(_("active"))]}}])
        done = (
            ngettext("%d user was activated.", "%d users were activated.", len(allowed))
            if active
            else ngettext("%d user was deactivated.", "%d users were deactivated.", len(allowed))
        )
        self.message_user(request, done % len(allowed), messages.SUCCESS if allowed else messages.INFO)
        if refused := len(chosen) - len(allowed):
            text = ngettext(
                "%d user was left as it was: you may not change this one.",
                "%d users were left as they were: you may not change these.",
                refused,
            )
            self.message_user(request, text % refused, messages.WARNING)
