"""The Manager App's look (django-unfold reads UNFOLD from the settings).

Imported by the settings: nothing here may ask for models before a request comes.
"""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

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
    "STYLES": [
        lambda request: static("playbooks/colours.css"),
        lambda request: static("playbooks/manager.css"),
    ],
    "SCRIPTS": [
        lambda request: static("playbooks/form-widgets.js"),
    ],
    "GLOBAL_CALLBACK": "playbooks.banner.page_context",
    "DASHBOARD_CALLBACK": "playbooks.dashboard.dashboard",
    "ACCOUNT": {"navigation": [{"title": _("Profile"), "link": reverse_lazy("my_profile")}]},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "playbooks.navigation.sidebar",
    },
}
