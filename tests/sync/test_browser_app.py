"""Where an admin logs in, and where Salesforce sends the browser back."""

import pytest
from pytest_django import Settings

from sync.browser_app import Place, browser_login, callback_url, missing_settings, place_of
from sync.enums import AuthFlow
from sync.errors import NotConnectedError


def test_the_callback_address_is_below_the_site_s(settings: Settings) -> None:
    settings.SITE_URL = "https://playbooks.example/"
    assert callback_url() == "https://playbooks.example/manager/settings/crm/connection/callback/"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://login.salesforce.com", Place.PRODUCTION),
        ("https://test.salesforce.com", Place.SANDBOX),
        ("https://acme.my.salesforce.com", Place.MY_DOMAIN),
    ],
)
def test_an_address_is_shown_as_it_was_chosen(address: str, place: Place) -> None:
    assert place_of(address) == place


def test_missing_settings_are_named(settings: Settings) -> None:
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = "", ""
    assert [name for name, _what in missing_settings()] == ["SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"]
    with pytest.raises(NotConnectedError) as refusal:
        browser_login("https://login.salesforce.com", refresh_token="x")
    assert str(refusal.value) == "SALESFORCE_CLIENT_ID is not set. Set it to the consumer key of the connected app."


def test_a_log_in_shows_no_secret(salesforce_settings: Settings) -> None:
    login = browser_login("https://login.salesforce.com", refresh_token="5Aep-secret")
    assert (login.flow, login.refresh_token) == (AuthFlow.WEB_SERVER, "5Aep-secret")
    assert (repr(login).count("5Aep"), repr(login).count("sandbox-secret")) == (0, 0)


def test_without_a_refresh_token_the_remedy_is_named(salesforce_settings: Settings) -> None:
    with pytest.raises(NotConnectedError) as refusal:
        browser_login("https://login.salesforce.com")
    assert str(refusal.value) == "No refresh token is stored. Connect again under Settings, CRM, Connection."
