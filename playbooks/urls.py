"""The site's addresses."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from playbooks import email_sync_page, pages, views

urlpatterns = [
    # Without a slash: SECURE_REDIRECT_EXEMPT names them so.
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("", pages.home, name="home"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("logout/", LogoutView.as_view(next_page="account_login"), name="logout"),
    path("accounts/", include("teams.sign_in_urls")),
    # Before the admin's own: there is one way in and out, one page for the password, for everyone.
    path("manager/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("manager/logout/", LogoutView.as_view(next_page="account_login")),
    path("manager/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("manager/password_change/done/", RedirectView.as_view(pattern_name="my_profile")),
    path("manager/settings/email/crm-email-sync/", email_sync_page.email_sync, name="email_sync"),
    path(
        "manager/settings/email/crm-email-sync/<str:direction>/",
        email_sync_page.email_sync_switch,
        name="email_sync_switch",
    ),
    path(
        "manager/settings/email/crm-email-sync/<str:direction>/first/",
        email_sync_page.email_sync_first,
        name="email_sync_first",
    ),
    path("manager/", include("teams.manager_urls")),
    path("manager/", include("blacklist.manager_urls")),
    path("manager/", include("sync.manager_urls")),
    path("manager/settings/api/", include("sync.sender_urls")),
    path("manager/", admin.site.urls),
    path("api/", include("sync.api.urls")),
    path("tasks/", include("sync.task_urls")),
    path("records/", include("sync.record_urls")),
    path("orphaned-calls/", include("sync.orphan_urls")),
    path("notices/", include("teams.notice_urls")),
    path("settings/", include("teams.settings_urls")),
    path("settings/", include("blacklist.settings_urls")),
    path("settings/", include("sync.settings_urls")),
]
