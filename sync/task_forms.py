"""What is typed about a task that is done: one form for each kind, said to `sync.completion` field by field.

How a page logs a task with it::

    form = form_class(kind)(request.POST or None, viewer=viewer, record=record, choice=LinkChoice.PAGE)
    if request.method == "POST" and form.is_valid() and (task := form.save()) is not None:
        messages.success(request, logged.told(task))
        return redirect(…)

and shows it with ``{% include "task/form.html" %}`` inside a ``<form method="post">`` of its own, with the token and
the buttons. With `task` an open task is completed; without it an ad hoc one is logged, for `record` if there is one.
What was typed stays, errors stand beside their fields, and a form that is sent twice logs once.
"""

from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from sync.completion import Completion, complete
from sync.enums import CallDirection, LinkChoice, Slot, TaskKind
from sync.form_fields import DurationField, MomentField
from sync.models import Connection, Record, Task
from sync.relations import related_to
from teams.models import User

_CLOSED = ("already_completed", "skipped", "unknown")


class TaskForm(forms.Form):
    """What every kind has. Names of fields are those of Completion."""

    kind = TaskKind.OTHER

    subject = forms.CharField(label=_("Subject"), required=False)
    description = forms.CharField(
        label=_("Description"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    related_record = forms.ChoiceField(label=_("Related to"), required=False)
    completed_at = MomentField(label=_("Completed at"), help_text=_("Left empty: now."))
    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid4)

    def __init__(
        self,
        data: Any = None,
        *,
        viewer: User,
        task: Task | None = None,
        record: Record | None = None,
        choice: LinkChoice = LinkChoice.EXPLICIT,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.viewer = viewer
        self.task = task
        self.record = self.record_of(task, record)
        self.choice = choice
        self.is_closed = False  # the task was completed or skipped meanwhile
        self._related = {str(one.uuid): one for one in self._relatable()}
        self._offer_related()
        self.fields["subject"].widget.attrs["maxlength"] = 1000
        if task is not None:
            del self.fields["form_key"]
            self.initial.setdefault("subject", task.subject)
            self.initial.setdefault("description", task.description)
        self.set_up()

    def record_of(self, task: Task | None, record: Record | None) -> Record | None:
        """Return the record that the form is for: what the play has chosen, or what was chosen just now."""
        return task.record if task is not None and record is None else record

    def set_up(self) -> None:
        """What a kind adds to its own fields."""

    @property
    def short_fields(self) -> list[forms.BoundField]:
        """The fields of the kind that need little room, side by side."""
        return []

    @property
    def known(self) -> forms.BoundField | None:
        """The record's numbers or addresses to choose from."""
        return None

    def clean_description(self) -> str:
        text: str = self.cleaned_data["description"]
        return text.replace("\r\n", "\n")

    def said(self) -> dict[str, Any]:
        """What Completion is told besides what every kind has."""
        return {}

    def completion(self) -> Completion:
        """Return what was typed, once the form is valid."""
        typed = self.cleaned_data
        user = self.viewer if self.task is None else self.task.user
        return Completion(
            user=user,
            actor=self.viewer if self.viewer.pk != user.pk else None,
            task=self.task,
            kind=self.kind,
            subject=typed["subject"],
            description=typed["description"],
            completed_at=typed["completed_at"],
            record=self.record if self.task is None else None,
            related_record=self._related.get(typed.get("related_record", "")),
            choice=self.choice,
            uuid=typed.get("form_key"),
            **self.said(),
        )

    def save(self) -> Task | None:
        """Complete what was typed; None after adding errors to the fields. A form sent twice gives the first's task."""
        if (before := self._sent_before()) is not None:
            return self._once(before)
        try:
            return complete(self.completion())
        except ValidationError as error:
            self._take(error)
            return None
        except IntegrityError:
            # Both came at the same moment.
            if (before := self._sent_before()) is not None:
                return self._once(before)
            key = self.cleaned_data.get("form_key")
            if key is None or not Task.objects.filter(uuid=key).exists():
                raise
            self.add_error(None, _("This form was made for somebody else. Open the page anew, and type it again."))
            return None

    def _sent_before(self) -> Task | None:
        key = self.cleaned_data.get("form_key")
        return Task.objects.filter(uuid=key, user=self.viewer).first() if key else None

    def _once(self, before: Task) -> Task | None:
        """Return what the same form logged before; None when something else was typed into it since."""
        said, record = self.completion(), self.record.pk if self.record else None
        now = (said.kind, said.subject, said.description, record, said.call_duration_seconds, said.call_disposition)
        then = (before.kind, before.subject, before.description, before.record_id)
        if now == (*then, before.call_duration_seconds, before.call_disposition):
            return before
        message = _(
            "This form was sent before, and what it said then is logged as “%(subject)s”. Send it again to log what "
            "stands here as another task."
        )
        self.add_error(None, ValidationError(message, code="sent_before", params={"subject": before.subject}))
        self.data = {**self.data.dict(), self.add_prefix("form_key"): str(uuid4())}  # type: ignore[attr-defined]
        return None

    def _take(self, error: ValidationError) -> None:
        for name, found in error.error_dict.items():
            self.is_closed = self.is_closed or (name == "task" and any(one.code in _CLOSED for one in found))
            self.add_error(name if name in self.fields else None, found)

    def _relatable(self) -> list[Record]:
        """Nothing where the play has chosen already: its record stays."""
        if self.record is None or (self.task is not None and self.task.related_record_id is not None):
            return []
        return related_to(self.record)

    def _offer_related(self) -> None:
        if not self._related:
            del self.fields["related_record"]
            return
        field = self.fields["related_record"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", _("Nothing else")),
            *((uuid, f"{one} ({one.get_kind_display()})") for uuid, one in self._related.items()),
        ]


class CallForm(TaskForm):
    """A call: with whom, how long, and what came of it."""

    kind = TaskKind.CALL

    known_number = forms.ChoiceField(label=_("Number"), required=False, widget=forms.RadioSelect)
    phone_number = forms.CharField(
        label=_("Number"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "maxlength": 64}),
    )
    call_direction = forms.ChoiceField(
        label=_("Direction"), required=False, choices=CallDirection.choices, initial=CallDirection.OUTBOUND
    )
    call_duration_seconds = DurationField(
        label=_("Duration"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    call_disposition = forms.CharField(label=_("Result"), required=False)

    def set_up(self) -> None:
        numbers = _numbers(self.record) if self.record else []
        _offer(self, "known_number", "phone_number", numbers, _("Another number"))
        values = _dispositions()
        if values:
            self.fields["call_disposition"] = forms.ChoiceField(
                label=_("Result"), required=False, choices=[("", _("Not said")), *((each, each) for each in values)]
            )
        else:
            self.fields["call_disposition"].widget.attrs["placeholder"] = _("like Left voicemail")

    @property
    def short_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("phone_number", "call_direction", "call_duration_seconds", "call_disposition")]

    @property
    def known(self) -> forms.BoundField | None:
        return self["known_number"] if "known_number" in self.fields else None

    def said(self) -> dict[str, Any]:
        typed = self.cleaned_data
        return {
            "call_direction": typed["call_direction"],
            "call_duration_seconds": typed["call_duration_seconds"],
            "call_disposition": typed["call_disposition"],
            "phone_number": typed["phone_number"] or typed.get("known_number", ""),
        }


class EmailForm(TaskForm):
    """An e-mail: to or from which address."""

    kind = TaskKind.EMAIL

    known_address = forms.ChoiceField(label=_("Address"), required=False, widget=forms.RadioSelect)
    email_address = forms.CharField(
        label=_("E-mail address"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off", "maxlength": 254}),
    )

    def set_up(self) -> None:
        addresses = [email.address for email in self.record.emails.order_by("pk")] if self.record else []
        _offer(self, "known_address", "email_address", addresses, _("Another address"))

    @property
    def known(self) -> forms.BoundField | None:
        return self["known_address"] if "known_address" in self.fields else None

    @property
    def short_fields(self) -> list[forms.BoundField]:
        return [self["email_address"]]

    def said(self) -> dict[str, Any]:
        typed = self.cleaned_data
        return {"email_address": typed["email_address"] or typed.get("known_address", "")}


class OtherForm(TaskForm):
    """Anything else."""


_FORMS: dict[TaskKind, type[TaskForm]] = {
    TaskKind.CALL: CallForm,
    TaskKind.EMAIL: EmailForm,
    TaskKind.OTHER: OtherForm,
}


def form_class(kind: TaskKind | str) -> type[TaskForm]:
    """Return the form of a kind. ValueError: there is no such kind."""
    return _FORMS[TaskKind(kind)]


def _offer(form: TaskForm, known: str, typed: str, values: list[str], another: Any) -> None:
    """Let one of the record's own `values` be chosen, the first by default; without any there is nothing to choose."""
    if not values:
        del form.fields[known]
        return
    field = form.fields[known]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [*((value, value) for value in dict.fromkeys(values)), ("", _("Another, or none"))]
    form.initial.setdefault(known, values[0])
    form.fields[typed].label = another


def _numbers(record: Record) -> list[str]:
    """The record's numbers that can be dialled; with others, like “ext. 44”, no call could be completed."""
    return [phone.number for phone in record.phones.order_by("pk") if phone.e164]


def _dispositions() -> list[str]:
    """The values of the org's picklist; none where it is a text."""
    connection = Connection.objects.of_organisation().first()
    schema = connection.task_schema if connection is not None else None
    field = schema.fields.get(Slot.CALL_DISPOSITION) if schema is not None else None
    return list(field.choices or ()) if field is not None else []
