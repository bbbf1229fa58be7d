"""Names as they are searched: without upper case, accents and punctuation. Pure."""

import re
import unicodedata

MOST_WORDS = 8
LONGEST = 100
_APOSTROPHES = re.compile("['’ʼ`´]")  # noqa: RUF001 - all that keyboards have for it


def words(text: str) -> list[str]:
    """Return the first words of `text`, as they are compared; none of a text without letters and digits."""
    # O’Brien is one word, Smith-Jones are two.
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    kept = "".join(char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return kept.split()[:MOST_WORDS]


def from_each_word(name: str) -> list[str]:
    """Return `name` from each of its words on, the whole first: what a beginning is looked for in."""
    parts = words(name)
    return [" ".join(parts[start:])[:LONGEST] for start in range(len(parts))]
