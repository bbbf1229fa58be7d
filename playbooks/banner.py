"""What every page of the Manager App says when tasks don't reach the CRM as they should."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from sync.enums import ConnectionState, FailureMode
from sync.models import Connection
from teams.models import Role, User


@dataclass(frozen=True, slots=True)
class Banner:
    """`tone` is bad, warn or info; the CRM's own words stand apart from ours."""

    tone: str
    title: str
    crm_words: str
    remedy: str
    page: str = ""  # where it is mended, for whom may do so


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return what django-unfold adds to each page's context: the banner, and no colours of its own.

    The colours stand in playbooks/static/playbooks/colours.css, where pages without inline styles read them, too.
    """
    return {"colors": {}, "banner": connection_banner(request)}


def connection_banner(request: HttpRequest) -> Banner | None:
    """Return what managers and admins are told about the connection: one query, none for others."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_staff:
        return None
    connection = (
        Connection.objects.of_organisation()
        .select_related("disconnected_by")
        .only(
            "state",
            "down_since",
            "disconnected_by__name",
            "disconnected_by__email",
            "paused_until",
            "pause_mode",
            "error_code",
            "error_message",
            "schema",
        )
        .first()
    )
    return banner_for(connection, is_admin=user.role == Role.ADMIN)


def banner_for(connection: Connection | None, *, is_admin: bool) -> Banner | None:
    """Return the one thing to say: the worst first."""
    if connection is None:
        return Banner(
            "info",
            _("No CRM is connected yet."),
            "",
            _("Completed tasks wait here. Connect Salesforce in the browser, or run manage.py crm_connect.")
            if is_admin
            else _("Completed tasks wait here until an admin connects Salesforce."),
            _page(is_admin=is_admin),
        )
    if connection.state == ConnectionState.DISCONNECTED:
        return _disconnected(connection, is_admin=is_admin)
    if connection.paused_until and connection.paused_until > timezone.now():
        return _paused(connection)
    schema = connection.task_schema
    if schema is not None and not schema.has_key:
        return _without_key(is_admin=is_admin)
    return None


def _disconnected(connection: Connection, *, is_admin: bool) -> Banner:
    title = _("The Access User is disconnected. Nothing syncs, and nothing is lost.")
    if connection.disconnected_by and connection.down_since:
        return _on_purpose(connection, is_admin=is_admin)
    if connection.down_since:
        title = _("The Access User is disconnected since %(time)s (%(ago)s). Nothing syncs, and nothing is lost.") % {
            "time": formats.localize(timezone.localtime(connection.down_since)),
            "ago": timesince(connection.down_since, depth=1),
        }
    return Banner(
        "bad",
        title,
        _words(connection),
        _(
            "Check in Salesforce that the Access User is active and may use the connected app; then reconnect in the "
            "browser, or run manage.py crm_connect. What was completed meanwhile goes out by itself."
        )
        if is_admin
        else _("An admin has to reconnect it. What was completed meanwhile goes out by itself."),
        _page(is_admin=is_admin),
    )


def _on_purpose(connection: Connection, *, is_admin: bool) -> Banner:
    assert connection.down_since is not None
    title = _("%(who)s disconnected Salesforce on %(time)s (%(ago)s ago). Nothing syncs, and nothing is lost.") % {
        "who": connection.disconnected_by,
        "time": formats.localize(timezone.localtime(connection.down_since)),
        "ago": timesince(connection.down_since, depth=1),
    }
    remedy = (
        _("It stays so until an admin reconnects it, in the browser or with manage.py crm_connect.")
        if is_admin
        else _("It stays so until an admin reconnects it. What is completed meanwhile goes out then.")
    )
    return Banner("bad", title, "", remedy, _page(is_admin=is_admin))


def _page(*, is_admin: bool) -> str:
    return reverse("crm_connection") if is_admin else ""


def _paused(connection: Connection) -> Banner:
    assert connection.paused_until is not None
    remedy = _("Nobody has to do anything: it goes on by itself.")
    if connection.pause_mode:
        remedy = f"{FailureMode(connection.pause_mode).label}. {remedy}"
    time = formats.localize(timezone.localtime(connection.paused_until))
    return Banner("warn", _("Sending rests until %(time)s.") % {"time": time}, _words(connection), remedy)


def _without_key(*, is_admin: bool) -> Banner:
    return Banner(
        "warn",
        _("The org has no key field for Tasks."),
        "",
        _(
            "Playbooks works without it, but when an answer gets lost, it has to wait for minutes and search before "
            "it sends again. Add a unique external id Playbooks_Key__c (text, 64 characters) to Activity and show it "
            "to the Access User."
        )
        if is_admin
        else _("Playbooks works without it, more slowly after a lost answer. An admin can add it in Salesforce."),
    )


def _words(connection: Connection) -> str:
    return ": ".join(part for part in (connection.error_code, connection.error_message) if part)
