"""What is chosen before Task Sync Results are prepared."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.exports import Wanted
from teams.crm_ids import to_18
from teams.models import Team, User

STATE_CHOICES = (
    ("", _("All")),
    ("synced", _("Synced")),
    ("waiting", _("Waiting or being sent")),
    ("failed", _("Failed")),
    ("cancelled", _("Cancelled")),
)


def crm_user_id_of(text: str) -> str:
    """Return a CRM id with 18 characters. Raises ValidationError with what to enter instead."""
    try:
        return to_18(text.strip())
    except ValueError:
        raise forms.ValidationError(
            _("This is no CRM id: it has 15 or 18 letters and digits, and upper and lower case count."), code="crm_id"
        ) from None


class ResultsForm(forms.Form):
    """Each may be left empty; users and teams are the viewer's own."""

    crm_user_id = forms.CharField(
        label=_("CRM user id"),
        required=False,
        max_length=100,
        help_text=_("Only the tasks of this Salesforce user: 15 or 18 characters that begin with 005."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    team = forms.ModelChoiceField(
        Team.objects.none(), label=_("Team"), required=False, empty_label=_("All"), to_field_name="uuid"
    )
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATE_CHOICES)

    def __init__(self, viewer: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._viewer = viewer
        self._user: User | None = None
        teams = self.fields["team"]
        assert isinstance(teams, forms.ModelChoiceField)
        teams.queryset = Team.objects.visible_to(viewer)

    def clean_crm_user_id(self) -> str:
        text: str = self.cleaned_data["crm_user_id"]
        if not text.strip():
            return ""
        crm_id = crm_user_id_of(text)
        self._user = User.objects.visible_to(self._viewer).filter(crm_user_id=crm_id).first()
        if self._user is None:
            raise forms.ValidationError(_("You see no user with this CRM user id."), code="unknown")
        return crm_id

    def wanted(self) -> Wanted:
        """Return what was chosen, once the form is valid."""
        return Wanted(self._user, self.cleaned_data["team"], self.cleaned_data["state"])
