"""Troubles: causes that an admin must mend, each with the rows that wait for it."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter

from sync.enums import FailureMode, OutboxState
from sync.models import OutboxRow, Trouble
from teams.scoped_admin import ReadOnlyAdmin, Text, badge, link, moment


class OpenFilter(DropdownFilter):  # type: ignore[misc]
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [("yes", _("open")), ("no", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(ended_at__isnull=self.value() == "yes")


@admin.register(Trouble)
class TroubleAdmin(ReadOnlyAdmin):
    lead = _("What an admin must mend in the CRM, and how many tasks wait for it; they go out by themselves then.")
    list_display = ("error_code", "message", "state_badge", "waiting", "since", "next_try")
    list_filter = (OpenFilter, ("failure_mode", ChoicesDropdownFilter))
    search_fields = ("error_code", "error_message")
    search_help_text = _("Code or message")
    ordering = ("ended_at", "-first_at")
    sortable_by = ()
    when_empty = _("All is well: nothing waits for an admin.")
    fieldsets = (
        (None, {"fields": ("state_badge", "error_code", "error_message", "failure_mode", "actor")}),
        (_("What waits"), {"fields": ("waiting_link", "card_link", "first_at", "next_probe_at", "ended_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = OutboxRow.objects.filter(trouble=OuterRef("pk"), state=OutboxState.PENDING)
        count = rows.order_by().values("trouble").annotate(n=Count("pk")).values("n")
        troubles = super().get_queryset(request)
        counted: QuerySet[Any] = troubles.annotate(rows_waiting=Coalesce(Subquery(count), 0))
        return counted

    @admin.display(description=_("message"))
    def message(self, trouble: Trouble) -> str:
        return Truncator(trouble.error_message).chars(80)

    @admin.display(description=_("since"))
    def since(self, trouble: Trouble) -> str | None:
        return moment(trouble.first_at)

    @admin.display(description=_("next try"), empty_value="-")
    def next_try(self, trouble: Trouble) -> str | None:
        return None if trouble.ended_at else moment(trouble.next_probe_at)

    @admin.display(description=_("state"))
    def state_badge(self, trouble: Trouble) -> str:
        return badge(_("Ended"), "good") if trouble.ended_at else badge(_("Open"), "bad")

    @admin.display(description=_("tasks waiting"))
    def waiting(self, trouble: Any) -> int:
        return int(trouble.rows_waiting)

    @admin.display(description=_("tasks waiting"))
    def waiting_link(self, trouble: Any) -> str:
        url = reverse("admin:sync_outboxrow_changelist")
        return link(f"{url}?trouble__id__exact={trouble.pk}", trouble.rows_waiting)

    @admin.display(description=_("what it means"), empty_value="-")
    def card_link(self, trouble: Trouble) -> str | None:
        if trouble.ended_at:
            return None
        return link(f"{reverse('task_sync_errors')}#error-{trouble.signature}", _("its card among the errors"))

    @admin.display(description=_("who acts next"))
    def actor(self, trouble: Trouble) -> str:
        return str(FailureMode(trouble.failure_mode).actor.label)
