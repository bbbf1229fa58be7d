"""What a developer's debug page shows."""

import uuid

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.views.debug import get_default_exception_reporter_filter

# Not in the source: the page shows lines of it.
CONTENT = uuid.uuid4().hex


def boom(_request: HttpRequest) -> HttpResponse:
    private = CONTENT
    raise ValueError(len(private))


urlpatterns = [path("boom/", boom)]


@pytest.mark.urls("tests.playbooks.test_debug_pages")
@pytest.mark.django_db
def test_a_debug_page_shows_no_local_variables_and_no_posted_values() -> None:
    client = Client(raise_request_exception=False)
    with override_settings(DEBUG=True, SALESFORCE_CLIENT_SECRET="opaque-and-long"):
        response = client.post("/boom/", {"subject": CONTENT})
    page = response.content.decode()
    assert response.status_code == 500
    assert page.count("private") > 0
    for hidden in (CONTENT, "opaque-and-long", *settings.ENCRYPTION_KEYS, settings.SECRET_KEY):
        assert hidden not in page


def test_addresses_with_passwords_are_hidden_settings() -> None:
    reporter_filter = get_default_exception_reporter_filter()
    hidden = reporter_filter.cleansed_substitute
    shown = reporter_filter.cleanse_setting(
        "Q_CLUSTER", {"redis": "redis://:s3cret@cache", "name": "playbooks", "workers": 2}
    )
    assert shown == {"redis": hidden, "name": "playbooks", "workers": 2}
    assert reporter_filter.cleanse_setting("QUEUE_REDIS_URL", "redis://:s3cret@cache") == hidden
    assert reporter_filter.cleanse_setting("ENCRYPTION_KEYS", ["k"]) == hidden
