"""Tokens to a Query."""

from sandbox.errors import ApiError
from sandbox.soql.lexer import Token, query_error, tokens
from sandbox.soql.nodes import AllOf, AnyOf, Comparison, Condition, Literal, Not, Ordering, Path, Query

LONGEST_QUERY = 100_000
_MOST_OFFSET = 2000
_RESERVED = (
    "FROM",
    "WHERE",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "SELECT",
    "GROUP",
    "HAVING",
)
_DAY_WORDS = ("TODAY", "YESTERDAY", "TOMORROW")
_COUNTED_DAY_WORDS = ("LAST_N_DAYS", "NEXT_N_DAYS")


def parse(text: str) -> Query:
    """The query; ApiError MALFORMED_QUERY for anything outside the grammar known here."""
    if len(text) > LONGEST_QUERY:
        raise ApiError(
            400, "QUERY_TOO_COMPLICATED", f"SOQL statements cannot be longer than {LONGEST_QUERY} characters."
        )
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.index = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def unexpected(self) -> ApiError:
        token = self.token
        if token.kind == "end":
            return query_error(self.text, token.position, "unexpected end of query")
        return query_error(self.text, token.position, f"unexpected token: '{token.text}'")

    def take(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def word(self, *words: str) -> bool:
        """Step over the words when they stand here."""
        found = self.tokens[self.index : self.index + len(words)]
        if len(found) == len(words) and all(one.is_word(word) for one, word in zip(found, words, strict=True)):
            self.index += len(words)
            return True
        return False

    def sign(self, text: str) -> bool:
        if self.token.kind == "sign" and self.token.text == text:
            self.index += 1
            return True
        return False

    def expect(self, found: bool) -> None:
        if not found:
            raise self.unexpected()

    def query(self) -> Query:
        self.expect(self.word("SELECT"))
        fields = self.selected()
        self.expect(self.word("FROM"))
        if self.token.kind != "name" or self.token.is_word(*_RESERVED):
            raise self.unexpected()
        sobject = self.take()
        where = self.condition() if self.word("WHERE") else None
        order = self.ordering() if self.word("ORDER", "BY") else ()
        limit = self.whole_number() if self.word("LIMIT") else None
        offset = self.whole_number() if self.word("OFFSET") else 0
        if offset > _MOST_OFFSET:
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MOST_OFFSET}")
        self.expect(self.token.kind == "end")
        return Query(self.text, fields, sobject, where, order, limit, offset)

    def selected(self) -> tuple[Path, ...]:
        if self.token.is_word("COUNT") and self.tokens[self.index + 1].text == "(":
            self.index += 2
            self.expect(self.sign(")"))
            return ()
        fields = [self.path()]
        while self.sign(","):
            fields.append(self.path())
        return tuple(fields)

    def path(self) -> Path:
        if self.token.kind != "name" or self.token.is_word(*_RESERVED):
            raise self.unexpected()
        token = self.take()
        return Path(tuple(token.text.split(".")), token.position)

    def whole_number(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdigit():
            raise self.unexpected()
        return int(self.take().text)

    def condition(self) -> Condition:
        """Terms joined by AND or by OR; mixing them takes parentheses, as in Salesforce."""
        terms = [self.term()]
        for joint, joined in (("AND", AllOf), ("OR", AnyOf)):
            if self.token.is_word(joint):
                while self.word(joint):
                    terms.append(self.term())
                return joined(tuple(terms))
        return terms[0]

    def term(self) -> Condition:
        if self.word("NOT"):
            return Not(self.term())
        if self.sign("("):
            inner = self.condition()
            self.expect(self.sign(")"))
            return inner
        return self.comparison()

    def comparison(self) -> Comparison:
        path = self.path()
        if self.word("LIKE"):
            if self.token.kind != "string":
                raise self.unexpected()
            return Comparison(path, "LIKE", (self.literal(),))
        for words in (("IN",), ("NOT", "IN")):
            if self.word(*words):
                return Comparison(path, " ".join(words), self.literals())
        if self.token.kind != "sign" or self.token.text not in ("=", "!=", "<>", "<", "<=", ">", ">="):
            raise self.unexpected()
        operator = self.take().text
        return Comparison(path, "!=" if operator == "<>" else operator, (self.literal(),))

    def literals(self) -> tuple[Literal, ...]:
        self.expect(self.sign("("))
        found = [self.literal()]
        while self.sign(","):
            found.append(self.literal())
        self.expect(self.sign(")"))
        return tuple(found)

    def literal(self) -> Literal:
        token = self.token
        if token.kind in ("string", "number", "date", "datetime"):
            return Literal(token.kind, self.take())
        if token.is_word("TRUE", "FALSE"):
            return Literal("boolean", self.take())
        if token.is_word("NULL"):
            return Literal("null", self.take())
        if token.is_word(*_DAY_WORDS):
            return Literal("word", self.take())
        if token.is_word(*_COUNTED_DAY_WORDS):
            self.take()
            self.expect(self.sign(":"))
            return Literal("word", token, self.whole_number())
        raise self.unexpected()

    def ordering(self) -> tuple[Ordering, ...]:
        found = [self.one_ordering()]
        while self.sign(","):
            found.append(self.one_ordering())
        return tuple(found)

    def one_ordering(self) -> Ordering:
        path = self.path()
        descending = self.word("DESC") or (self.word("ASC") and False)
        nulls_last = self.word("NULLS", "LAST") or (self.word("NULLS", "FIRST") and False)
        return Ordering(path, descending, nulls_last)
