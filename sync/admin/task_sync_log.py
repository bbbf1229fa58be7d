"""The Task Sync Log: for every task what happened, in the CRM's own words (M21)."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from sync.admin.filters import DayRangeFilter, RowTeamFilter, UserFilter
from sync.enums import AttemptOutcome, ObjectType, OutboxState
from sync.models import Attempt, LogRow, Record, Task
from sync.story import OUTCOME_TONES
from sync.sync_state import row_state
from teams.models import User
from teams.pages import manager_page
from teams.scoped_admin import ReadOnlyAdmin, Text, badge, crm_id_in, link, moment, page_of, viewer_of

# Up to so many rows are looked up first; more are met soon enough on the way from the newest.
FEW = 2000
# Of more users rows are not gathered by user.
MOST_GATHERED = 500
# The rest stand on the task's page.
MOST_EARLIER = 10


_STATES: dict[str, tuple[Text, Callable[[Any], QuerySet[Any]]]] = {
    "synced": (_("synced"), lambda rows: rows.filter(state=OutboxState.DONE)),
    "waiting": (_("waiting"), lambda rows: rows.undone(OutboxState.PENDING)),
    "admin": (_("waiting for an admin"), lambda rows: rows.undone(OutboxState.PENDING).filter(trouble__isnull=False)),
    "sending": (_("being sent"), lambda rows: rows.undone(OutboxState.SENDING)),
    "failed": (_("failed"), lambda rows: rows.undone(OutboxState.FAILED)),
    "cancelled": (_("cancelled"), lambda rows: rows.undone(OutboxState.CANCELLED)),
}


class StateFilter(DropdownFilter):  # type: ignore[misc]
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [(key, label) for key, (label, _narrow) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = _STATES.get(self.value() or "")
        return chosen[1](queryset) if chosen else queryset


class ErrorCodeFilter(TextFilter):  # type: ignore[misc]
    """Rows that any attempt got this code for, also if a later one passed."""

    title = _("error code")
    parameter_name = "code"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = (self.value() or "").strip().upper()
        if not code:
            return queryset
        attempts = Attempt.objects.filter(error_code=code).order_by("-row_id")
        rows = list(attempts.values_list("row_id", flat=True)[: FEW + 1])
        if len(rows) <= FEW:
            return queryset.filter(pk__in=set(rows))
        return queryset.filter(Exists(attempts.filter(row=OuterRef("pk"))))


class AskedDays(DayRangeFilter):
    """By the day on which a task was to go to the CRM."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("to the CRM since")


class LinkedByTask(ChangeList):  # type: ignore[misc]
    """A list whose rows lead to their task's page."""

    def url_for_result(self, result: Any) -> str:
        return page_of(result.task)


@admin.register(LogRow)
class TaskSyncLogAdmin(ReadOnlyAdmin):
    list_display = ("subject", "asked_at", "rep", "record", "state_badge", "answer")
    list_display_links = ("subject",)
    list_filter = (StateFilter, ErrorCodeFilter, UserFilter, RowTeamFilter, ("created_at", AskedDays))
    list_before_template = "task_sync/log_intro.html"
    list_select_related = ()  # joined, every row of the table would be sorted with its relations
    search_fields = ("uuid",)  # what is searched: get_search_results
    search_help_text = _("CRM id of a task, record or user, or a task's key")
    ordering = ("-created_at", "-pk")
    sortable_by = ()  # no other order has an index
    paginator = InfinitePaginator  # counts nothing
    show_full_result_count = False
    actions = None
    when_empty = _("As soon as a task is completed, it appears here with what the CRM answered.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        attempts = Attempt.objects.order_by("-started_at", "-pk")
        return _seen_by(viewer_of(request)).prefetch_related(
            "connection",
            "trouble",
            "user",
            "task__who",
            "task__what",
            "task__record",
            Prefetch("tries", queryset=attempts, to_attr="tries_newest_first"),
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return LinkedByTask

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if crm_id := crm_id_in(term):
            return queryset.filter(self.carries(crm_id)), False
        key = term.replace("-", "").lower()
        if len(key) == 32 and key.isalnum():
            return queryset.filter(task__in=list(Task.objects.filter(key=key).values_list("pk", flat=True))), False
        messages.warning(
            request,
            _("“%(term)s” is no CRM id: it has 15 or 18 letters and digits, and upper and lower case count.")
            % {"term": Truncator(term).chars(40)},
        )
        return queryset.none(), False

    def carries(self, crm_id: str) -> Q:
        """An id is a user's, a record's or a task's: asked one after the other, so that each has its index."""
        users = list(User.objects.filter(crm_user_id=crm_id).values_list("pk", flat=True))
        if users:
            return Q(user__in=users)
        records = list(Record.objects.filter(crm_id=crm_id).values_list("pk", flat=True))
        of_record = Q(record__in=records) | Q(related_record__in=records) | Q(who__in=records) | Q(what__in=records)
        tasks = Task.objects.filter(of_record if records else Q(crm_id=crm_id))
        few = list(tasks.values_list("pk", flat=True)[: FEW + 1])
        return Q(task__in=few if len(few) <= FEW else tasks.values("pk"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return viewer_of(request).has_perm("sync.view_attempt")

    def get_urls(self) -> Any:
        # The log has an address of its own (manager_urls.py), and its rows are shown on their task's page.
        view = self.admin_site.admin_view(_to_log)
        return [path("", view, name="sync_logrow_changelist")]

    @admin.display(description=_("to the CRM since"))
    def asked_at(self, row: LogRow) -> str | None:
        """Say when it was asked for: by that the list is ordered and filtered. Each attempt has its own time."""
        return moment(row.created_at)

    @admin.display(description=_("user"))
    def rep(self, row: LogRow) -> str:
        return str(row.user)

    @admin.display(description=_("task"))
    def subject(self, row: LogRow) -> str:
        subject = row.task.subject if row.task else ""
        return Truncator(subject).chars(60) or gettext("(no subject)")

    @admin.display(description=_("record"), empty_value="-")
    def record(self, row: LogRow) -> str | None:
        task = row.task
        if task is None or task.is_orphan:
            return badge(_("Orphan"), "warn")
        record = task.who or task.what or task.record
        return Truncator(str(record)).chars(40) if record else None

    @admin.display(description=_("state"))
    def state_badge(self, row: LogRow) -> str:
        state = row_state(row)
        return badge(state.label, state.tone)

    @admin.display(description=_("what the CRM answered"))
    def answer(self, row: LogRow) -> str:
        tries = _tries(row)
        if not tries:
            return format_html('<span class="pb-quiet">{}</span>', _("not tried yet"))
        last = _attempt(tries[0], len(tries))
        if len(tries) == 1:
            return format_html('<div class="pb-answer">{}</div>', last)
        earlier = tries[1 : MOST_EARLIER + 1]
        items = format_html_join(
            "", "<li>{}</li>", ((_attempt(each, len(tries) - 1 - at),) for at, each in enumerate(earlier))
        )
        if row.task and len(tries) > MOST_EARLIER + 1:
            items += format_html("<li>{}</li>", link(page_of(row.task), gettext("all attempts")))
        count = len(tries) - 1
        words = ngettext("%(count)d earlier attempt", "%(count)d earlier attempts", count) % {"count": count}
        return format_html(
            '<div class="pb-answer">{}<details class="pb-earlier"><summary>{}</summary>'
            '<ol class="pb-log">{}</ol></details></div>',
            last,
            words,
            items,
        )


def _seen_by(viewer: User) -> QuerySet[Any]:
    """Return the rows of everyone whom `viewer` may see: what visible_to says, asked so that an index serves it.

    A few users' rows are gathered by user. Of many users they are met on the way from the newest; gathered, hundreds
    of thousands would have to be sorted.
    """
    rows = LogRow.objects.filter(object_type=ObjectType.TASK)
    if viewer.sees_everyone:
        return rows
    users = User.objects.visible_to(viewer).order_by()
    pks = list(users.values_list("pk", flat=True)[: MOST_GATHERED + 1])
    if len(pks) <= MOST_GATHERED:
        return rows.filter(user__in=pks)
    return rows.filter(Exists(users.filter(pk=OuterRef("user"))))


def _tries(row: Any) -> list[Attempt]:
    tries: list[Attempt] = row.tries_newest_first
    return tries


def _attempt(attempt: Attempt, number: int) -> str:
    """Return one attempt: its number, outcome, the CRM's words, and where the CRM's people find it."""
    outcome = AttemptOutcome(attempt.outcome)
    parts = [
        format_html(
            '<div class="pb-log-head"><span class="pb-quiet">{}</span> {} {}</div>',
            gettext("Attempt %(number)d") % {"number": number},
            badge(outcome.label, OUTCOME_TONES[outcome]),
            moment(attempt.started_at) or "",
        )
    ]
    if attempt.error_code:
        url = f"{reverse('task_sync')}?code={attempt.error_code}"
        code = format_html('<a class="pb-link pb-mono" href="{}">{}</a>', url, attempt.error_code)
        parts.append(format_html("<p>{}<br>{}</p>", code, attempt.error_message))
    if attempt.request_id:
        parts.append(
            format_html(
                '<p class="pb-quiet">{} <span class="pb-mono">{}</span></p>', gettext("CRM request"), attempt.request_id
            )
        )
    return format_html_join("", "{}", ((part,) for part in parts))


def _to_log(request: HttpRequest) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(reverse("task_sync") + (f"?{query}" if query else ""))


@manager_page("sync.view_attempt")
def task_sync_log(request: HttpRequest) -> HttpResponse:
    """Show the log under its own address."""
    return admin.site.get_model_admin(LogRow).changelist_view(request)
