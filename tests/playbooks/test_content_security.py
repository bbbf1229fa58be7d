"""What browsers may run on our pages: the header on each answer, and nothing of ours that it would stop."""

import re
from pathlib import Path

import pytest
from django.test import Client
from unfold.settings import CONFIG_DEFAULTS

from playbooks.content_security import STRICT
from playbooks.env import BASE_DIR
from tests.people import People, logged_in, people

__all__ = ["people"]

TEMPLATES = sorted((BASE_DIR / "templates").rglob("*.html"))
STATIC = BASE_DIR / "playbooks" / "static" / "playbooks"


def policy(client: Client, url: str) -> dict[str, set[str]]:
    header = client.get(url)["Content-Security-Policy"]
    return {
        name: set(values.split()) for name, _, values in (part.strip().partition(" ") for part in header.split(";"))
    }


@pytest.mark.parametrize(
    "url", ["/", "/settings/profile/", "/accounts/2fa/", "/healthz", "/nothing/", "/favicon.ico", "/accounts/login/"]
)
def test_policy_is_strict_outside_the_manager_app(people: People, url: str) -> None:
    assert policy(logged_in(people.rep), url) == {name: set(values) for name, values in STRICT.items()}


@pytest.mark.parametrize("url", ["/manager/", "/manager/teams/user/", "/manager/nothing/"])
def test_policy_of_the_manager_app_allows_what_unfold_needs_and_no_more(people: People, url: str) -> None:
    assert policy(logged_in(people.admin), url) == {
        **{name: set(values) for name, values in STRICT.items()},
        "script-src": {"'self'", "'unsafe-eval'"},
        "style-src": {"'self'", "'unsafe-inline'"},
    }


def test_policy_strict_runs_nothing_inline() -> None:
    words = {word for values in STRICT.values() for word in values}
    assert words & {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} == set()
    assert (STRICT["default-src"], STRICT["frame-ancestors"], STRICT["base-uri"]) == (["'none'"],) * 3


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_template_holds_no_inline_script_style_or_handler(path: Path) -> None:
    text = re.sub(r"{%\s*comment.*?endcomment\s*%}|{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    scripts = [tag for tag in re.findall(r"<script[^>]*>", text) if " src=" not in tag]
    styles = re.findall(r"<style|\sstyle=", text)
    handlers = re.findall(r"<[^>]*\son[a-z]+\s*=", text)
    addresses = re.findall(r"javascript:|https?://(?!www\.w3\.org/)", text)
    allowed = ["<style"] if path.name == "plain.html" else []  # by its hash: error pages need no file
    assert (scripts, styles, handlers, addresses) == ([], allowed, [], [])


def test_python_writes_no_inline_style_or_handler() -> None:
    sources = [path for app in ("playbooks", "sync", "blacklist", "teams") for path in (BASE_DIR / app).rglob("*.py")]
    found = {
        str(path.relative_to(BASE_DIR)): hits
        for path in sources
        if (hits := re.findall(r"<[a-z][^>]*\s(?:style|on[a-z]+)=", path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize("shell", ["/manager/", "/settings/profile/"])
def test_both_frames_read_their_colours_from_the_one_file(people: People, shell: str) -> None:
    html = logged_in(people.admin).get(shell).content.decode()
    assert html.count("playbooks/colours.css") == 1
    assert html.count("<style") == 0


def test_colours_hold_every_variable_that_unfold_reads() -> None:
    wanted = {f"--color-{name}-{weight}" for name, weights in CONFIG_DEFAULTS["COLORS"].items() for weight in weights}
    named = set(re.findall(r"^\s*(--color-[\w-]+):", (STATIC / "colours.css").read_text(), re.MULTILINE))
    assert named == wanted
