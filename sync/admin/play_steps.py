"""The steps in a play's form: they change places, and keep what their tasks rely on."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import F, TextField
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextareaWidget

from sync import play_texts
from sync.models import Play, PlayStep, Task
from teams.models import User
from teams.scoped_admin import Scoped, UnfoldTabularInline, viewer_of

if TYPE_CHECKING:
    StepFormSetBase = BaseInlineFormSet[PlayStep, Play, ModelForm[PlayStep]]
    StepFormBase = ModelForm[PlayStep]
else:
    StepFormSetBase = PaginationInlineFormSet
    StepFormBase = ModelForm

# Beyond any real position, so that steps can change places under the unique constraint.
OUT_OF_THE_WAY = 10_000
# Of a step's tasks, so many are named.
MOST_NAMED = 3
# Empty rows at once, for who has no script that adds them one by one.
MOST_ROWS = 20


class StepForm(StepFormBase):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "position" in self.fields:
            self.fields["position"].required = False  # empty: at the end

    def has_changed(self) -> bool:
        # A browser sends the first kind, and dragging numbers rows: a new row with no more than that is empty.
        counts = self.changed_data if self.instance.pk else {*self.changed_data} - {"kind", "position"}
        return bool(counts)

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"]
        if self.instance.pk and kind != self.initial.get("kind") and self.instance.tasks.exists():
            message = _("Reps have tasks of this step already, so it stays a step of this kind. Add another step.")
            raise ValidationError(message, code="kind_of_tasks")
        return kind

    def clean_subject(self) -> str:
        subject: str = self.cleaned_data["subject"]
        play_texts.check(subject)
        return subject

    def clean_description(self) -> str:
        description: str = self.cleaned_data["description"]
        if len(description) > play_texts.DESCRIPTION_LENGTH:
            message = _("The text has %(length)s characters; at most %(limit)s are possible. Shorten it.")
            params = {"length": len(description), "limit": play_texts.DESCRIPTION_LENGTH}
            raise ValidationError(message, code="too_long", params=params)
        play_texts.check(description)
        return description

    def _get_validation_exclusions(self) -> set[str]:
        # Against the database two steps could never change places; the formset compares them with one another.
        return {*super()._get_validation_exclusions(), "position"}  # type: ignore[misc]


class StepFormSet(StepFormSetBase):
    """Steps of one play, in the order of their positions, which are counted from 1 when they are saved."""

    viewer: User

    def clean(self) -> None:
        if kept := [words for form in self.deleted_forms if (words := self._why_kept(form.instance))]:
            raise ValidationError(kept)
        super().clean()
        forms = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        given = [form.cleaned_data.get("position") for form in forms]
        if any(position is not None and position >= OUT_OF_THE_WAY for position in given):
            raise ValidationError(_("A position must be below %(limit)d."), params={"limit": OUT_OF_THE_WAY})
        saved = [p for form, p in zip(forms, given, strict=True) if form.instance.pk and p is not None]
        if len(set(saved)) < len(saved):
            raise ValidationError(_("Two steps have the same position."))
        for number, form in enumerate(sorted(forms, key=_place), start=1):
            form.instance.position = number

    def save(self, commit: bool = True) -> Any:
        if not commit or not self.instance.pk:
            return super().save(commit)
        self.instance.steps.update(position=F("position") + OUT_OF_THE_WAY)
        steps = super().save(commit)
        # Steps that were not touched go to their places.
        for form in self.initial_forms:
            untouched = PlayStep.objects.filter(pk=form.instance.pk, position__gte=OUT_OF_THE_WAY)
            untouched.update(position=form.instance.position)
        return steps

    def _why_kept(self, step: PlayStep) -> str:
        """Return why a step can't be deleted, naming tasks that the viewer may see; empty when it can."""
        count = step.tasks.count() if step.pk else 0
        if not count:
            return ""
        tasks = Task.objects.visible_to(self.viewer).filter(step=step).order_by("state", "-pk")[:MOST_NAMED]
        named = [
            _("“%(subject)s” (%(user)s, %(state)s)")
            % {"subject": Truncator(task.subject).chars(60), "user": task.user, "state": task.get_state_display()}
            for task in tasks.select_related("user")
        ]
        if count > len(named):
            named.append(ngettext("%d more", "%d more", count - len(named)) % (count - len(named)))
        return _(
            "“%(step)s” stays, because tasks belong to it: %(tasks)s. Undo its removal and save again. To go on "
            "without this step, duplicate the play and remove it there."
        ) % {"step": step.name, "tasks": ", ".join(str(each) for each in named)}


def _place(form: Any) -> tuple[float, bool]:
    """Where a step goes: without a position to the end, a new one behind what stands there already."""
    position = form.cleaned_data.get("position")
    return (float("inf") if position is None else position, form.instance.pk is None)


class StepInline(Scoped, UnfoldTabularInline):
    model = PlayStep
    form = StepForm
    formset = StepFormSet
    fields = ("position", "kind", "name", "day_offset", "subject", "description")
    extra = 0
    ordering = ("position",)
    ordering_field = "position"  # rows can be dragged; the numbers do it, too
    hide_title = True
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """A new play begins with an empty row; `?rows=` asks for more."""
        asked = request.GET.get("rows", "")
        if asked.isdecimal() and asked.isascii():
            return min(int(asked), MOST_ROWS)
        return 1 if obj is None else 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.viewer = viewer_of(request)  # type: ignore[attr-defined] # the class is made for this request
        return formset

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name each box of the table for who hears it: its column's heading is no label of it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = field.label
            if db_field.name in ("subject", "description"):
                field.widget.attrs["aria-describedby"] = "step-texts"
        return field
