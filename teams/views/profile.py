"""The page Settings, Profile: one's name and time zone, and how one logs in."""

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from teams.models import Organisation, User
from teams.pages import render_settings_page, settings_page
from teams.scoped_admin import time_zone_choices, viewer_of
from teams.second_factor import FACTORS, is_required_of
from teams.single_sign_on import NAMES


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    class Meta:
        model = User
        fields = ("name", "time_zone")

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = [
            ("", _("The organisation's (%(zone)s)") % {"zone": organisation.time_zone}),
            *time_zone_choices(optional=False),
        ]
        zone.help_text = _("Times are shown in it, and it decides on which day your tasks stand in the CRM.")
        self.fields["name"].widget.attrs["autocomplete"] = "name"


@settings_page
def my_profile(request: HttpRequest) -> HttpResponse:
    user = viewer_of(request)
    organisation = Organisation.load()
    # A copy: what is typed here and refused must not stand in the page's frame.
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=user.pk), organisation=organisation)
    if request.method == "POST" and form.is_valid():
        form.instance.save(update_fields=["name", "time_zone"])
        messages.success(request, _("Your profile is saved."))
        return redirect("my_profile")
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    context = {
        "form": form,
        "email": user.email,
        "role": user.get_role_display(),
        "team": user.team,
        "has_password": user.has_usable_password(),
        "has_factor": any(kind in FACTORS for kind in kinds),
        "has_app": Authenticator.Type.TOTP in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "factor_required": is_required_of(user, organisation),
        "providers": [NAMES[provider] for provider in settings.SOCIALACCOUNT_PROVIDERS],
    }
    return render_settings_page(request, "settings/profile.html", _("Profile"), context)
