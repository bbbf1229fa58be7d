"""Tasks: what was done, where it stands on its way to the CRM, why, and who can act."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from sync.admin.by_hand import ByHand, confirm_cancel
from sync.admin.error_filter import ErrorFilter
from sync.admin.filters import (
    DayRangeFilter,
    FailureFilter,
    ImportFilter,
    SyncStateFilter,
    TaskTeamFilter,
    UserFilter,
)
from sync.admin.records import record_link
from sync.by_hand import cancel, retry
from sync.enums import TaskKind
from sync.models import OutboxRow, Record, Task
from sync.sync_state import NEWEST_FIRST, newest_row, sync_state
from sync.task_page import page_of_task
from teams.models import User
from teams.scoped_admin import ReadOnlyAdmin, badge, link, moment, page_of, viewer_of

_DONE = (
    "subject_line",
    ("kind", "state"),
    ("user_link", "completed"),
    ("play_step", "due_on"),
    "description",
)
_CALL = (("call_direction", "duration"), ("call_disposition", "phone_number"))
_COMPUTED = (
    "subject_line",
    "user_link",
    "completed",
    "play_step",
    "duration",
    "asked_record",
    "asked_related",
    "linked_who",
    "linked_what",
    "orphan",
)


def subject_of(task: Task) -> str:
    """Return a task's subject in one line."""
    return Truncator(task.subject).chars(70) or str(_("(no subject)"))


@admin.register(Task)
class TaskAdmin(ByHand, ReadOnlyAdmin):
    lead = _("What reps of your teams did or have to do, and whether it stands in the CRM.")
    list_display = ("short_subject", "kind", "user", "record_name", "completed", "sync_badge")
    list_filter = (
        SyncStateFilter,
        FailureFilter,
        ErrorFilter,
        ("kind", ChoicesDropdownFilter),
        ("state", ChoicesDropdownFilter),
        UserFilter,
        TaskTeamFilter,
        ("is_orphan", BooleanRadioFilter),
        ("completed_at", DayRangeFilter),
        ImportFilter,
    )
    search_fields = ("subject", "user__name", "user__email")
    search_help_text = _("Subject, rep or CRM id")
    crm_id_fields = ("crm_id",)
    list_before_template = "admin/sync/tasks_above.html"
    list_select_related = ()  # joined, every row of the table would be sorted with its relations
    ordering = ("-pk",)
    sortable_by = ()  # no other order has an index
    paginator = InfinitePaginator  # counts nothing
    change_form_outer_before_template = "admin/sync/task_state.html"
    change_form_outer_after_template = "admin/sync/task_log.html"
    readonly_fields = _COMPUTED
    when_empty = _("Tasks appear here when a record is enrolled in a play, or when one is completed ad hoc.")
    show_full_result_count = False

    def title_of(self, obj: Any) -> str:
        return subject_of(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("user", "step__play", "record", "related_record", "who", "what")
        return super().get_queryset(request).prefetch_related(*related, NEWEST_FIRST)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        groups: list[tuple[Any, dict[str, Any]]] = [(_("What was done"), {"fields": _DONE})]
        if obj and obj.kind == TaskKind.CALL:
            groups.append((_("Call"), {"fields": _CALL}))
        if obj and obj.kind == TaskKind.EMAIL:
            groups.append((_("E-mail"), {"fields": ("email_address",)}))
        groups.append((_("What was asked"), {"fields": (("asked_record", "link_choice"), "asked_related")}))
        groups.append((_("What it is linked to"), {"fields": ("linked_who", "linked_what", "orphan")}))
        return groups

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view
        return [
            path("<uuid:task>/retry/", view(self.retry_view), name="sync_task_retry"),
            path("<uuid:task>/cancel/", view(self.cancel_view), name="sync_task_cancel"),
            *super().get_urls(),
        ]

    def retry_view(self, request: HttpRequest, task: str) -> HttpResponse:
        """Retry one task now: the button on its page."""
        found, refusal = self._found(request, task)
        if refusal is not None:
            return refusal
        retry(request, self.rows_of(found))
        return HttpResponseRedirect(page_of(found.get()))

    def cancel_view(self, request: HttpRequest, task: str) -> HttpResponse:
        """Cancel one task, once it was confirmed: the button on its page."""
        found, refusal = self._found(request, task)
        if refusal is not None:
            return refusal
        if "confirmed" not in request.POST:
            return confirm_cancel(self, request, self.rows_of(found), page_of(found.get()))
        cancel(request, self.rows_of(found))
        return HttpResponseRedirect(page_of(found.get()))

    def _found(self, request: HttpRequest, task: str) -> tuple[QuerySet[Any], HttpResponse | None]:
        if request.method != "POST":
            return Task.objects.none(), HttpResponseNotAllowed(["POST"])
        if not self.has_by_hand_permission(request):
            raise PermissionDenied
        found = self.get_queryset(request).filter(uuid=task)
        if not found.exists():
            raise Http404
        return found, None

    def carries(self, crm_id: str) -> Q:
        """Also the tasks of the record or the CRM user with this id; looked up first, so that each has its index."""
        records = list(Record.objects.filter(crm_id=crm_id).values_list("pk", flat=True))
        users = list(User.objects.filter(crm_user_id=crm_id).values_list("pk", flat=True))
        related = Q(record__in=records) | Q(who__in=records) | Q(what__in=records)
        return super().carries(crm_id) | related | Q(user__in=users)

    def rows_of(self, queryset: QuerySet[Any]) -> QuerySet[OutboxRow]:
        # A queryset that stands for a list is ordered and has joins that a subquery has no use for.
        return OutboxRow.objects.filter(task__in=queryset.order_by().values("pk")).order_by("-pk")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context.update(page_of_task(obj, viewer_of(request)))
            context["may_act"] = self.has_by_hand_permission(request)
            context["retry_url"] = reverse("admin:sync_task_retry", args=[obj.uuid])
            context["cancel_url"] = reverse("admin:sync_task_cancel", args=[obj.uuid])
            context["other_page"] = reverse("task", args=[obj.uuid])
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description=_("subject"))
    def short_subject(self, task: Task) -> str:
        return subject_of(task)

    @admin.display(description=_("completed at"))
    def completed(self, task: Task) -> str | None:
        return moment(task.completed_at)

    @admin.display(description=_("orphaned phone call"))
    def orphan(self, task: Task) -> str:
        return badge(_("Orphan"), "warn") if task.is_orphan else str(_("no"))

    @admin.display(description=_("record"), empty_value="-")
    def record_name(self, task: Task) -> str | None:
        if task.is_orphan:
            return badge(_("Orphan"), "warn")
        record = task.who or task.what or task.record
        return Truncator(str(record)).chars(40) if record else None

    @admin.display(description=_("sync"))
    def sync_badge(self, task: Task) -> str:
        state = sync_state(task, newest_row(task))
        return badge(state.label, state.tone)

    @admin.display(description=_("subject"))
    def subject_line(self, task: Task) -> str:
        return task.subject or str(_("(no subject)"))

    @admin.display(description=_("user"))
    def user_link(self, task: Task) -> str:
        return link(page_of(task.user), task.user)

    @admin.display(description=_("play step"))
    def play_step(self, task: Task) -> str:
        return f"{task.step.play} / {task.step}" if task.step else str(_("ad hoc"))

    @admin.display(description=_("duration"))
    def duration(self, task: Task) -> str | None:
        if task.call_duration_seconds is None:
            return None
        return str(_("%(minutes)d min %(seconds)02d s")) % {
            "minutes": task.call_duration_seconds // 60,
            "seconds": task.call_duration_seconds % 60,
        }

    @admin.display(description=_("record"))
    def asked_record(self, task: Task) -> str | None:
        return record_link(task.record)

    @admin.display(description=_("related record"))
    def asked_related(self, task: Task) -> str | None:
        return record_link(task.related_record)

    @admin.display(description=_("person (WhoId)"))
    def linked_who(self, task: Task) -> str | None:
        return record_link(task.who)

    @admin.display(description=_("related to (WhatId)"))
    def linked_what(self, task: Task) -> str | None:
        return record_link(task.what)
