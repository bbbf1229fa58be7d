"""Which field of the org's Task each slot goes into."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from sync.crm import field_choices
from sync.crm.base import Names
from sync.crm.fields_check import type_words
from sync.crm.org_fields import OrgFields
from sync.crm.task_fields import CHOOSABLE, SLOT_FIELDS
from sync.enums import SLOT_LABELS, Slot


class FieldsForm(forms.Form):
    """One field a slot, named as the slot. `seen` is what counted when the form was shown."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None, org: OrgFields, names: Names) -> None:
        """`names`: what counts now."""
        counts = {slot.value: names.get(slot, SLOT_FIELDS[slot]) for slot in CHOOSABLE}
        super().__init__(data, initial={**counts, "seen": _as_text(names)})
        self._org = org
        for slot in CHOOSABLE:
            chosen = [counts[slot.value], str((data or {}).get(slot.value, ""))]
            self.fields[slot.value] = forms.ChoiceField(
                label=str(SLOT_LABELS[slot]),
                required=False,
                choices=_options(slot, org, chosen),
                help_text=_("As usual it is %(field)s.") % {"field": SLOT_FIELDS[slot]} if slot in names else "",
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = {slot: cleaned[slot.value] for slot in CHOOSABLE if slot.value in cleaned}
        for slot, problem in field_choices.refusals(chosen, self._org).items():
            self.add_error(slot.value, str(problem))
        return cleaned

    def names(self) -> Names:
        """Return what was chosen other than usual, once the form is valid."""
        return field_choices.changed_names({slot: self.cleaned_data[slot.value] for slot in CHOOSABLE})

    def seen_names(self) -> Names | None:
        """Return what counted when the form was shown; None when that can't be read."""
        try:
            return {Slot(slot): str(name) for slot, name in json.loads(self.cleaned_data["seen"]).items()}
        except (ValueError, AttributeError, KeyError):
            return None


def _as_text(names: Names) -> str:
    return json.dumps({slot.value: name for slot, name in sorted(names.items())})


def _options(slot: Slot, org: OrgFields, chosen: list[str]) -> list[tuple[str, str]]:
    """The usual field, none, those that fit, and those that are chosen although they don't: their error says why."""
    usual = SLOT_FIELDS[slot]
    known = org.fields.get(usual)
    options = {
        usual: _("%(field)s, as usual") % {"field": f"{known.label} ({usual})" if known else usual},
        "": _("Not sent"),
    }
    for field in field_choices.choices(slot, org):
        options[field.name] = f"{field.label} ({field.name}), {type_words(field)}"
    for name in chosen:
        if name and name not in options and (name in org.fields or name == chosen[0]):
            options[name] = name
    return list(options.items())
