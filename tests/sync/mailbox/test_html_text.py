"""What a reader sees of HTML."""

import pytest

from sync.mailbox.html_text import MAX_ELEMENTS, MAX_HTML, text_of


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Hello</p><p>World</p>", ["Hello", "World"]),
        ("pri<b>va</b>te", ["private"]),
        ("pri<!-- x -->vate", ["private"]),
        ("a<br>b", ["a", "b"]),
        ("<td>one</td><td>two</td>", ["one", "two"]),
        ("<table><tr><td>the<br>merger</td><td>of<br>us</td></tr></table>", ["the", "merger", "of", "us"]),
        ("<style>b{color:red}</style><script>secret()</script>seen", ["seen"]),
        ('<span style="DISPLAY : none">hidden</span>seen', ["seen"]),
        ("<title>no</title><body>yes", ["yes"]),
        ("&lt;b&gt; &amp; &eacute; &#8217;", ["<b>", "&", "é", "’"]),
        ('<?xml version="1.0" encoding="utf-16"?><html><body>Grüße</body></html>', ["Grüße"]),
        ('<meta charset="iso-2022-jp"><body>Grüße', ["Grüße"]),
        ("plain, no tag at all", ["plain,", "no", "tag", "at", "all"]),
        ("", []),
        ("   ", []),
        ("<", ["<"]),
        ("<!-- never closed <p>seen</p>", ["<!--", "never", "closed", "seen"]),  # some programs show it
    ],
)
def test_text(html: str, expected: list[str]) -> None:
    assert text_of(html).split() == expected


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000 + "seen",
        '<div style="margin-top: 99999999em; padding: 99999999em">seen</div>',
        "<table><tr><td>" * 3000 + "seen",
        "<table>" + "<tr><td>" + "x" * 100_000 + "</td><td>seen</td></tr>" + "<tr><td>a</td><td>b</td></tr>" * 5000,
        "<" * (MAX_ELEMENTS + 1) + " seen",
        "<p>seen</p>" * (MAX_HTML // 10),
        "<ul><li>" * 300 + "seen",
        "&" * 200_000 + "seen",
    ],
    ids=["deep", "margins", "tables", "wide cells", "brackets", "long", "lists", "entities"],
)
def test_html_made_to_break_it_is_read_without_growing(html: str) -> None:
    text = text_of(html)
    assert "seen" in text
    assert len(text) <= 2 * len(html) + 1000


def test_what_programs_mark_as_quoted_is_left_out() -> None:
    html = (
        "<p>Mine</p>"
        '<div class="gmail_signature">Ann</div> tail'
        '<div class="gmail_quote"><p>On Monday Bob wrote:</p><blockquote>theirs</blockquote></div>'
        '<blockquote type="cite">cited</blockquote><blockquote>indented</blockquote>'
    )
    assert text_of(html, without_quotes=True).split() == ["Mine", "tail", "indented"]
    assert "theirs" in text_of(html)


def test_taking_apart_says_when_it_can_t() -> None:
    with pytest.raises(ValueError, match="too long"):
        text_of("<p>x</p>" * MAX_HTML, without_quotes=True)


def test_many_quotes_with_text_behind_each() -> None:
    html = "<p>" + "<blockquote cite=x>quoted</blockquote>own " * 20_000
    assert text_of(html, without_quotes=True).split() == ["own"] * 20_000


def test_quotes_in_quotes_go_together() -> None:
    html = "a<blockquote type=cite>b<div class=gmail_quote>c</div>d</blockquote>e <i id=Signature>f</i>g"
    assert text_of(html, without_quotes=True).split() == ["ae", "g"]
