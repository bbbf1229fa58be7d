"""Bytes of a message as text, whatever charset it claims. Never raises."""

import codecs
import re

from charset_normalizer import from_bytes

# Guessing takes its time: it looks at this much of a text, in bytes.
_SAMPLE = 20_000
# Names that real mail uses and Python doesn't know, and charsets that in practice mean their extension.
_ALIASES = {
    "ansi_x3.110-1983": "windows-1252",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-9": "windows-1254",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "unicode-1-1-utf-7": "utf-7",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "tis-620": "cp874",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
}
# Codecs that no mail program means: they run programs' escapes or take quadratic time.
_REFUSED = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
_LAST = "windows-1252"  # has a character for nearly every byte
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]+")  # PostgreSQL stores no NUL, UTF-8 has no surrogates


def decoded(data: bytes, charset: str = "", *, guess: bool = True) -> str:
    """Return `data` as text: by its declared charset, its alias, UTF-8, a guess, and windows-1252 at last.

    A text that is UTF-8 but for a few broken bytes is read as that: a guess would garble all of its umlauts.
    `guess`: False where there are many texts, as a guess costs more than all the rest.
    """
    for codec in (_codec(charset), "utf-8"):
        if codec:
            try:
                return clean(data.decode(codec))
            except (UnicodeError, LookupError, ValueError):
                continue
    damaged = data.decode("utf-8", "replace")
    foreign = sum(not character.isascii() for character in damaged)
    if damaged.count("\N{REPLACEMENT CHARACTER}") * 4 <= foreign:
        return clean(damaged)
    return clean(_guessed(data) if guess else data.decode(_LAST, "replace"))


def clean(text: str) -> str:
    """Return `text` without what no database stores."""
    return _NOT_STORABLE.sub("", text)


def _codec(charset: str) -> str:
    """Return the name of Python's codec for a declared charset, or "" when there is none to be trusted."""
    name = charset.strip().strip("\"'").lower()
    try:
        codec = codecs.lookup(_ALIASES.get(name, name)).name
    except (LookupError, ValueError, UnicodeError):
        return ""
    # Text in ASCII that has other bytes says nothing about them.
    return "" if codec == "ascii" or codec.replace("_", "-") in _REFUSED else codec


def _guessed(data: bytes) -> str:
    try:
        best = from_bytes(data[:_SAMPLE]).best()
        if best is not None:
            return data.decode(best.encoding)
    except (UnicodeError, LookupError, ValueError):
        pass
    return data.decode(_LAST, "replace")
