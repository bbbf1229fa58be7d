"""Every page in light and dark, wide and narrow, by keyboard, and under axe-core."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser import looks
from tests.people import People

PAGES = {
    "log in": ("", "admin:login"),
    "dashboard": ("manager", "admin:index"),
    "users": ("manager", "admin:teams_user_changelist"),
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_serious_finding(
    name: str, narrow: bool, dark: bool, people: People, open_page: Callable[..., Page]
) -> None:
    who, address = PAGES[name]
    user = getattr(people, who) if who else None
    page = open_page(reverse(address), user, narrow=narrow, dark=dark)
    assert looks.findings(page) == []
    assert looks.overflow(page) == []
