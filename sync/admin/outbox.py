"""The outbox: what waits, is being sent, failed or is done, row by row."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from sync.admin.by_hand import ByHand
from sync.admin.filters import RowTeamFilter, UserFilter
from sync.models import OutboxRow
from sync.sync_state import actor_label, row_state
from teams.scoped_admin import ReadOnlyAdmin, badge, link, moment, page_of, viewer_of


def subject_of(row: OutboxRow) -> str:
    """Return the subject of the row's task in one line."""
    return Truncator(row.task.subject if row.task else "").chars(60) or str(_("(no subject)"))


@admin.register(OutboxRow)
class OutboxRowAdmin(ByHand, ReadOnlyAdmin):
    lead = _("What is to be written to the CRM, row by row. Retry and cancel are for the chosen tasks alone.")
    list_display = ("task_subject", "rep", "state_badge", "next_try", "attempts", "code")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("failure_mode", ChoicesDropdownFilter),
        ("in_doubt", BooleanRadioFilter),
        UserFilter,
        RowTeamFilter,
    )
    search_fields = ("key", "error_code")
    search_help_text = _("Key or error code")
    list_select_related = ()  # joined, every row of the table would be sorted with its relations
    ordering = ("-pk",)
    sortable_by = ()
    show_full_result_count = False
    when_empty = _("Whatever is completed passes through here on its way to the CRM.")
    paginator = InfinitePaginator
    fieldsets = (
        (None, {"fields": ("task_page", "state_badge", "meaning", "next_try", "attempts", "doubt")}),
        (_("Last answer"), {"fields": ("failure_mode", "actor", "error_code", "error_message", "trouble")}),
        (_("Times"), {"fields": ("created_at", "first_attempt_at", "settled_at")}),
        (_("Key in the CRM"), {"fields": ("key_text",)}),
    )

    def title_of(self, obj: Any) -> str:
        return subject_of(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("connection", "task__user", "trouble")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if viewer_of(request).has_perm("sync.view_trouble"):
            return self.fieldsets
        first, (title, answer), *others = self.fieldsets
        shown = tuple(name for name in answer["fields"] if name != "trouble")
        return (first, (title, {"fields": shown}), *others)

    def rows_of(self, queryset: QuerySet[Any]) -> QuerySet[OutboxRow]:
        return queryset

    @admin.display(description=_("task"))
    def task_subject(self, row: OutboxRow) -> str:
        return subject_of(row)

    @admin.display(description=_("task"))
    def task_page(self, row: OutboxRow) -> str | None:
        return link(page_of(row.task), self.task_subject(row)) if row.task else None

    @admin.display(description=_("next try"), empty_value="-")
    def next_try(self, row: OutboxRow) -> str | None:
        return moment(row.next_try) if row.next_try else None

    @admin.display(description=_("in doubt"))
    def doubt(self, row: OutboxRow) -> str:
        return str(_("yes: the last answer got lost")) if row.in_doubt else str(_("no"))

    @admin.display(description=_("code"), empty_value="-")
    def code(self, row: OutboxRow) -> str | None:
        return format_html('<span class="pb-mono">{}</span>', row.error_code) if row.error_code else None

    @admin.display(description=_("user"))
    def rep(self, row: OutboxRow) -> str | None:
        return str(row.task.user) if row.task else None

    @admin.display(description=_("state"))
    def state_badge(self, row: OutboxRow) -> str:
        state = row_state(row)
        return badge(state.label, state.tone)

    @admin.display(description=_("what that means"))
    def meaning(self, row: OutboxRow) -> str:
        return str(row_state(row).meaning)

    @admin.display(description=_("who acts next"))
    def actor(self, row: OutboxRow) -> str | None:
        return str(actor_label(row.failure_mode)) or None

    @admin.display(description=_("key"))
    def key_text(self, row: OutboxRow) -> str:
        return row.key
