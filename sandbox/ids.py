"""Salesforce record ids: 15 case-sensitive characters, or 18 with a suffix that says which are capitals."""

from functools import lru_cache

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_INSTANCE = "Sb0"


def with_suffix(id15: str) -> str:
    """The 18-character form: each suffix character encodes which of five characters are capitals."""
    suffix = ""
    for start in (0, 5, 10):
        chunk = id15[start : start + 5]
        suffix += _SUFFIX[sum(1 << bit for bit, char in enumerate(chunk) if "A" <= char <= "Z")]
    return id15 + suffix


@lru_cache(maxsize=262_144)
def full_id(text: str) -> str | None:
    """The 18-character id for one of 15 or 18 characters, None for anything else.

    An 18-character id may come in any letter case; the suffix restores it, as Salesforce does.
    """
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return None
    if len(text) == 15:
        return with_suffix(text)
    body, suffix = text[:15], text[15:].upper()
    restored = ""
    for chunk_index, code in enumerate(suffix):
        bits = _SUFFIX.find(code)
        if bits < 0:
            return None
        for bit, char in enumerate(body[chunk_index * 5 : chunk_index * 5 + 5]):
            capital = bool(bits & (1 << bit))
            if capital and not char.isalpha():
                return None
            restored += char.upper() if capital else char.lower()
    return restored + suffix


def record_id(key_prefix: str, number: int) -> str:
    """The 18-character id of the number-th record made for a key prefix ("00T")."""
    serial = ""
    for _ in range(9):
        number, digit = divmod(number, 62)
        serial = _DIGITS[digit] + serial
    return with_suffix(key_prefix + _INSTANCE + serial)
