"""Who is where: the records that are in plays, how far each has come, and ending that by hand."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sync import plays
from sync.admin.enrolment_filters import DueFilter, EnrolmentTeamFilter, PlayFilter, StateFilter, StepFilter, play_of
from sync.admin.filters import UserFilter
from sync.admin.records import record_link
from sync.enums import TaskState
from sync.models import Enrolment, Task
from teams.models import User
from teams.scoped_admin import ReadOnlyAdmin, badge, link, moment, page_of, viewer_of

# More at once would hold too many tasks for too long.
MOST_AT_ONCE = 1000
_TONES = {TaskState.OPEN: "neutral", TaskState.COMPLETED: "good", TaskState.SKIPPED: "warn"}


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    lead = _("The records of your teams that are in a play, or were: who works on them, and how far they are.")
    list_display = ("record_name", "play_name", "rep", "since", "progress", "next_step", "state_badge")
    list_filter = (PlayFilter, StateFilter, StepFilter, DueFilter, UserFilter, EnrolmentTeamFilter)
    list_before_template = "admin/sync/enrolments_above.html"
    change_form_outer_before_template = "admin/sync/enrolment_above.html"
    change_form_outer_after_template = "admin/sync/enrolment_steps.html"
    search_fields = ("record__name",)
    search_help_text = _("Name of the record, or CRM id")
    crm_id_fields = ("record__crm_id",)
    list_select_related = ("record", "play", "user")
    ordering = ("-pk",)
    sortable_by = ()
    show_full_result_count = False
    actions = ("end_chosen",)
    when_empty = _("Records are enrolled from their list, or by reps on a record's page.")
    fields = ("record_page", "related_page", "play_page", "rep", "enrolled", "ended", "end_reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tasks = Task.objects.select_related("step").order_by("step__position")
        steps = Prefetch("tasks", queryset=tasks, to_attr="steps_in_order")
        related = ("record", "related_record", "play", "user", "enrolled_by", "ended_by")
        queryset: QuerySet[Any] = super().get_queryset(request).select_related(*related).prefetch_related(steps)
        return queryset

    def has_end_permission(self, request: HttpRequest) -> bool:
        return viewer_of(request).has_perm("sync.change_enrolment")

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view
        return [path("<uuid:enrolment>/end/", view(self.end_one), name="sync_enrolment_end"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        outside = _outside(viewer_of(request), request.GET.get("play"))
        return super().changelist_view(request, {**(extra_context or {}), "outside": outside})

    def end_one(self, request: HttpRequest, enrolment: UUID) -> HttpResponse:
        """End one enrolment: the form on its page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_end_permission(request):
            raise PermissionDenied
        found = Enrolment.objects.visible_to(viewer_of(request)).filter(uuid=enrolment).first()
        if found is None:
            raise Http404
        _end(request, Enrolment.objects.filter(pk=found.pk))
        return HttpResponseRedirect(page_of(found))

    @admin.action(description=_("End"), permissions=["end"])
    def end_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        running = list(queryset.filter(ended_at=None).order_by("pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        chosen = Enrolment.objects.filter(pk__in=running[:MOST_AT_ONCE])
        if not running or "confirmed" in request.POST:
            _end(request, chosen)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("End?"),
            "opts": self.opts,
            "media": self.media,
            "count": min(len(running), MOST_AT_ONCE),
            "is_more": len(running) > MOST_AT_ONCE,
            "open_tasks": Task.objects.filter(enrolment__in=chosen, state=TaskState.OPEN).count(),
            "across": request.POST.get("select_across") == "1",
            "chosen": request.POST.getlist("_selected_action"),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/sync/end_confirmation.html", context)

    def title_of(self, obj: Any) -> str:
        return str(obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        enrolment = kwargs.get("obj")
        if enrolment is not None:
            context["enrolment"] = enrolment
            context["steps"] = [_step(task) for task in enrolment.steps_in_order]
            context["open_steps"] = sum(task.state == TaskState.OPEN for task in enrolment.steps_in_order)
            context["state"] = state_badge(enrolment)
            context["may_end"] = self.has_end_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("record"))
    def record_name(self, enrolment: Enrolment) -> str:
        return Truncator(str(enrolment.record)).chars(40)

    @admin.display(description=_("play"))
    def play_name(self, enrolment: Enrolment) -> str:
        return Truncator(str(enrolment.play)).chars(40)

    @admin.display(description=_("rep"))
    def rep(self, enrolment: Enrolment) -> str:
        return str(enrolment.user)

    @admin.display(description=_("since"))
    def since(self, enrolment: Enrolment) -> str | None:
        return moment(enrolment.created_at)

    @admin.display(description=_("done"))
    def progress(self, enrolment: Any) -> str:
        tasks = enrolment.steps_in_order
        done = sum(task.state != TaskState.OPEN for task in tasks)
        return _now("%(done)d of %(all)d") % {"done": done, "all": len(tasks)}

    @admin.display(description=_("next step"), empty_value="-")
    def next_step(self, enrolment: Any) -> str | None:
        task = next((task for task in enrolment.steps_in_order if task.state == TaskState.OPEN), None)
        if task is None:
            return None
        return format_html("{} {}", task.step.name, _due(task))

    @admin.display(description=_("state"))
    def state_badge(self, enrolment: Enrolment) -> str:
        return state_badge(enrolment)

    @admin.display(description=_("record"))
    def record_page(self, enrolment: Enrolment) -> str | None:
        return record_link(enrolment.record)

    @admin.display(description=_("related record"), empty_value="-")
    def related_page(self, enrolment: Enrolment) -> str | None:
        return record_link(enrolment.related_record)

    @admin.display(description=_("play"))
    def play_page(self, enrolment: Enrolment) -> str:
        return link(page_of(enrolment.play), enrolment.play)

    @admin.display(description=_("enrolled"))
    def enrolled(self, enrolment: Enrolment) -> str | None:
        return _by(enrolment.created_at, enrolment.enrolled_by)

    @admin.display(description=_("ended"), empty_value="-")
    def ended(self, enrolment: Enrolment) -> str | None:
        return _by(enrolment.ended_at, enrolment.ended_by)


def state_badge(enrolment: Enrolment) -> str:
    if enrolment.ended_at is None:
        return badge(_("Running"), "busy")
    return badge(_("Finished"), "good") if enrolment.ended_by_id is None else badge(_("Ended by hand"))


def _by(at: Any, who: User | None) -> str | None:
    if at is None or who is None:
        return moment(at)
    return format_html(_now("{} by {}"), moment(at), who)


def _due(task: Task) -> str:
    """Return when an open task is due, in the words of a list."""
    if task.due_on is None:
        return ""
    today = timezone.localdate()
    if task.due_on < today:
        return badge(_now("overdue since %s") % date_format(task.due_on), "bad")
    if task.due_on == today:
        return badge(_("due today"), "warn")
    return format_html('<span class="pb-quiet">{}</span>', _now("due on %s") % date_format(task.due_on))


def _step(task: Task) -> dict[str, Any]:
    is_open = task.state == TaskState.OPEN
    return {
        "task": task,
        "url": page_of(task),
        "state": badge(task.get_state_display(), _TONES[TaskState(task.state)]),
        "due": _due(task) if is_open else "",
    }


def _outside(viewer: User, play: str | None) -> int:
    """Count what runs outside the viewer's teams, of one play where one is chosen: of others the number alone."""
    if viewer.sees_everyone:
        return 0
    running = Enrolment.objects.running()
    if key := play_of(play):
        running = running.filter(play__uuid=key)
    return running.exclude(user__in=User.objects.visible_to(viewer).order_by().values("pk")).count()


def _end(request: HttpRequest, enrolments: QuerySet[Enrolment]) -> None:
    """End what runs of `enrolments`, and say how many."""
    count = plays.end_enrolments(enrolments, viewer_of(request), request.POST.get("reason", "").replace("\0", ""))
    if count:
        text = ngettext(
            "%d enrolment was ended; its open tasks were skipped.",
            "%d enrolments were ended; their open tasks were skipped.",
            count,
        )
        messages.success(request, text % count)
    else:
        messages.info(request, _("There was nothing to end: none of them runs any more."))
