"""What an admin says of a sender, and the tokens that it gets."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.models import Sender
from sync.webhook_address import AddressRefusedError, target
from teams.models import Team

_FIELDS = ("name", "team", "is_active", "is_outlook_plugin", "webhook_url")


class SenderForm(forms.ModelForm):  # type: ignore[type-arg]
    """A webhook's address is looked up when it is new: where it may not lead is said at its field."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    webhook_url = forms.CharField(
        label=gettext_lazy("Webhook address"),
        required=False,
        max_length=500,
        help_text=gettext_lazy(
            "Told by POST when a task of this sender reached the CRM, was given up or cancelled. Empty: nobody is told."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "url", "spellcheck": "false", "placeholder": "https://"}
        ),
    )

    class Meta:
        model = Sender
        fields = _FIELDS
        error_messages = {
            "name": {"unique": gettext_lazy("Another sender has this name. Choose one that tells them apart.")}
        }
        labels = {
            "team": gettext_lazy("Whose tasks"),
            "is_active": gettext_lazy("Its tokens are accepted"),
            "is_outlook_plugin": gettext_lazy("It is the Outlook plug-in"),
        }
        help_texts = {
            "name": gettext_lazy("The tool's name, as colleagues know it."),
            "team": gettext_lazy("Whose users' tasks it may hand in and read."),
            "is_active": gettext_lazy("Switched off, none of its tokens is accepted and its webhook is silent."),
            "is_outlook_plugin": gettext_lazy(
                "Beware: what it then hands in as Track and Sync passes by all blacklists, the Company Blacklist and "
                "everyone's own, as mail sent from Outlook does. Grant it to the Outlook plug-in alone."
            ),
        }

    def __init__(self, *args: Any, is_looked_up: bool = False, **kwargs: Any) -> None:
        """`is_looked_up`: the address was looked up a moment ago."""
        super().__init__(*args, **kwargs)
        self._is_looked_up = is_looked_up
        team = forms.ModelChoiceField(
            Team.objects.order_by("name"),
            label=self.fields["team"].label,
            help_text=self.fields["team"].help_text,
            required=False,
            empty_label=_("The whole organisation's"),
        )
        self.fields["team"] = team
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        self._stored = fingerprint(self.instance)
        self.initial["seen"] = self._stored
        if self.instance.pk is None:
            del self.fields["is_active"]

    def clean_webhook_url(self) -> str:
        url: str = self.cleaned_data["webhook_url"]
        if url and url != self.initial.get("webhook_url") and not self._is_looked_up:
            try:
                target(url, settings.WEBHOOK_PRIVATE_NETWORKS)
            except AddressRefusedError as refused:
                raise forms.ValidationError(str(refused)) from None
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.instance.pk is not None and cleaned.get("seen") != self._stored:
            self.add_error(
                None,
                _("Somebody has changed this sender meanwhile. Open it anew in another tab, compare, and save again."),
            )
            # Whoever saves again has been told.
            self.data = {**self.data.dict(), self.add_prefix("seen"): self._stored}  # type: ignore[attr-defined]
        return cleaned


def fingerprint(sender: Sender) -> str:
    """What was stored when a form was shown; empty for a new sender."""
    if not sender.pk:
        return ""
    values = [sender.name, sender.team_id, sender.is_active, sender.is_outlook_plugin, sender.webhook_url]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


class TokenForm(forms.Form):
    """`token` is made with the form: sent twice, it issues one token."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    days = forms.TypedChoiceField(
        label=gettext_lazy("A new token ends"),
        coerce=int,
        choices=[
            (30, gettext_lazy("after 30 days")),
            (90, gettext_lazy("after 90 days")),
            (365, gettext_lazy("after a year")),
            (0, gettext_lazy("never, until it is revoked")),
        ],
        initial=365,
    )

    def expires_at(self) -> datetime | None:
        days: int = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None
