"""The words of a text, as keywords are compared with it: in every script, whatever the case, spelling or line break."""

import string
import unicodedata

import regex

# Zero-width characters, soft hyphens, direction marks, variation selectors: nobody sees them.
_UNSEEN = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
# Scripts written without spaces: each character, with the marks on it, is a word of its own there. Script extensions
# know that the sign for a long vowel is Kana, too.
_UNSPACED = "".join(
    rf"\p{{scx={script}}}" for script in ("Han", "Hira", "Kana", "Hang", "Thai", "Laoo", "Khmr", "Mymr")
)
_WORD = regex.compile(
    rf"[[\p{{L}}\p{{N}}]&&[{_UNSPACED}]]\p{{M}}*|[[\p{{L}}\p{{N}}\p{{M}}]--[[{_UNSPACED}]--\p{{scx=Zinh}}]]+",
    regex.V1,
)
_ENDS_UNSPACED = regex.compile(rf"[[\p{{L}}\p{{N}}]&&[{_UNSPACED}]]\p{{M}}*\Z", regex.V1)
# For text in ASCII alone, which most is, the same by a table: five times as fast.
_KEPT_IN_ASCII = string.ascii_lowercase + string.digits
_ASCII = {code: chr(code).lower() if chr(code).lower() in _KEPT_IN_ASCII else " " for code in range(128)}


def folded(text: str) -> str:
    """Return `text` as it is compared: without what can't be seen, NFKC, case-folded. Folding twice changes nothing."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()
    # Folding the case can bring about what NFKC would change, and the reverse (U+0345, U+1E9E among others).
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold()))


def words(text: str) -> list[str]:
    """Return the words of `text` in their order, folded. What stands between them (line breaks, ">") is gone."""
    if text.isascii():
        return text.translate(_ASCII).split()
    found: list[str] = _WORD.findall(folded(text))
    return found


def is_unspaced(word: str) -> bool:
    """Whether `word` (as `words` returns it) is a character of a script that has no spaces between its words."""
    return _ENDS_UNSPACED.search(word) is not None
