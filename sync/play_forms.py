"""Choosing a play to begin for a record."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from sync import plays
from sync.models import Enrolment, Play, Record
from sync.relations import related_to
from teams.models import User


class StartPlayForm(forms.Form):
    """One of the active plays that have steps; with a person also what it is about."""

    play = forms.ChoiceField(
        label=_("Play"), widget=forms.RadioSelect, error_messages={"required": _("Choose a play.")}
    )
    related_record = forms.ChoiceField(label=_("Related to"), required=False)

    def __init__(self, data: Any = None, *, record: Record, viewer: User) -> None:
        super().__init__(data)
        self.record, self.viewer = record, viewer
        offered = Play.objects.filter(is_active=True, steps__isnull=False).annotate(days=Max("steps__day_offset"))
        self.plays = {str(play.uuid): play for play in offered.prefetch_related("steps").order_by("name")}
        running = Enrolment.objects.running().filter(record=record)
        self.taken = set(running.values_list("play", flat=True))
        self._related = {str(one.uuid): one for one in related_to(record)}
        self._offer()

    def _offer(self) -> None:
        choice = self.fields["play"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(key, play.name) for key, play in self.plays.items()]
        choice.error_messages["invalid_choice"] = _("This play can't be started any more. Choose another.")
        if not self._related:
            del self.fields["related_record"]
            return
        related = self.fields["related_record"]
        assert isinstance(related, forms.ChoiceField)
        related.choices = [
            ("", _("Nothing else")),
            *((key, f"{one} ({one.get_kind_display()})") for key, one in self._related.items()),
        ]

    def options(self) -> list[dict[str, Any]]:
        """Return each play with its steps, and whether the record is in it already, for the page."""
        chosen = self["play"].value()
        return [
            {
                "play": play,
                "key": key,
                "steps": play.steps.all(),
                "is_taken": play.pk in self.taken,
                "is_chosen": key == chosen,
            }
            for key, play in self.plays.items()
        ]

    def save(self) -> Enrolment | None:
        """Begin the play; None after adding what speaks against it to the fields."""
        typed = self.cleaned_data
        try:
            return plays.enrol(
                self.plays[typed["play"]],
                self.record,
                self.viewer,
                self._related.get(typed.get("related_record", "")),
            )
        except ValidationError as error:
            for name, found in error.error_dict.items():
                # The record is the page's: what speaks against it speaks against the choice of the play.
                field = "play" if name == "record" else name
                self.add_error(field if field in self.fields else None, found)
            return None
