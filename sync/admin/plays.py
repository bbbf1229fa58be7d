"""Plays: their steps, whether they are active, copies of them, and how many records are in them."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import BooleanRadioFilter

from sync import play_texts, plays
from sync.admin.play_steps import StepInline
from sync.enums import RecordKind
from sync.models import Enrolment, Play, PlayStep, Record
from teams.scoped_admin import ScopedAdmin, badge, link, page_of, viewer_of


@admin.register(Play)
class PlayAdmin(ScopedAdmin):
    lead = _("Steps that reps work through for a record. Enrolling a record gives its rep one open task for each step.")
    list_display = ("name", "step_count", "running", "finished", "active_badge")
    ordering = ("name",)  # the model's own is lost where steps are counted
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name",)
    search_help_text = _("Name")
    inlines = (StepInline,)
    change_form_outer_before_template = "admin/sync/play_above.html"
    change_form_after_template = "admin/sync/play_texts.html"
    when_empty = _("A play is a row of steps that a rep works through for a record.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        enrolments = Enrolment.objects.order_by()
        plays_: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                steps_in_it=_count(PlayStep.objects.order_by()),
                running_now=_count(enrolments.running()),
                ended_before=_count(enrolments.filter(ended_at__isnull=False)),
            )
        )
        return plays_

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "is_active") if obj is None else ("name",)  # afterwards buttons do it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.enrolments.exists())

    def get_actions(self, request: HttpRequest) -> Any:
        return {}  # a play is deleted on its page, and only before any record was in it

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view
        return [
            path("<uuid:play>/active/", view(self.set_active), name="sync_play_active"),
            path("<uuid:play>/duplicate/", view(self.duplicate), name="sync_play_duplicate"),
            *super().get_urls(),
        ]

    def set_active(self, request: HttpRequest, play: UUID) -> HttpResponse:
        """Activate or deactivate a play: the button on its page."""
        the_play, refusal = self._found(request, play, "change")
        if the_play is None:
            return refusal
        the_play.is_active = request.POST.get("active") == "yes"
        the_play.save(update_fields=["is_active"])
        running = the_play.enrolments.running().count()
        if the_play.is_active:
            text = _now("“%(play)s” is active: records can be enrolled in it.")
        elif running:
            text = ngettext(
                "“%(play)s” is not active any more: nobody can enrol records in it. The record that is in it goes on.",
                "“%(play)s” is not active any more: nobody can enrol records in it. The %(running)d records that are "
                "in it go on.",
                running,
            )
        else:
            text = _now("“%(play)s” is not active any more: nobody can enrol records in it.")
        messages.success(request, text % {"play": the_play, "running": running})
        _warn_without_steps(request, the_play)
        return HttpResponseRedirect(page_of(the_play))

    def duplicate(self, request: HttpRequest, play: UUID) -> HttpResponse:
        """Copy a play with its steps: the button on its page."""
        the_play, refusal = self._found(request, play, "add")
        if the_play is None:
            return refusal
        copy = plays.duplicate(the_play, viewer_of(request))
        text = _now("This is a copy of “%s”. Nobody can enrol records in it before you activate it.")
        messages.success(request, text % the_play)
        return HttpResponseRedirect(page_of(copy))

    def _found(self, request: HttpRequest, play: UUID, action: str) -> tuple[Play | None, HttpResponse]:
        if request.method != "POST":
            return None, HttpResponseNotAllowed(["POST"])
        if not viewer_of(request).has_perm(f"sync.{action}_play"):
            raise PermissionDenied
        return get_object_or_404(Play, uuid=play), HttpResponse()

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["placeholders"] = [(f"{{{key}}}", words) for key, words in play_texts.PLACEHOLDERS.items()]
        if obj is not None:
            context["play"] = obj
            context["preview"] = _preview(obj, request)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        _warn_without_steps(request, form.instance)

    @admin.display(description=_("steps"))
    def step_count(self, play: Any) -> int:
        return int(play.steps_in_it)

    @admin.display(description=_("records in it now"))
    def running(self, play: Any) -> str:
        return _enrolments(play, "running", play.running_now)

    @admin.display(description=_("ended"))
    def finished(self, play: Any) -> str:
        return _enrolments(play, "ended", play.ended_before)

    @admin.display(description=_("active"), ordering="is_active")
    def active_badge(self, play: Play) -> str:
        return badge(_("Active"), "good") if play.is_active else badge(_("Not active"))


def _warn_without_steps(request: HttpRequest, play: Play) -> None:
    if play.is_active and not play.steps.exists():
        text = _now("“%(play)s” has no step yet: nobody can enrol records in it before it has one.")
        messages.warning(request, text % {"play": play})


def _enrolments(play: Play, state: str, count: int) -> str:
    if not count:
        return "0"
    return link(f"{reverse('admin:sync_enrolment_changelist')}?play={play.uuid}&state={state}", count)


def _count(rows: QuerySet[Any]) -> Coalesce:
    """Count a play's rows by themselves: joined, each step would be read once for each enrolment."""
    counted = rows.filter(play=OuterRef("pk")).values("play").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _preview(play: Play, request: HttpRequest) -> dict[str, Any] | None:
    """Return the steps as a task would have them, for the person that was fetched last; None without any."""
    steps = list(play.steps.order_by("position"))
    people = Q(kind__in=(RecordKind.CONTACT, RecordKind.LEAD)) & ~Q(name="") & Q(is_deleted=False)
    example = Record.objects.filter(people).order_by("-pk").first()
    if not steps or example is None:
        return None
    (texts,) = plays.filled_texts(play, steps, [(example, viewer_of(request))])
    rows = [
        {"step": step, "subject": subject, "description": description}
        for step, (subject, description) in zip(steps, texts, strict=True)
    ]
    return {"record": example, "url": page_of(example), "rows": rows}
