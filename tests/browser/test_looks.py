"""The looks themselves can fail."""

from tests.browser import looks
from tests.browser.conftest import Visitor


def test_findings_names_a_picture_without_words(visitor: Visitor) -> None:
    page = visitor.page()
    page.set_content("<html lang=en><title>T</title><main><h1>T</h1><img src='data:,'></main>")
    assert [finding.partition(":")[0] for finding in looks.findings(page)] == ["image-alt"]


def test_overflow_names_what_is_too_wide(visitor: Visitor) -> None:
    page = visitor.page(narrow=True)
    page.set_content("<meta name=viewport content='width=device-width'><p style='width: 900px'>wide</p>")
    assert looks.overflow(page) == ['<p style="width: 900px">wide</p>']


def test_unreachable_names_what_the_keyboard_skips(visitor: Visitor) -> None:
    page = visitor.page()
    page.set_content("<main><button>one</button><button inert>two</button><a href='/'>three</a></main>")
    assert looks.unreachable(page) == ['<button inert="">two</button>']


def test_unreachable_begins_at_the_top_wherever_the_focus_is(visitor: Visitor) -> None:
    page = visitor.page()
    page.set_content("<main><a href='/'>one</a><input autofocus></main>")
    page.locator("input").focus()
    assert looks.unreachable(page) == []
