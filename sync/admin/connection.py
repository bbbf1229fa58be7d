"""The connection: whether it works, as whom, how much it uses, and what the org lacks."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.enums import ConnectionState, FailureMode, Slot
from sync.models import Connection
from teams.scoped_admin import ReadOnlyAdmin, badge, page_of

SLOT_LABELS = {
    Slot.KEY: _("key field (without it, a lost answer costs minutes instead of seconds)"),
    Slot.PLAY_NAME: _("Play Name"),
    Slot.PLAY_STEP: _("Play Step"),
    Slot.SUBTYPE: _("subtype (call or e-mail)"),
    Slot.TYPE: _("type"),
    Slot.CALL_DIRECTION: _("call direction"),
    Slot.CALL_DURATION: _("call duration"),
    Slot.CALL_DISPOSITION: _("call result"),
    Slot.CALL_OBJECT: _("call object"),
}


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = ("access_user_name", "state_badge", "org_id", "usage", "created_at")
    hidden_fields = ("access_token", "refresh_token", "token_number", "schema")
    sortable_by = ()
    when_empty = _(
        "A CRM is connected on the server: fill in SALESFORCE_LOGIN_URL, SALESFORCE_CLIENT_ID and "
        "SALESFORCE_CLIENT_SECRET in the environment, then run manage.py crm_connect. "
        "What was completed meanwhile goes out by itself."
    )
    fieldsets = (
        (_("State"), {"fields": ("state_badge", "since", "pause", "last_error")}),
        (_("Access User"), {"fields": ("access_user_name", "access_user_id", "org_id", "instance_url", "signs_in")}),
        (_("Use"), {"fields": ("usage", "batch")}),
        (_("The org's Task"), {"fields": ("lacks", "schema_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Tokens have no business on a page, not even decrypted in memory.
        return super().get_queryset(request).defer("access_token", "refresh_token")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """One connection needs no list."""
        if self.has_view_permission(request) and not request.GET:
            connections = list(self.get_queryset(request)[:2])
            if len(connections) == 1:
                return HttpResponseRedirect(page_of(connections[0]))
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("state"))
    def state_badge(self, connection: Connection) -> str:
        tone = "good" if connection.state == ConnectionState.CONNECTED else "bad"
        return badge(connection.get_state_display(), tone)

    @admin.display(description=_("since"))
    def since(self, connection: Connection) -> str:
        if connection.down_since:
            return _moment(connection.down_since)
        return gettext("first connected at %(time)s") % {"time": _moment(connection.created_at)}

    @admin.display(description=_("pause"))
    def pause(self, connection: Connection) -> str:
        until = connection.paused_until
        if until is None or until <= timezone.now():
            return str(_("none"))
        mode = FailureMode(connection.pause_mode).label if connection.pause_mode else ""
        return f"{gettext('until')} {formats.localize(timezone.localtime(until))}. {mode}"

    @admin.display(description=_("last error"))
    def last_error(self, connection: Connection) -> str:
        if not connection.error_code:
            return str(_("none"))
        when = _moment(connection.error_at) if connection.error_at else ""
        return format_html(
            '<span class="pb-mono">{}</span><br>{}<br><span class="pb-quiet">{}</span>',
            connection.error_code,
            connection.error_message,
            when,
        )

    @admin.display(description=_("sign-in"))
    def signs_in(self, connection: Connection) -> str:
        return f"{connection.get_auth_flow_display()}, {connection.login_url}"

    @admin.display(description=_("API calls in 24 hours"))
    def usage(self, connection: Connection) -> str:
        usage = connection.usage
        if usage is None or not usage.limit:
            return str(_("not known yet"))
        share = min(100, round(100 * usage.used / usage.limit))
        words = gettext("%(used)s of %(limit)s (%(share)d %%), of the whole org") % {
            "used": formats.number_format(usage.used, force_grouping=True),
            "limit": formats.number_format(usage.limit, force_grouping=True),
            "share": share,
        }
        return format_html(
            '<span class="pb-usage"><meter min="0" max="100" high="80" value="{}"></meter> {}</span>', share, words
        )

    @admin.display(description=_("Tasks in one call"))
    def batch(self, connection: Connection) -> int:
        return connection.batch_size

    @admin.display(description=_("lacks"))
    def lacks(self, connection: Connection) -> str:
        schema = connection.task_schema
        if schema is None:
            return str(_("not read yet"))
        missing = list(schema.missing)
        if not schema.has_key and Slot.KEY not in missing:
            missing.insert(0, Slot.KEY)
        if not missing:
            return str(_("nothing: every field that Playbooks can fill is there"))
        return ", ".join(str(SLOT_LABELS.get(slot, slot)) for slot in missing)


def _moment(moment: Any) -> str:
    return gettext("%(time)s (%(ago)s ago)") % {
        "time": formats.localize(timezone.localtime(moment)),
        "ago": timesince(moment, depth=1),
    }
