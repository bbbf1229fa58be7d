"""Which rule stops a message, and where: the specification as a table, then what must always hold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blacklist.matcher import BodyPart, Match, Matcher, MessageFacts, Part, Participant, RuleRow
from blacklist.models import RuleKind
from blacklist.rules import parse_keyword, parse_sender
from blacklist.words import words

OWN = "rosa@acme.com"
LETTER = MessageFacts(
    participants=(
        Participant(Part.FROM, "Ann.Lee@Mail.Example.com"),
        Participant(Part.SENDER, "office@example.org"),
        Participant(Part.REPLY_TO, "ann@private.example"),
        Participant(Part.TO, "Rosa@ACME.com"),
        Participant(Part.CC, "max@straße.de"),
        Participant(Part.BCC, "eve@notexample.com"),
    ),
    subject="Re: the Merger",
    body=(
        BodyPart(
            "Hello Rosa,\nabout project\n> phoenix: the agenda is pri\u00advate.\n"
            "हिन्दी में 秘密保持契約 STRASSE re-invent\n-- \nAnn"
        ),
    ),
    own_addresses=frozenset({OWN}),
)


def _rules(*entries: str, ignore_quoted: bool = False) -> Matcher:
    """Entries as people type them; senders are known by their dot."""
    parsed = [
        parse_sender(entry) if "." in entry else parse_keyword(entry, ignore_quoted=ignore_quoted) for entry in entries
    ]
    return Matcher(RuleRow(number, rule.kind, rule.match, rule.ignore_quoted) for number, rule in enumerate(parsed))


@pytest.mark.parametrize(
    ("entry", "part"),
    [
        ("ann.lee@mail.example.com", Part.FROM),
        ("ANN.LEE@mail.EXAMPLE.com", Part.FROM),
        ("lee@mail.example.com", None),
        ("mail.example.com", Part.FROM),
        ("example.com", Part.FROM),
        ("=mail.example.com", Part.FROM),
        ("=example.com", None),
        ("ample.com", None),
        ("notexample.com", Part.BCC),
        ("example.org", Part.SENDER),
        ("private.example", Part.REPLY_TO),
        ("straße.de", Part.CC),
        ("xn--strae-oqa.de", Part.CC),
        ("strasse.de", None),
        ("max@straße.de", Part.CC),
        ("rosa@acme.com", None),  # the mailbox's own
        ("acme.com", None),
        ("merger", Part.SUBJECT),
        ("the merger", Part.SUBJECT),
        ("re the merger", Part.SUBJECT),
        ("merge", None),
        ("merge*", Part.SUBJECT),
        ("hello", Part.BODY),
        ("nda", None),  # agenda
        ("agenda", Part.BODY),
        ("age*", Part.BODY),
        ("gen*", None),
        ("project phoenix", Part.BODY),  # across a line break and ">"
        ("phoenix project", None),
        ("private", Part.BODY),  # a soft hyphen inside
        ("हिन्दी", Part.BODY),
        ("हिन", None),
        ("秘密", Part.BODY),
        ("保持契約", Part.BODY),
        ("密約", None),
        ("straße", Part.BODY),
        ("merger hello", None),  # no phrase runs from the subject into the body
        ("reinvent", None),
        ("re-invent", Part.BODY),
    ],
)
def test_what_stops_a_message(entry: str, part: Part | None) -> None:
    assert _rules(entry).match(LETTER) == (None if part is None else Match(0, part))


def test_addresses_come_before_the_subject_and_the_subject_before_the_body() -> None:
    matcher = _rules("agenda", "merger", "straße.de", "example.com")
    assert [(one.number, one.part) for one in matcher.matches(LETTER)] == [
        (3, Part.FROM),
        (2, Part.CC),
        (1, Part.SUBJECT),
        (0, Part.BODY),
    ]


def test_own_addresses_never_count_but_those_of_others_at_the_same_domain_do() -> None:
    facts = MessageFacts((Participant(Part.FROM, OWN), Participant(Part.TO, "otto@acme.com")), "", (), frozenset({OWN}))
    assert _rules("otto@acme.com").match(facts) == Match(0, Part.TO)


def test_malformed_addresses_stop_nothing_and_break_nothing() -> None:
    broken = ("", "@", "nobody", "@example.com", "a@", "a@..", "ann@[10.0.0.1]", "a b@example.com", "a@b" * 5000)
    facts = MessageFacts(tuple(Participant(Part.TO, address) for address in broken))
    assert _rules("ann@example.com", "example.de").match(facts) is None
    # Of what can be read, the domain counts.
    assert _rules("example.com").match(facts) == Match(0, Part.TO)


def test_text_and_html_are_compared_each() -> None:
    parts = (BodyPart("Hello"), BodyPart("Hello"), BodyPart("The merger"))
    assert len(MessageFacts(body=parts).body_words) == 2
    assert _rules("merger").match(MessageFacts(body=parts)) == Match(0, Part.BODY)
    # No phrase runs from one into the other.
    assert _rules("hello the").match(MessageFacts(body=parts)) is None


def test_rules_of_nobody_stop_nothing() -> None:
    assert Matcher([]).match(LETTER) is None
    assert len(Matcher([])) == 0


def test_length_is_the_number_of_rules() -> None:
    assert len(_rules("example.com", "merger", "nda*")) == 3


FOOTER = "Hello\n\nThis e-mail is private.\n> On the merger you said yes"


def _letter(own_text: str | Exception | None, subject: str = "") -> tuple[MessageFacts, list[str]]:
    asked: list[str] = []

    def own() -> str:
        asked.append("asked")
        if isinstance(own_text, Exception):
            raise own_text
        assert own_text is not None
        return own_text

    return MessageFacts(subject=subject, body=(BodyPart(FOOTER, None if own_text is None else own),)), asked


@pytest.mark.parametrize(
    ("own_text", "expected"),
    [
        ("Hello", None),
        ("Hello, in private", Match(0, Part.BODY)),
        (ValueError("can't be taken apart"), Match(0, Part.BODY)),  # the safe side
        (RecursionError(), Match(0, Part.BODY)),
        (None, Match(0, Part.BODY)),
    ],
)
def test_b4_rule_that_leaves_out_quotes(own_text: str | Exception | None, expected: Match | None) -> None:
    facts, _asked = _letter(own_text)
    assert _rules("private", ignore_quoted=True).match(facts) == expected


def test_b4_subject_is_never_left_out() -> None:
    facts, asked = _letter("Hello", subject="Private")
    assert _rules("private", ignore_quoted=True).match(facts) == Match(0, Part.SUBJECT)
    assert asked == []


@pytest.mark.parametrize(
    ("counting", "leaving_out", "asked"),
    [
        (["private"], [], 0),  # no rule leaves anything out
        ([], ["salary"], 0),  # none has matched
        (["merger"], ["private"], 0),  # another rule stops it anyway
        ([], ["private", "merger"], 1),  # once for both
    ],
)
def test_text_is_taken_apart_only_when_that_decides(counting: list[str], leaving_out: list[str], asked: int) -> None:
    facts, times = _letter("Hello")
    rows = [RuleRow(number, RuleKind.KEYWORD, word) for number, word in enumerate(counting)]
    rows += [RuleRow(10 + number, RuleKind.KEYWORD, word, True) for number, word in enumerate(leaving_out)]
    Matcher(rows).match(facts)
    assert len(times) == asked


def test_what_only_taking_apart_has_brought_together_is_no_match() -> None:
    part = BodyPart("secret\n> quoted\nmerger", lambda: "secret\nmerger, so secret")
    rows = [RuleRow(1, RuleKind.KEYWORD, "secret merger", True), RuleRow(2, RuleKind.KEYWORD, "quoted", True)]
    assert list(Matcher(rows).matches(MessageFacts(body=(part,)))) == []


def test_of_the_same_keyword_twice_the_one_that_counts_everywhere_wins() -> None:
    rows = [RuleRow(1, RuleKind.KEYWORD, "private", True), RuleRow(2, RuleKind.KEYWORD, "private", False)]
    facts, _asked = _letter("Hello")
    assert Matcher(rows).match(facts) == Match(2, Part.BODY)


_NAMES = st.text("ab", min_size=2, max_size=3)
_ROW = st.one_of(
    st.builds(lambda word: (RuleKind.KEYWORD, word), _NAMES),
    st.builds(lambda one, two: (RuleKind.KEYWORD, f"{one} {two}"), _NAMES, _NAMES),
    st.builds(lambda word: (RuleKind.KEYWORD, f"{word}*"), _NAMES),
    st.builds(lambda name, dot: (RuleKind.DOMAIN, f"{dot}{name}.ex"), _NAMES, st.sampled_from(["", "="])),
    st.builds(lambda name, at: (RuleKind.ADDRESS, f"{name}@{at}.ex"), _NAMES, _NAMES),
)
_MESSAGE = st.builds(
    lambda people, subject, body: MessageFacts(
        tuple(Participant(Part.TO, address) for address in people), " ".join(subject), (BodyPart(" ".join(body)),)
    ),
    st.lists(st.builds(lambda name, at: f"{name}@{at}.ex", _NAMES, _NAMES | st.just("aa.bb")), max_size=3),
    st.lists(_NAMES, max_size=3),
    st.lists(_NAMES, max_size=6),
)


@given(st.lists(_ROW, max_size=5), st.lists(_ROW, max_size=5), _MESSAGE)
def test_more_rules_never_let_a_stopped_message_pass(
    some: list[tuple[str, str]], more: list[tuple[str, str]], message: MessageFacts
) -> None:
    few = Matcher(RuleRow(number, kind, match) for number, (kind, match) in enumerate(some))
    many = Matcher(RuleRow(number, kind, match) for number, (kind, match) in enumerate([*some, *more]))
    if few.match(message) is not None:
        assert many.match(message) is not None


_LETTERS = st.text("abcdéßжשजक7", min_size=2, max_size=6)


@given(_LETTERS, st.text("xyzü9", max_size=2), st.text("xyzü9", max_size=2))
def test_keyword_never_matches_inside_a_word(keyword: str, before: str, after: str) -> None:
    (match,) = words(keyword)
    matcher = Matcher([RuleRow(0, RuleKind.KEYWORD, match)])
    message = MessageFacts(body=(BodyPart(f"well, {before}{keyword}{after}!"),))
    assert matcher.match(message) == (None if before or after else Match(0, Part.BODY))


@given(_MESSAGE, st.lists(_ROW, max_size=6))
def test_case_and_line_breaks_change_nothing(message: MessageFacts, rows: list[tuple[str, str]]) -> None:
    matcher = Matcher(RuleRow(number, kind, match) for number, (kind, match) in enumerate(rows))
    loud = replace(
        message,
        participants=tuple(Participant(part, address.upper()) for part, address in message.participants),
        subject=message.subject.upper(),
        body=tuple(BodyPart(part.text.upper().replace(" ", " \r\n> ")) for part in message.body),
    )
    assert list(matcher.matches(loud)) == list(matcher.matches(message))


def test_address_with_domains_beyond_measure_is_stopped_by_its_end() -> None:
    address = f"ann@{'x.' * 200_000}example.com"
    message = MessageFacts(participants=(Participant(Part.FROM, address),))
    assert _rules("example.com", "=example.com").match(message) == Match(0, Part.FROM)


def test_many_texts_that_differ_in_their_end_alone() -> None:
    texts = [BodyPart("a b c d e " * 1000 + str(number)) for number in range(500)]
    assert len(MessageFacts(body=(*texts, *texts)).body_words) == 500
