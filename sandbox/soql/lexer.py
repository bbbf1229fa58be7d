"""SOQL text to tokens."""

import re
from dataclasses import dataclass

from sandbox.errors import ApiError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,|:)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "_": "_",
    "%": "%",
}


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.upper() in words


def query_error(text: str, position: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
    """An error with the place it was found at, drawn as Salesforce draws it."""
    row = text.count("\n", 0, position) + 1
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    column = position - start
    shown_from = max(0, column - 40)
    shown = line[shown_from : column + 40]
    pointer = " " * (column - shown_from) + "^"
    return ApiError(400, code, f"\n{shown}\n{pointer}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def tokens(text: str) -> list[Token]:
    """All tokens and an `end` after them."""
    found = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            if text[position] == "'":
                raise query_error(text, position, "mismatched character '<EOF>' expecting '''")
            raise query_error(text, position, f"unexpected token: '{text[position]}'")
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match.group(), position))
        position = match.end()
    found.append(Token("end", "<EOF>", len(text)))
    return found


def unquoted(token: Token, text: str) -> str:
    """The text of a string literal."""
    return "".join(char for char, _ in quoted_characters(token, text))


def quoted_characters(token: Token, text: str) -> list[tuple[str, bool]]:
    """Each character of a string literal, and whether it was escaped."""
    characters = []
    raw = token.text[1:-1]
    index = 0
    while index < len(raw):
        char = raw[index]
        index += 1
        if char != "\\":
            characters.append((char, False))
            continue
        escape = raw[index]
        index += 1
        if escape.lower() == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", raw[index : index + 4]):
            characters.append((chr(int(raw[index : index + 4], 16)), True))
            index += 4
        elif (known := _ESCAPES.get(escape) or _ESCAPES.get(escape.lower())) is not None:
            characters.append((known, True))
        else:
            raise query_error(text, token.position, f"Invalid string literal {token.text}. Illegal character sequence")
    return characters
