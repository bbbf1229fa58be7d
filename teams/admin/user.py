"""Users: who they are, what they may do, and whether they still work here."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import ForeignKey, Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from teams import user_rows
from teams.acting_admin import take_turn
from teams.admin.csv_import import CsvImport, PeopleCsv
from teams.admin.filters import AccessFilter, CrmUserFilter, TeamFilter
from teams.admin.user_actions import UserActions
from teams.backends import may_change_user
from teams.forms import PasswordForm, UserCreationForm
from teams.models import Role, User
from teams.resources import UserResource
from teams.scoped_admin import ScopedAdmin, badge, link, moment, viewer_of

ROLE_TONES = {Role.REP: "neutral", Role.MANAGER: "busy", Role.ADMIN: "warn"}


class UserCsv(PeopleCsv):
    columns = user_rows.COLUMNS
    required = user_rows.REQUIRED


@admin.register(User)
class UserAdmin(CsvImport, UserActions, ScopedAdmin, DjangoUserAdmin):  # type: ignore[misc, type-arg]
    resource_classes = (UserResource,)
    formats = (UserCsv,)
    file_name = "users.csv"
    import_help = _(
        "One user a line, known by the e-mail: who is there already is changed, others are added, and nobody is "
        "deleted. Columns that the file lacks stay as they are. An empty team, CRM user id or time zone is emptied; "
        "any other empty cell changes nothing. New users get no password: invite them afterwards."
    )
    add_form = UserCreationForm
    change_password_form = PasswordForm
    hidden_fields = ("password",)
    crm_id_fields = ("crm_user_id",)
    ordering = ("name",)
    list_display = ("name", "email", "role_badge", "team", "crm_user", "active_badge")
    list_select_related = ("team",)
    list_filter = (
        ("role", ChoicesDropdownFilter),
        TeamFilter,
        CrmUserFilter,
        AccessFilter,
        ("is_active", BooleanRadioFilter),
    )
    search_fields = ("name", "email")
    search_help_text = _("Name, e-mail or CRM user id")
    filter_horizontal = ()
    form = ModelForm
    list_before_template = "admin/teams/users_above.html"
    change_form_outer_before_template = "admin/teams/user_above.html"
    readonly_fields = ("password_link", "invitation", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("name", "email", "password_link")}),
        (_("In the organisation"), {"fields": ("role", "team", "is_active")}),
        (_("Work"), {"fields": ("crm_user_id", "mail_provider", "time_zone")}),
        (_("History"), {"fields": ("invitation", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "email")}),
        (_("In the organisation"), {"fields": ("role", "team")}),
        (_("First password (or invite them afterwards)"), {"fields": ("password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # their tasks keep their name: users are deactivated

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (not isinstance(obj, User) or may_change_user(viewer_of(request), obj))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if {"role", "is_active"} & set(form.changed_data):
            take_turn(viewer_of(request))
        super().save_model(request, obj, form, change)

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

    @admin.display(description=_("invited"))
    def invitation(self, user: User) -> SafeString | str:
        """When somebody was invited, and whether they came."""
        if user.invited_at is None:
            return "-"
        came = user.last_login is not None and user.last_login >= user.invited_at
        return format_html("{} {}", moment(user.invited_at), badge(_("Accepted"), "good") if came else badge(_("Open")))
