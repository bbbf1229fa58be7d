"""The words of a text, as keywords are compared with it: in every script, whatever the case, spelling or line break."""

import re
import unicodedata

import regex

# Zero-width characters, soft hyphens, direction marks, variation selectors: nobody sees them.
_UNSEEN = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
# Scripts written without spaces: each character, with the marks on it, is a word of its own there. Script extensions
# know that the sign for a long vowel is Kana, too.
_SCRIPTS = "".join(rf"\p{{scx={script}}}" for script in ("Han", "Hira", "Kana", "Hang", "Thai", "Laoo", "Khmr", "Mymr"))
_UNSPACED = rf"[\p{{L}}\p{{N}}]&&[{_SCRIPTS}]"
_SPACED = rf"[\p{{L}}\p{{N}}\p{{M}}]--[[{_SCRIPTS}]--\p{{scx=Zinh}}]"
_WORD = regex.compile(rf"[{_UNSPACED}]\p{{M}}*|[{_SPACED}]+", regex.V1)
_IN_A_WORD = regex.compile(rf"[{_SPACED}]", regex.V1)
_IN_UNSPACED = regex.compile(rf"[[\p{{L}}\p{{N}}\p{{M}}]&&[{_SCRIPTS}]]", regex.V1)
_ENDS_UNSPACED = regex.compile(rf"[{_UNSPACED}]\p{{M}}*\Z", regex.V1)

# Marks on one character, beyond any language: putting them in order takes quadratic time.
_MANY_MARKS = regex.compile(r"(?<=\p{M}{30})\p{M}+")
_BEYOND_LATIN = re.compile(r"[^\x00-\xff]")
_MARKER = "\0"
_MOST_REMEMBERED = 20_000


class _Spaced(dict[int, str]):
    """What becomes of each character, found out at its first use: itself in a word, else a space.

    A character of an unspaced script becomes a marker: such a text takes the slow way. (Most text is in ASCII alone,
    and nearly all of the rest has no such character: a table is four times as fast as the expression.)
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        becomes = _MARKER if _IN_UNSPACED.match(character) else character if _IN_A_WORD.match(character) else " "
        if len(self) < _MOST_REMEMBERED:  # whoever writes to us decides which characters there are
            self[code] = becomes
        return becomes


_TABLE = _Spaced()
# The same for bytes of Latin-1, which are translated in no time. Capitals become small: ASCII needn't be folded first.
_LATIN = bytes(ord(_TABLE[ord(chr(code).lower())]) for code in range(256))


def folded(text: str) -> str:
    """Return `text` as it is compared: without what can't be seen, NFKC, case-folded. Folding twice changes nothing."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", _MANY_MARKS.sub("", _UNSEEN.sub("", text))).casefold()
    if unicodedata.is_normalized("NFKC", text):
        return text
    # Folding the case can bring about what NFKC would change, and the reverse (U+0345 and U+03F9 among others).
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold()))


def words(text: str) -> list[str]:
    """Return the words of `text` in their order, folded. What stands between them (line breaks, ">") is gone."""
    if not text.isascii():
        text = folded(text)
        # Quotes and dashes beyond Latin-1 only stand between words: "replace" makes them "?", and that a space.
        if any(_TABLE[ord(character)] != " " for character in set(_BEYOND_LATIN.findall(text))):
            return _words_of_any_script(text)
    return text.encode("latin-1", "replace").translate(_LATIN).decode("latin-1").split()


def _words_of_any_script(text: str) -> list[str]:
    spaced = text.translate(_TABLE)
    if _MARKER not in spaced:
        return spaced.split()
    found: list[str] = _WORD.findall(text)
    return found


def is_unspaced(word: str) -> bool:
    """Whether `word` (as `words` returns it) is a character of a script that has no spaces between its words."""
    return _ENDS_UNSPACED.search(word) is not None
