"""The Manager App's look and navigation (django-unfold reads UNFOLD from the settings).

Imported by the settings: nothing here may ask for models before a request comes.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _allowed(permission: str) -> Callable[[HttpRequest], bool]:
    def check(request: HttpRequest) -> bool:
        return bool(request.user.has_perm(permission))

    return check


def _entry(title: Any, icon: str, model: str) -> dict[str, Any]:
    """Return the entry of one list, for those who may see it; `model` is "app_model"."""
    app, name = model.rsplit("_", 1)
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": _allowed(f"{app}.view_{name}"),
    }


# Indigo; 600 carries white text (6.3 : 1), 400 and 500 are read on the dark ground.
_PRIMARY = {
    "50": "#eef2ff",
    "100": "#e0e7ff",
    "200": "#c7d2fe",
    "300": "#a5b4fc",
    "400": "#a5b4fc",
    "500": "#8b93f8",
    "600": "#4f46e5",
    "700": "#4338ca",
    "800": "#3730a3",
    "900": "#312e81",
    "950": "#1e1b4b",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Playbooks"),
    "SITE_HEADER": _("Playbooks"),
    "SITE_SUBHEADER": _("Manager App"),
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("playbooks/favicon.svg"),
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("playbooks/favicon.svg"),
        }
    ],
    "STYLES": [lambda request: static("playbooks/manager.css")],
    "COLORS": {"primary": _PRIMARY},
    "BORDER_RADIUS": "6px",
    "GLOBAL_CALLBACK": "playbooks.banner.page_context",
    "DASHBOARD_CALLBACK": "playbooks.overview.overview",
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    {"title": _("Overview"), "icon": "dashboard", "link": reverse_lazy("admin:index")},
                ],
            },
            {
                "title": _("Work"),
                "items": [
                    _entry(_("Records"), "contacts", "sync_record"),
                    _entry(_("Tasks"), "task_alt", "sync_task"),
                    _entry(_("Plays"), "format_list_numbered", "sync_play"),
                ],
            },
            {
                "title": _("People"),
                "separator": True,
                "items": [
                    _entry(_("Teams"), "groups", "teams_team"),
                    _entry(_("Users"), "person", "teams_user"),
                ],
            },
            {
                "title": _("Settings › CRM"),  # noqa: RUF001 - as the documents name it
                "separator": True,
                "items": [
                    _entry(_("Connection"), "cable", "sync_connection"),
                    _entry(_("Troubles"), "report", "sync_trouble"),
                    _entry(_("Outbox"), "outbox", "sync_outboxrow"),
                ],
            },
            {
                "title": _("Settings"),
                "separator": True,
                "items": [
                    _entry(_("Organisation"), "domain", "teams_organisation"),
                    _entry(_("Schedules"), "schedule", "django_q_schedule"),
                    _entry(_("Failed jobs"), "error", "django_q_failure"),
                ],
            },
        ],
    },
}
