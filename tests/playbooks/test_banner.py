"""The banner: said on every page of the Manager App, to each role what that role can do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from playbooks.banner import Banner, banner_for
from sync.models import Connection
from teams.models import User
from tests.people import People, logged_in, people
from tests.sync.admin.conftest import SCHEMA, make_connection

__all__ = ["people"]

DOWN = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)


def said(**fields: Any) -> Banner | None:
    return banner_for(Connection(schema=SCHEMA, **fields), is_admin=True)


def test_m23_disconnected_says_since_when_in_the_crms_words_and_the_remedy() -> None:
    fields = {
        "state": "disconnected",
        "down_since": DOWN,
        "error_code": "invalid_grant",
        "error_message": "inactive user",
    }
    for_admin = said(**fields)
    for_manager = banner_for(Connection(schema=SCHEMA, **fields), is_admin=False)
    assert for_admin is not None
    assert for_manager is not None
    assert for_admin.tone == for_manager.tone == "bad"
    assert for_admin.title.startswith("The Access User is disconnected since 3 Mar 2025, 12:00 (")
    assert for_admin.title.endswith("). Nothing syncs, and nothing is lost.")
    assert for_admin.crm_words == for_manager.crm_words == "invalid_grant: inactive user"
    assert for_admin.remedy.endswith(
        "then reconnect in the browser, or run manage.py crm_connect. What was completed meanwhile goes out by itself."
    )
    assert (for_admin.page, for_manager.page) == ("/manager/settings/crm/connection/", "")
    assert for_manager.remedy == ("An admin has to reconnect it. What was completed meanwhile goes out by itself.")


def test_disconnected_on_purpose_says_who_and_when_and_blames_no_crm() -> None:
    by = User(name="Ada Admin", email="ada@example.com")
    banner = said(state="disconnected", down_since=DOWN, disconnected_by=by)
    assert banner is not None
    assert banner.title.startswith("Ada Admin disconnected Salesforce on 3 Mar 2025, 12:00 (")
    assert (banner.tone, banner.crm_words) == ("bad", "")
    assert banner.remedy == "It stays so until an admin reconnects it, in the browser or with manage.py crm_connect."


def test_paused() -> None:
    until = timezone.now() + timedelta(minutes=5)
    banner = said(paused_until=until, pause_mode="limit", error_code="REQUEST_LIMIT_EXCEEDED")
    assert banner is not None
    assert (banner.tone, banner.crm_words) == ("warn", "REQUEST_LIMIT_EXCEEDED")
    assert banner.remedy == "The CRM's limits are used up. Nobody has to do anything: it goes on by itself."
    assert said(paused_until=timezone.now() - timedelta(seconds=1), pause_mode="limit") is None


def test_disconnected_is_worse_than_paused() -> None:
    banner = said(state="disconnected", paused_until=timezone.now() + timedelta(minutes=5))
    assert banner is not None
    assert banner.tone == "bad"


def test_key_field_missing() -> None:
    banner = banner_for(Connection(schema={**SCHEMA, "has_key": False}), is_admin=True)
    assert banner is not None
    assert (banner.tone, banner.title) == ("warn", "The org has no key field for Tasks.")
    assert banner_for(Connection(schema=None), is_admin=True) is None


def test_no_connection() -> None:
    banner = banner_for(None, is_admin=False)
    assert banner is not None
    assert (banner.tone, banner.title) == ("info", "No CRM is connected yet.")


def test_all_is_well() -> None:
    assert said() is None


PAGES = [
    "/manager/",
    "/manager/sync/",
    "/manager/sync/task/",
    "/manager/sync/play/add/",
    "/manager/teams/user/",
    "/settings/profile/",
]


@pytest.mark.parametrize("url", PAGES)
def test_m23_every_page_has_it(people: People, url: str) -> None:
    connection = make_connection()
    client = logged_in(people.manager)
    assert client.get(url).content.decode().count("pb-banner") == 0
    Connection.objects.filter(pk=connection.pk).update(
        state="disconnected", down_since=DOWN, error_code="invalid_grant"
    )
    html = client.get(url).content.decode()
    assert html.count('<div class="pb-banner pb-banner-bad" role="alert">') == 1
    assert html.count("invalid_grant") == 1


def test_strangers_and_reps_don_t_see_it(people: People) -> None:
    make_connection(state="disconnected", down_since=DOWN, error_code="invalid_grant")
    assert Client().get("/manager/login/").content.decode().count("invalid_grant") == 0
    assert logged_in(people.rep).get("/").content.decode().count("invalid_grant") == 0
