from collections.abc import Sequence

import pytest

from blacklist.review import Review, Standing, now_needless, review
from blacklist.rules import parse_keywords, parse_senders


def standing(kind: str, match: str, *, ignore_quoted: bool = False, company: bool = False) -> Standing:
    return Standing(kind, match, match, ignore_quoted, company)


def of(
    senders: str = "", keywords: str = "", there: Sequence[Standing] = (), *, quoted: bool = False, whole: bool = False
) -> Review:
    parsed = [parse_senders(senders), parse_keywords(keywords, ignore_quoted=quoted)]
    return review(parsed, there, replacing=whole)


def values(found: Review) -> tuple[list[str], list[str], list[str]]:
    return tuple([rule.value for rule in rules] for rules in (found.rules, found.there, found.twice))  # type: ignore[return-value]


def test_review_tells_new_from_known_and_repeated() -> None:
    found = of("acme.example, ACME.example", "nda\nmerger", [standing("keyword", "nda")])
    assert values(found) == (["acme.example", "merger"], ["nda"], ["ACME.example"])
    assert found.doubts == []
    assert found.digest == ""


def test_review_of_a_whole_list_knows_nothing_of_the_own_one() -> None:
    there = [standing("keyword", "nda"), standing("keyword", "merger", company=True)]
    found = of("", "nda, merger", there, whole=True)
    assert values(found) == (["nda", "merger"], [], [])
    assert [doubt.text for doubt in found.doubts] == ["The Company Blacklist has “merger” already."]


@pytest.mark.parametrize(
    ("senders", "keywords", "text"),
    [
        ("mail.acme.example", "", "“acme.example” already stops all that “mail.acme.example” would."),
        ("ann@acme.example", "", "“acme.example” already stops all that “ann@acme.example” would."),
        ("", "big merger", "“merger” in the Company Blacklist already stops all that “big merger” would."),
        ("", "merger", "The Company Blacklist has “merger” already."),
        ("new.example, a.new.example", "", "“new.example” already stops all that “a.new.example” would."),
        ("gmail.com", "", "Anybody can have an address at gmail.com, customers too: none of them will be synced."),
    ],
)
def test_review_doubts(senders: str, keywords: str, text: str) -> None:
    there = [standing("domain", "acme.example"), standing("keyword", "merger", company=True)]
    found = of(senders, keywords, there)
    assert [(doubt.text, doubt.quotable) for doubt in found.doubts] == [(text, False)]


def test_review_own_keyword_that_stops_more_than_the_companys_is_no_doubt() -> None:
    there = [standing("keyword", "merger", ignore_quoted=True, company=True)]
    assert of("", "merger", there).doubts == []
    assert len(of("", "merger", there, quoted=True).doubts) == 1


def test_m20_words_of_generic_signatures_are_doubted_unless_quoted_text_is_left_out() -> None:
    found = of("", "confidential, private, merger")
    assert [(doubt.rule.value, doubt.quotable) for doubt in found.doubts] == [("confidential", True), ("private", True)]
    assert found.quotable
    assert [(rule.value, rule.ignore_quoted) for rule in found.leaving_out_quoted()] == [
        ("confidential", True),
        ("private", True),
        ("merger", False),
    ]
    assert of("", "confidential, private, merger", quoted=True).doubts == []


@pytest.mark.parametrize("quoted", [False, True])
def test_common_words_are_doubted_whatever_is_left_out(quoted: bool) -> None:
    found = of("", "the, meeting*, nd*, thanks, merger", quoted=quoted)
    assert [(doubt.rule.value, doubt.quotable) for doubt in found.doubts] == [
        ("the", False),
        ("meeting*", False),
        ("nd*", False),
        ("thanks", False),
    ]
    assert found.leaving_out_quoted() == found.rules


def test_digest_is_of_these_doubts_alone() -> None:
    one = of("", "confidential")
    assert one.digest == of("", "merger, Confidential").digest
    assert one.digest != of("", "confidential, private").digest
    assert one.digest != of("gmail.com", "").digest


def test_now_needless_names_what_a_wider_entry_covers() -> None:
    there = [standing("domain", "mail.acme.example"), standing("keyword", "nda"), standing("domain", "b.example")]
    rules = of("acme.example", "").rules
    assert now_needless(rules, there) == [there[0]]
