"""Plays and their steps."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Q, QuerySet, TextField
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextareaWidget

from sync.models import Play, PlayStep
from teams.scoped_admin import Scoped, ScopedAdmin, UnfoldTabularInline

if TYPE_CHECKING:
    StepFormSetBase = BaseInlineFormSet[PlayStep, Play, ModelForm[PlayStep]]
    StepFormBase = ModelForm[PlayStep]
else:
    StepFormSetBase = PaginationInlineFormSet
    StepFormBase = ModelForm

# Beyond any real position, so that steps can change places under the unique constraint.
OUT_OF_THE_WAY = 10_000


class StepForm(StepFormBase):
    def _get_validation_exclusions(self) -> set[str]:
        # Against the database two steps could never change places; the formset compares them with one another.
        return {*super()._get_validation_exclusions(), "position"}  # type: ignore[misc]


class StepFormSet(StepFormSetBase):
    """Steps of one play: no two at the same position."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        positions = [form.cleaned_data.get("position") or 0 for form in kept]
        if len(set(positions)) < len(positions):
            raise ValidationError(_("Two steps have the same position."))
        if any(position >= OUT_OF_THE_WAY for position in positions):
            raise ValidationError(_("A position must be below %(limit)d."), params={"limit": OUT_OF_THE_WAY})

    def save(self, commit: bool = True) -> Any:
        if commit and self.instance.pk:
            self.instance.steps.update(position=F("position") + OUT_OF_THE_WAY)
        steps = super().save(commit)
        if commit:
            # Steps that were not touched come back to their place.
            moved = PlayStep.objects.filter(play=self.instance, position__gte=OUT_OF_THE_WAY)
            moved.update(position=F("position") - OUT_OF_THE_WAY)
        return steps


class StepInline(Scoped, UnfoldTabularInline):
    model = PlayStep
    form = StepForm
    formset = StepFormSet
    fields = ("position", "kind", "name", "day_offset", "subject", "description")
    extra = 0
    ordering = ("position",)
    hide_title = True
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 2})}}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name each box of the table for who hears it: its column's heading is no label of it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = field.label
        return field


@admin.register(Play)
class PlayAdmin(ScopedAdmin):
    lead = _("Steps that reps work through for a record. Enrolling a record gives its rep one open task for each step.")
    list_display = ("name", "step_count", "running", "is_active")
    ordering = ("name",)  # the model's own is lost where steps are counted
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name",)
    search_help_text = _("Name")
    fields = ("name", "is_active")
    inlines = (StepInline,)
    when_empty = _("A play is a row of steps that a rep works through for a record.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        plays: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                steps_in_it=Count("steps", distinct=True),
                running_now=Count("enrolments", filter=Q(enrolments__ended_at=None), distinct=True),
            )
        )
        return plays

    @admin.display(description=_("steps"))
    def step_count(self, play: Any) -> int:
        return int(play.steps_in_it)

    @admin.display(description=_("records enrolled now"))
    def running(self, play: Any) -> int:
        return int(play.running_now)
