"""Every page with something on it: in light and dark, wide and narrow, by keyboard, and under axe-core."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver, reverse
from playwright.sync_api import Page

from tests.browser import looks
from tests.browser.conftest import Visitor
from tests.browser.pages import NO_PAGES, PAGES, Shown
from tests.browser.world import World, make_world
from tests.people import People

# Where nothing stands on the first day, and the page says so.
EMPTY = [
    "notices",
    "my_blacklist",
    "admin:index",
    "company_blacklist",
    "task_sync",
    "task_sync_results",
    "task_sync_errors",
    "crm_users",
    "api_senders",
    "admin:sync_play_changelist",
    "admin:sync_enrolment_changelist",
    "admin:sync_record_changelist",
    "admin:sync_task_changelist",
]


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def names(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    """The name of every address; those that have none show no page of their own."""
    for entry in (resolver or get_resolver()).url_patterns:
        if not isinstance(entry, URLPattern):
            yield from names(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        elif entry.name:
            yield prefix + entry.name


def test_every_address_is_looked_at_or_shows_no_page() -> None:
    looked_at = {shown.name for shown in PAGES.values()}
    assert looked_at & NO_PAGES.keys() == set()
    assert sorted(looked_at | NO_PAGES.keys()) == sorted(set(names()))


@pytest.mark.parametrize("shown", PAGES.values(), ids=list(PAGES))
def test_page(shown: Shown, world: World, visitor: Visitor) -> None:
    who = shown.who(world)
    shown.prepare(world)
    page = visitor.page(who)
    address = shown.address(world)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == shown.status
    assert page.url.partition("?")[0].endswith(shown.ends_at or address.partition("?")[0])
    assert looks.unreachable(page) == []
    seen = {"light": looks.faults(page)}
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.reload()
    # Error pages need no file, so no script puts the class there.
    page.wait_for_selector("html.dark" if shown.status not in (403, 404) else "html")
    seen["dark"] = looks.faults(page)
    assert seen == {"light": looks.NONE, "dark": looks.NONE}


@pytest.mark.parametrize("name", EMPTY)
def test_page_of_a_new_installation(name: str, people: People, open_page: Callable[..., Page]) -> None:
    page = open_page(reverse(name), people.admin)
    assert looks.faults(page) == looks.NONE
