"""The forms of `sync.task_forms` for a completed task that is corrected: what stands there is filled in.

They are used the same way; `correction_form(kind)` returns the class. What is not changed stays exactly as it was, also
where a form shows less of it than there is, like the seconds of a time.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sync import correcting, emails
from sync.completion import Completion
from sync.enums import CallDirection, LinkChoice, TaskKind
from sync.models import Record, Task
from sync.phones import e164
from sync.relations import related_to
from sync.task_forms import CallForm, EmailForm, OtherForm, TaskForm
from teams.models import Organisation, User


class CorrectionForm(TaskForm):
    """What all of them have. `keeps`: the task's records can't be changed; else `record` is chosen, or none."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    task: Task

    def __init__(
        self,
        data: Any = None,
        *,
        viewer: User,
        task: Task,
        record: Record | None,
        keeps: bool,
        initial: dict[str, Any] | None = None,
    ) -> None:
        self.keeps = keeps
        self.refused = ""  # the code of what speaks against the whole
        self.given = frozenset(initial or ())
        values = _initial(task) | {"seen": correcting.seen(task)} | (initial or {})
        super().__init__(data, viewer=viewer, task=task, record=record, initial=values)
        self.fields["completed_at"].help_text = _("Left empty: as it was.")

    def record_of(self, task: Task | None, record: Record | None) -> Record | None:
        return task.record if self.keeps and task is not None else record

    def _relatable(self) -> list[Record]:
        if self.keeps:
            return []
        found = related_to(self.record) if self.record is not None else []
        related = self.task.related_record
        is_lost = related is not None and self.record == self.task.record and related not in found
        return [related, *found] if is_lost and related is not None else found

    def completion(self) -> Completion:
        typed = self.cleaned_data
        from_page = self.task.link_choice == LinkChoice.PAGE and self.record == self.task.record
        return replace(
            super().completion(),
            description=_as_it_was(typed["description"], self.task.description),
            completed_at=_same_minute(typed["completed_at"], self.task.completed_at),
            record=None if self.keeps else self.record,
            choice=LinkChoice.PAGE if from_page else LinkChoice.EXPLICIT,
            is_track_and_sync=self.task.is_track_and_sync,
        )

    def save(self) -> Task | None:
        """Correct the task; None after adding errors to the fields. Sent again, it knows what stands there now."""
        try:
            return correcting.correct(self.completion(), self.viewer, self.cleaned_data["seen"])
        except ValidationError as error:
            self.refused = next((one.code or "" for one in error.error_dict.get("task", ())), "")
            for name, found in error.error_dict.items():
                self.add_error(name if name in self.fields else None, found)
            if self.refused == correcting.MEANWHILE:
                now = correcting.seen(Task.objects.get(pk=self.task.pk))
                self.data = {**self.data.dict(), self.add_prefix("seen"): now}  # type: ignore[attr-defined]
            return None


class _CallCorrection(CorrectionForm, CallForm):
    def set_up(self) -> None:
        super().set_up()
        _choose_known(self, "known_number", "phone_number", self._dialled)
        if not self.task.call_direction:
            self.fields["call_direction"] = forms.ChoiceField(
                label=_("Direction"), required=False, choices=[("", _("Not said")), *CallDirection.choices]
            )
        field, value = self.fields["call_disposition"], self.task.call_disposition
        # What the org's list doesn't have (any more) is what stands there all the same.
        if isinstance(field, forms.ChoiceField) and value and value not in dict(field.choices):  # type: ignore[arg-type]
            field.choices = [*field.choices, (value, value)]  # type: ignore[misc]

    def _dialled(self, number: str) -> str:
        return e164(number, Organisation.load().phone_region)


class _EmailCorrection(CorrectionForm, EmailForm):
    def set_up(self) -> None:
        super().set_up()
        _choose_known(self, "known_address", "email_address", emails.normalised)


class _OtherCorrection(CorrectionForm, OtherForm):
    pass


_FORMS: dict[TaskKind, type[CorrectionForm]] = {
    TaskKind.CALL: _CallCorrection,
    TaskKind.EMAIL: _EmailCorrection,
    TaskKind.OTHER: _OtherCorrection,
}


def correction_form(kind: TaskKind | str) -> type[CorrectionForm]:
    """Return the form of a kind. ValueError: there is no such kind."""
    return _FORMS[TaskKind(kind)]


def _initial(task: Task) -> dict[str, Any]:
    return {
        "subject": task.subject,
        "description": task.description,
        "completed_at": task.completed_at,
        "related_record": str(task.related_record.uuid) if task.related_record else "",
        "call_direction": task.call_direction,
        "call_duration_seconds": task.call_duration_seconds,
        "call_disposition": task.call_disposition,
        "phone_number": task.phone_number,
        "email_address": task.email_address,
    }


def _choose_known(form: CorrectionForm, known: str, typed: str, normal: Callable[[str], str]) -> None:
    """Choose the record's own number or address where the task has it; else it stands as one that was typed."""
    field = form.fields.get(known)
    if not isinstance(field, forms.ChoiceField) or known in form.given:
        return
    value = form.initial.get(typed) or getattr(form.task, typed)
    own = next((each for each, _label in list(field.choices) if each and normal(each) == normal(value)), "")  # type: ignore[arg-type]
    form.initial[known], form.initial[typed] = own, "" if own else value


def _as_it_was(typed: str, was: str) -> str:
    """A form sends each end of a line as one character."""
    return was if typed == was.replace("\r\n", "\n") else typed


def _same_minute(typed: datetime | None, was: datetime | None) -> datetime | None:
    """A form shows no seconds."""
    if typed is None or was is None:
        return typed or was
    return was if typed == was.replace(second=0, microsecond=0) else typed
