"""The one list of pages to go to: it feeds the Manager App's sidebar and that of the pages outside it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from playbooks.banner import connection_banner
from teams.models import User
from teams.single_sign_on import buttons

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: an icon of Material Symbols, its address's name, and what a viewer needs.

    `others` are names of pages that belong to it, too, and whose address doesn't begin with its own.
    """

    title: Text
    icon: str
    name: str
    permission: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under a heading; over everyone's own settings managers read another one."""

    title: Text
    entries: tuple[Entry, ...]
    managers_title: Text = ""


def _list(title: Text, icon: str, model: str, *others: str) -> Entry:
    """Return the entry of a model's list; `model` is "app_model"."""
    app, name = model.rsplit("_", 1)
    return Entry(title, icon, f"admin:{model}_changelist", f"{app}.view_{name}", others)


MANAGER_APP = (
    Group(
        "",
        (
            Entry(_("Dashboard"), "dashboard", "admin:index"),
            _list(_("Teams"), "groups", "teams_team"),
            _list(_("Records"), "contacts", "sync_record"),
            _list(_("Tasks"), "task_alt", "sync_task", "task_imports"),
            _list(_("Plays"), "format_list_numbered", "sync_play", "plays_enrol", "admin:sync_enrolment_changelist"),
        ),
    ),
    Group(
        _("Settings › Email"),  # noqa: RUF001 - as the documents name it
        (
            Entry(_("CRM Email Sync"), "mark_email_read", "email_sync", "teams.view_emailswitch"),
            Entry(_("Company Blacklist"), "block", "company_blacklist", "blacklist.view_rule"),
        ),
    ),
    Group(
        _("Settings › CRM"),  # noqa: RUF001
        (
            Entry(_("Connection"), "cable", "crm_connection", "sync.view_connection"),
            Entry(_("Fields"), "fact_check", "crm_fields", "sync.view_fieldmapping"),
            Entry(_("Task Sync"), "sync_alt", "task_sync", "sync.view_attempt"),
        ),
    ),
    Group(
        _("Settings › API"),  # noqa: RUF001
        (Entry(_("Senders"), "api", "api_senders", "sync.view_sender"),),
    ),
    Group(
        "",
        (
            _list(_("Users"), "person", "teams_user", "crm_users"),
            _list(_("Audit"), "history", "auditlog_logentry"),
        ),
    ),
    Group(
        _("System"),
        (
            _list(_("Organisation"), "domain", "teams_organisation"),
            _list(_("Troubles"), "report", "sync_trouble"),
            _list(_("Outbox"), "outbox", "sync_outboxrow"),
            _list(_("Schedules"), "schedule", "django_q_schedule"),
            _list(_("Failed jobs"), "error", "django_q_failure"),
        ),
    ),
)

EVERYONE = (
    Group(
        _("Workspace"),
        (
            Entry(_("My tasks"), "checklist", "my_tasks"),
            # Not “Records”: managers have those in the Manager App, too.
            Entry(_("Find records"), "person_search", "records"),
            Entry(_("Orphaned calls"), "phone_missed", "orphaned_calls"),
        ),
        managers_title=_("My workspace"),
    ),
    Group(
        _("Settings › Email"),  # noqa: RUF001
        (
            Entry(_("CRM Email Sync"), "mark_email_read", "my_email_sync"),
            Entry(_("My Blacklist"), "block", "my_blacklist"),
        ),
        managers_title=_("My settings › Email"),  # noqa: RUF001
    ),
    Group(
        _("Settings"),
        (
            Entry(_("CRM"), "cloud_sync", "my_crm"),
            Entry(_("Profile"), "account_circle", "my_profile"),
            Entry(_("Notices"), "notifications", "my_notices"),
        ),
        managers_title=_("My settings"),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups that the viewer may see, as django-unfold reads them; the entry of this page is active."""
    viewer = getattr(request, "user", None)
    if not isinstance(viewer, User):
        return []
    groups: list[dict[str, Any]] = []
    for group in (*(MANAGER_APP if viewer.is_staff else ()), *EVERYONE):
        items = [_item(entry) for entry in group.entries if not entry.permission or viewer.has_perm(entry.permission)]
        title = (viewer.is_staff and group.managers_title) or group.title
        if items:
            groups.append({"title": title, "separator": bool(groups), "items": items})
    _mark_active([item for group in groups for item in group["items"]], request.path)
    return groups


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "title": entry.title,
        "icon": entry.icon,
        "link": reverse(entry.name),
        "others": [reverse(name) for name in entry.others],
        "has_permission": True,
        "active": False,
    }


def _mark_active(items: list[dict[str, Any]], path: str) -> None:
    """Mark the entry with the longest address that `path` begins with; the start page counts for itself alone."""
    start = reverse("admin:index")
    candidates = [
        (len(link), item)
        for item in items
        for link in (item["link"], *item["others"])
        if path == link or (link != start and path.startswith(link))
    ]
    if candidates:
        max(candidates, key=lambda candidate: candidate[0])[1]["active"] = True


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame outside the Manager App shows; nothing is asked for before a template does."""
    return {
        "navigation": SimpleLazyObject(lambda: sidebar(request)),
        "connection_banner": SimpleLazyObject(lambda: connection_banner(request)),
        "single_sign_on": SimpleLazyObject(buttons),
    }
