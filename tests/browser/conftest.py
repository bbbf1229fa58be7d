"""A real browser on a real server: what a person sees, types and clicks."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, sync_playwright
from pytest_django.live_server_helper import LiveServer

from teams.models import User
from tests.people import People, logged_in, make_people

# Chromium asks its maker for updates and lists otherwise, and a closed network answers with errors.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 740}

# Playwright's loop runs in the test's own thread, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder needs a browser."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "No chromium on the PATH. Install it (Debian: apt-get install chromium), or name it in CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """Opens pages of the site as one person, and remembers what the browser complained of."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser = browser
        self.site = site
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def page(
        self, user: User | Client | None = None, *, narrow: bool = False, dark: bool = False, **options: Any
    ) -> Page:
        """Return an empty page of a browser in which `user` is logged in, or that has a test client's session."""
        context = self.browser.new_context(
            base_url=self.site,
            viewport=NARROW if narrow else WIDE,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            **options,
        )
        self.contexts.append(context)
        client = logged_in(user) if isinstance(user, User) else user
        if client is not None:
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.site}])
        page = context.new_page()
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        # A refusal that a test asks for is no complaint; a style or script that the policy refused is one.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture
def visitor(chromium: Browser, live_server: LiveServer) -> Iterator[Visitor]:
    """Pages of the running site; a page that logs an error or breaks its own policy fails the test."""
    made = Visitor(chromium, live_server.url)
    yield made
    made.close()
    assert made.complaints == []


@pytest.fixture
def people(transactional_db: None) -> People:
    return make_people()


@pytest.fixture
def open_page(visitor: Visitor) -> Callable[..., Page]:
    """`open_page("/manager/", user)`: the page as that user sees it."""

    def open_it(path: str, user: User | Client | None = None, **options: Any) -> Page:
        page = visitor.page(user, **options)
        page.goto(path)
        return page

    return open_it
