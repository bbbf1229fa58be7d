"""Which keywords stand in a text, beside a search that takes the definition word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blacklist.keywords import KeywordIndex

# Few words of few letters, so that they meet.
_WORD = st.text("ab", min_size=1, max_size=3)
_PHRASE = st.lists(_WORD, min_size=1, max_size=4).map(" ".join)
_KEYWORD = _PHRASE | _WORD.map(lambda word: f"{word}*")
_TEXT = st.lists(_WORD, max_size=12)


def _stands_in(keyword: str, words: list[str]) -> bool:
    if keyword.endswith("*"):
        return any(word.startswith(keyword[:-1]) for word in words)
    phrase = keyword.split(" ")
    return any(words[at : at + len(phrase)] == phrase for at in range(len(words)))


@given(st.lists(_KEYWORD, unique=True, max_size=12), _TEXT)
def test_found_are_those_that_stand_there(keywords: list[str], words: list[str]) -> None:
    index = KeywordIndex((keyword, number) for number, keyword in enumerate(keywords))
    found = [keywords[number] for number in index.found_in(words)]
    assert set(found) == {keyword for keyword in keywords if _stands_in(keyword, words)}


@given(st.lists(_KEYWORD, max_size=6), st.lists(_KEYWORD, max_size=6), _TEXT)
def test_more_keywords_never_find_less(some: list[str], more: list[str], words: list[str]) -> None:
    few = KeywordIndex((keyword, number) for number, keyword in enumerate(some))
    many = KeywordIndex((keyword, number) for number, keyword in enumerate([*some, *more]))
    assert set(few.found_in(words)) <= set(many.found_in(words))


@pytest.mark.parametrize(
    ("keyword", "text", "expected"),
    [
        ("nda", "the nda is signed", [7]),
        ("nda", "agenda mandate", []),
        ("nda*", "the ndas are signed", [7]),
        ("nda*", "nda", [7]),
        ("nda*", "nd agenda", []),
        ("project phoenix", "a project phoenix", [7]),
        ("project phoenix", "phoenix project", []),
        ("project phoenix", "project x phoenix", []),
        ("a b c", "a b a b c", [7]),
        ("a b c", "a b", []),
    ],
)
def test_one_keyword(keyword: str, text: str, expected: list[int]) -> None:
    assert list(KeywordIndex([(keyword, 7)]).found_in(text.split())) == expected


def test_numbers_of_one_sort_ascend() -> None:
    index = KeywordIndex([("d", 9), ("c", 1), ("b c", 8), ("a b", 3), ("d*", 5), ("c*", 2)])
    assert list(index.found_in("a b c d".split())) == [1, 9, 3, 8, 2, 5]  # noqa: SIM905


def test_of_equal_keywords_the_first_counts() -> None:
    keywords = [("a", 4), ("a", 2), ("a b", 4), ("a b", 2), ("a b c", 4), ("a b c", 2), ("a*", 4), ("a*", 2)]
    assert set(KeywordIndex(keywords).found_in(["a", "b", "c"])) == {4}


def test_nothing_is_found_without_keywords_or_words() -> None:
    assert list(KeywordIndex([]).found_in(["a"])) == []
    assert list(KeywordIndex([("a", 1), ("a b", 2), ("a*", 3)]).found_in([])) == []


def test_prefixes_of_a_word() -> None:
    index = KeywordIndex([("nda", 1), ("nda*", 2), ("nd*", 3), ("ndas*", 4)])
    assert index.prefixes_of("nda") == [2, 3]
