"""An admin who connects Salesforce in the browser: the test plays the browser, on both sides."""

from dataclasses import dataclass

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from sandbox.control import SandboxControl
from tests.people import People, logged_in, people
from tests.sandbox.consent_page import Form

__all__ = ["people"]

CONNECTION = "/manager/settings/crm/connection/"


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser: logged in here as `client`, and at Salesforce as nobody yet."""

    client: Client
    sandbox: SandboxControl

    def begin(self) -> str:
        """Continue to Salesforce; the address there."""
        response = self.client.post(f"{CONNECTION}start/", {"place": "my_domain", "my_domain": self.sandbox.url})
        assert response.status_code == 200, response.content.decode()
        return str(response["Refresh"]).removeprefix("0; url=")

    def decide(self, address: str, decision: str = "allow", **values: str) -> str:
        """Log in at Salesforce and decide; the path here to which it sends the browser back."""
        form = Form(requests.get(address, timeout=10).text).values | {"decision": decision} | values
        answer = requests.post(address.partition("?")[0], data=form, timeout=10, allow_redirects=False)
        back = answer.headers["Location"]
        assert back.startswith(f"http://testserver{CONNECTION}callback/?")
        return back.removeprefix("http://testserver")

    def log_in(self, **values: str) -> None:
        """The whole way until there is something to accept."""
        response = self.client.get(self.decide(self.begin(), **values))
        assert (response.status_code, response["Location"]) == (302, f"{CONNECTION}review/")

    def answer(self, verb: str) -> str:
        """Accept or discard what waits; the page afterwards."""
        pending = self.client.get(f"{CONNECTION}review/").context["pending"]
        response = self.client.post(f"{CONNECTION}{verb}/", {"pending": pending.uuid}, follow=True)
        return response.content.decode()


@pytest.fixture
def site(salesforce_settings: Settings) -> Settings:
    salesforce_settings.SITE_URL = "http://testserver"
    return salesforce_settings


@pytest.fixture
def browser(site: Settings, people: People, sandbox: SandboxControl) -> Browser:
    sandbox.register_client("sandbox-client", callback_urls=[f"http://testserver{CONNECTION}callback/"])
    return Browser(logged_in(people.admin), sandbox)


def refresh_tokens_work(sandbox: SandboxControl, token: str) -> bool:
    """Whether Salesforce still takes a refresh token; with rotation, asking uses it up."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    return requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=10).status_code == 200
