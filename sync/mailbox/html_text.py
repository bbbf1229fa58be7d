"""The text of an HTML message, as a reader would see it."""

import re
from html import unescape
from typing import Any

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from lxml.html import HTMLParser, document_fromstring

# What is longer is read as if its tags were spaces: a layout of that size isn't there to be read.
MAX_HTML = 1_000_000  # characters
MAX_ELEMENTS = 50_000

_TAG = re.compile(r"<[^<>]*>")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
# Side by side, the lines of two cells would be mixed, and a phrase torn apart; beneath each other they stay whole.
# (And a table of wide cells takes memory beyond all measure.)
_TABLE_TAGS = ("table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption")
_QUOTES = (
    "//blockquote[@type='cite' or @cite]"
    "|//*[contains(@class,'gmail_quote') or contains(@class,'gmail_signature') or contains(@class,'yahoo_quoted')"
    " or contains(@class,'moz-cite-prefix') or contains(@class,'moz-signature') or contains(@class,'protonmail_quote')"
    " or @id='Signature' or @id='signature']"
)
# Nothing is indented: lists in lists would fill the memory with spaces.
_CONFIG = ParserConfig(
    css=CSS_PROFILES["strict"]
    | {tag: HtmlElement(display=Display.block) for tag in ("ul", "ol", "dl", "dd", "blockquote")}
)


def text_of(html: str, *, without_quotes: bool = False) -> str:
    """Return what a reader sees of `html`. `without_quotes`: not what mail programs mark as quoted or as signature."""
    if len(html) <= MAX_HTML and html.count("<") <= MAX_ELEMENTS:
        try:
            rendered = _rendered(html, without_quotes=without_quotes)
            if without_quotes or rendered.strip():
                return rendered
            # A comment that never ends, or everything hidden: what stands there may be read somewhere else.
        except Exception:
            if without_quotes:
                raise
    elif without_quotes:
        raise ValueError("too long to take apart")
    return crude_text_of(html)


def crude_text_of(html: str) -> str:
    """Return the text between the tags; a word with tags in it is torn apart."""
    return unescape(_TAG.sub(" ", html))


def _rendered(html: str, *, without_quotes: bool) -> str:
    # As bytes: an encoding that the document names for itself isn't true any more. Huge: otherwise what is nested
    # too deeply is dropped without a word.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    if not html.strip():
        return ""
    tree = document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    if without_quotes:
        for element in tree.xpath(_QUOTES):
            _dropped(element)
    for element in tree.iter():
        if element.tag in _TABLE_TAGS:
            element.tag = "div"
        style = element.attrib.pop("style", "")
        if style and _HIDDEN.search(style):  # nothing else: margins of a million lines are possible
            element.set("style", "display:none")
    return str(Inscriptis(tree, _CONFIG).get_text())


def _dropped(element: Any) -> None:
    """Empty `element`, but not of the text behind it: to take it out, that text would be copied once for each."""
    if element.getparent() is not None:
        element.clear(keep_tail=True)
        element.tag = "span"
