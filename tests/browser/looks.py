"""What every page must pass: axe-core, a narrow screen, the keyboard."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, WIDE

NONE: dict[str, list[str]] = {"wide": [], "narrow": []}
SERIOUS = ("serious", "critical")


def findings(page: Page) -> list[str]:
    """Return axe-core's serious findings, each with the elements that it is about."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'][:160] for node in violation['nodes']][:4]}"
        for violation in violations
        if violation["impact"] in SERIOUS
    ]


def faults(page: Page) -> dict[str, list[str]]:
    """Return what is wrong with the page by the width of the screen: axe-core's findings, and what is too wide."""
    seen = {}
    for name, size in (("wide", WIDE), ("narrow", NARROW)):
        page.set_viewport_size(size)
        seen[name] = findings(page) + [f"wider than the screen: {one}" for one in overflow(page)]
    page.set_viewport_size(WIDE)
    return seen


def overflow(page: Page) -> list[str]:
    """Return what is wider than the screen; nothing when the page itself doesn't scroll sideways."""
    script = """() => {
        const width = document.documentElement.clientWidth;
        if (document.scrollingElement.scrollWidth <= width) return [];
        return [...document.querySelectorAll("body *")]
            .filter((one) => one.getBoundingClientRect().right > width + 1)
            .slice(0, 5)
            .map((one) => one.outerHTML.slice(0, 160));
    }"""
    found: list[str] = page.evaluate(script)
    return found


def unreachable(page: Page, most: int = 200) -> list[str]:
    """Press Tab until the focus is back at the start, and return the visible controls that it never came to."""
    page.evaluate(
        """() => {
            // From the page's top, wherever the page has put the focus itself.
            const top = document.createElement("span");
            top.tabIndex = -1;
            document.body.prepend(top);
            top.focus();
            top.remove();
        }"""
    )
    for _ in range(most):
        page.keyboard.press("Tab")
        moved = page.evaluate(
            """() => {
                const now = document.activeElement;
                if (!now || now === document.body) return false;
                now.dataset.reached = "yes";
                return true;
            }"""
        )
        if not moved:
            break
    script = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=button]")]
        .filter((one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
        .filter((one) => !one.disabled && one.type !== "hidden" && one.tabIndex >= 0 && !one.dataset.reached)
        .filter((one) => !(one.type === "radio" && document.querySelector(`[name="${one.name}"][data-reached]`)))
        .map((one) => one.outerHTML.slice(0, 160))"""
    left: list[str] = page.evaluate(script)
    return left
