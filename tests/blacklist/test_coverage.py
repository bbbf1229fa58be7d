import pytest

from blacklist.coverage import Coverage
from blacklist.rules import ParsedRule, parse_keyword, parse_sender


def sender(text: str) -> ParsedRule:
    return parse_sender(text)


def keyword(text: str) -> ParsedRule:
    """A keyword; with "~" in front it leaves out quoted text."""
    return parse_keyword(text.removeprefix("~"), ignore_quoted=text.startswith("~"))


@pytest.mark.parametrize(
    ("text", "covered_by"),
    [
        ("mail.acme.example", "acme.example"),
        ("a.b.acme.example", "acme.example"),
        ("=acme.example", "acme.example"),
        ("=mail.acme.example", "acme.example"),
        ("ann@acme.example", "acme.example"),
        ("ann@mail.acme.example", "acme.example"),
        ("ann@only.example", "=only.example"),
        ("ann@mail.only.example", None),
        ("only.example", None),
        ("acme.example", None),
        ("notacme.example", None),
        ("ann@notacme.example", None),
        ("bob@lone.example", None),
        ("lone.example", None),
    ],
)
def test_of_sender(text: str, covered_by: str | None) -> None:
    coverage = Coverage([sender("acme.example"), sender("=only.example"), sender("bob@lone.example")])
    found = coverage.of(sender(text))
    assert (found and found.value) == covered_by


@pytest.mark.parametrize(
    ("text", "covered_by"),
    [
        ("nda agreement", "nda"),
        ("signed NDA, please", "nda"),
        ("~nda agreement", "nda"),
        ("ndas", None),
        ("nda", None),
        ("project blue sky", "blue sky"),
        ("blue", None),
        ("sky blue", None),
        ("layoffs", "layoff*"),
        ("the layoffs", "layoff*"),
        ("layoffs*", "layoff*"),
        ("lay*", None),
        ("~merger talks", "~merger"),
        ("merger talks", None),
        (" ".join(["nda"] * 70), "nda"),
    ],
)
def test_of_keyword(text: str, covered_by: str | None) -> None:
    coverage = Coverage([keyword(rule) for rule in ("nda", "blue sky", "layoff*", "~merger")])
    found = coverage.of(keyword(text))
    assert (found and f"{'~' if found.ignore_quoted else ''}{found.value}") == covered_by


def test_of_the_same_keyword_with_another_option() -> None:
    assert Coverage([keyword("nda")]).of(keyword("~nda")) is None
