"""The site's addresses."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from playbooks import email_sync_page, pages, views

urlpatterns = [
    # Without a slash: SECURE_REDIRECT_EXEMPT names them so.
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("", pages.home, name="home"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("logout/", LogoutView.as_view(next_page="admin:login"), name="logout"),
    # Before the admin's own: reps log in and out here, too.
    path("manager/login/", pages.LogIn.as_view()),
    path("manager/logout/", LogoutView.as_view(next_page="admin:login")),
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
    path("manager/", admin.site.urls),
    path("notices/", include("teams.notice_urls")),
    path("settings/", include("teams.settings_urls")),
    path("settings/", include("blacklist.settings_urls")),
    path("settings/", include("sync.settings_urls")),
]
