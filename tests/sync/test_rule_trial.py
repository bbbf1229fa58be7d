"""Try a rule before it counts (B4)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

from blacklist.rules import ParsedRule, parse_keyword, parse_sender
from sync.rule_trial import LISTED, Candidate, EntryCount, Stopped, Trial, candidates_in, try_rules


def mail(sender: str, subject: str, body: str = "Hello") -> str:
    return (
        f"From: {sender}\nTo: rosa@example.com\nDate: Mon, 3 Mar 2025 12:00:00 +0000\n"
        f"Subject: {subject}\nMessage-ID: <{abs(hash(subject))}@acme.example>\n\n{body}\n"
    )


def mbox(*messages: str) -> BytesIO:
    separator = "From ann@acme.example Mon Mar  3 12:00:00 2025\n"
    return BytesIO("".join(f"{separator}{message}\n" for message in messages).encode())


OFFER = mail("Ann Lee <ann@acme.example>", "Our offer", "The merger is on.")
FOOTER = mail(
    "bob@b.example",
    "Lunch",
    "At noon?\n\n-- \nBob\nThis message is confidential and intended solely for the addressee.",
)
SECRET = mail("cy@c.example", "Confidential: the merger", "Read it.")
PLAIN = mail("di@d.example", "Hello")


def tried(file: BytesIO, *rules: ParsedRule, in_force: tuple[ParsedRule, ...] = (), own: str = "") -> Trial:
    return try_rules(candidates_in(file, [own]), in_force, rules)


def test_b4_counts_what_would_be_stopped_with_who_and_when() -> None:
    trial = tried(mbox(OFFER, FOOTER, SECRET, PLAIN), parse_keyword("merger"), parse_sender("d.example"))
    assert (trial.looked_at, trial.passed, trial.stopped, trial.cut_short) == (4, 4, 3, False)
    noon = datetime(2025, 3, 3, 12, tzinfo=UTC)
    assert trial.first == [
        Stopped(noon, "ann@acme.example", "Our offer", "", ("merger",)),
        Stopped(noon, "cy@c.example", "Confidential: the merger", "", ("merger",)),
        Stopped(noon, "di@d.example", "Hello", "", ("d.example",)),
    ]
    assert trial.entries == [EntryCount("merger", 2, 0), EntryCount("d.example", 1, 0)]


def test_b4_tells_which_are_stopped_for_their_footer_alone() -> None:
    file = (OFFER, FOOTER, SECRET, PLAIN)
    assert tried(mbox(*file), parse_keyword("confidential")).entries == [EntryCount("confidential", 2, 1)]
    leaving_out = tried(mbox(*file), parse_keyword("confidential", ignore_quoted=True))
    assert (leaving_out.stopped, leaving_out.entries) == (1, [EntryCount("confidential", 1, 0)])


def test_what_is_stopped_today_does_not_count_as_passed() -> None:
    trial = tried(mbox(OFFER, SECRET, PLAIN), parse_keyword("merger"), in_force=(parse_sender("acme.example"),))
    assert (trial.looked_at, trial.passed, trial.stopped) == (3, 2, 1)


def test_the_own_address_never_counts() -> None:
    rule = parse_sender("rosa@example.com")
    assert tried(mbox(OFFER), rule).stopped == 1
    assert tried(mbox(OFFER), rule, own="Rosa@Example.com").stopped == 0


def test_a_single_message() -> None:
    trial = tried(BytesIO(OFFER.encode()), parse_keyword("merger"), parse_keyword("offer"))
    assert (trial.passed, trial.stopped, trial.first[0].entries) == (1, 1, ("merger", "offer"))


def test_an_entry_that_stops_nothing_is_named_last() -> None:
    trial = tried(mbox(OFFER), parse_keyword("layoff"), parse_keyword("merger"))
    assert trial.entries == [EntryCount("merger", 1, 0), EntryCount("layoff", 0, 0)]


def test_more_messages_than_one_trial_looks_at() -> None:
    endless = (Candidate(one.facts, one.date, one.sender, one.subject) for one in candidates_in(mbox(OFFER), []))
    [candidate] = endless

    def forever() -> Iterator[Candidate]:
        while True:
            yield candidate

    trial = try_rules(forever(), [], [parse_keyword("merger")], max_messages=LISTED + 5)
    assert (trial.looked_at, trial.stopped, len(trial.first), trial.cut_short) == (LISTED + 5, LISTED + 5, LISTED, True)
    clock = iter(range(100))
    trial = try_rules(forever(), [], [parse_keyword("merger")], max_seconds=7, clock=lambda: next(clock))
    assert (trial.looked_at, trial.cut_short) == (7, True)


def test_long_subjects_are_shortened() -> None:
    [stopped] = tried(mbox(mail("ann@acme.example", "merger " + "x" * 500)), parse_keyword("merger")).first
    assert (len(stopped.subject), stopped.subject[-1]) == (200, "…")
