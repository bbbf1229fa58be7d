"""From the mailbox's dataclasses to the matcher's."""

from blacklist.matcher import Match, Matcher, Part, Participant, RuleRow
from blacklist.models import RuleKind
from sync.mailbox.headers import ADDRESS_HEADERS
from sync.mailbox.message import read_message
from sync.message_facts import _PARTS, facts_of

RAW = b"""\
From: Ann <Ann@Example.com>
To: rosa@acme.com
Cc: bob@example.org
Subject: Re: the merger

Yes.

On Monday, Bob wrote:
> private
"""


def test_every_header_has_its_part() -> None:
    assert tuple(_PARTS) == ADDRESS_HEADERS
    assert {*_PARTS.values(), Part.SUBJECT, Part.BODY} == set(Part)


def test_facts_of_a_message() -> None:
    facts = facts_of(read_message(RAW), ["ROSA@acme.com"])
    assert facts.strangers == [Participant(Part.FROM, "ann@example.com"), Participant(Part.CC, "bob@example.org")]
    assert facts.subject_words == ["re", "the", "merger"]
    assert [said[-1] for _part, said in facts.body_words] == ["private"]


def test_b4_quoted_text_is_left_out_where_the_rule_says_so() -> None:
    facts = facts_of(read_message(RAW))
    assert Matcher([RuleRow(1, RuleKind.KEYWORD, "private")]).match(facts) == Match(1, Part.BODY)
    assert Matcher([RuleRow(1, RuleKind.KEYWORD, "private", True)]).match(facts) is None
    assert Matcher([RuleRow(1, RuleKind.KEYWORD, "yes", True)]).match(facts) == Match(1, Part.BODY)
