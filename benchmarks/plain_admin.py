"""Plain ModelAdmins of the same models, as one would write them first: Django's paginator, count and search."""

from django.contrib import admin
from django.urls import path

from sync.models import OutboxRow
from teams.models import Team, User

site = admin.AdminSite()


@admin.register(OutboxRow, site=site)
class OutboxRowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("created_at", "user", "task", "state", "error_code", "error_message")
    list_filter = ("state", "user__team")
    list_select_related = ("user", "task")
    search_fields = ("user__crm_user_id", "task__crm_id", "task__who__crm_id", "error_code")
    ordering = ("-created_at",)
    list_per_page = 50


@admin.register(User, site=site)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "email", "role", "team", "crm_user_id", "is_active")
    list_filter = ("role", "team", "is_active")
    search_fields = ("name", "email", "crm_user_id")
    list_per_page = 50


@admin.register(Team, site=site)
class TeamAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name",)
    search_fields = ("name",)
    list_per_page = 50


urlpatterns = [path("manager/", site.urls)]
