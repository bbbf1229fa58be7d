"""Where an admin logs in to Salesforce."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.browser_app import Place, login_address, place_of
from sync.crm.hosts import AddressError
from sync.models import Connection


class ConnectForm(forms.Form):
    """`cleaned_data["login_url"]` is the address, checked: a secret is sent there."""

    place = forms.ChoiceField(
        label=gettext_lazy("Where do you log in?"),
        choices=Place.choices,
        widget=forms.RadioSelect,
        initial=Place.PRODUCTION,
    )
    my_domain = forms.CharField(
        label=gettext_lazy("My Domain"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Only for My Domain: the org's own address, like acme.my.salesforce.com or "
            "acme--test.sandbox.my.salesforce.com. In Salesforce it stands under Setup, My Domain."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "url", "inputmode": "url", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "place" not in cleaned or "my_domain" not in cleaned:
            return cleaned
        place = Place(cleaned["place"])
        if place == Place.MY_DOMAIN and not cleaned["my_domain"]:
            self.add_error("my_domain", _("Enter the org's address, or choose Production or Sandbox."))
            return cleaned
        try:
            cleaned["login_url"] = login_address(place, cleaned["my_domain"])
        except AddressError as error:
            self.add_error("my_domain", _("This address can't be used: %(why)s.") % {"why": error})
        return cleaned


def form_for(connection: Connection | None) -> ConnectForm:
    """Return the form with what the connection was made with."""
    if connection is None:
        return ConnectForm()
    place = place_of(connection.login_url)
    my_domain = connection.login_url if place == Place.MY_DOMAIN else ""
    return ConnectForm(initial={"place": place, "my_domain": my_domain})
