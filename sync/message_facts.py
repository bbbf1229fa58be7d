"""What of a message the blacklists are asked about: from the mailbox's dataclasses to the matcher's."""

from collections.abc import Iterable
from functools import partial

from blacklist.matcher import BodyPart, MessageFacts, Part, Participant
from sync.mailbox.message import Message, TextPart
from sync.mailbox.segments import own_text

_PARTS = {
    "from": Part.FROM,
    "sender": Part.SENDER,
    "reply-to": Part.REPLY_TO,
    "to": Part.TO,
    "cc": Part.CC,
    "bcc": Part.BCC,
}


def facts_of(message: Message, own_addresses: Iterable[str] = ()) -> MessageFacts:
    """Return what a matcher compares. `own_addresses`: those of the mailbox, which never count."""
    return MessageFacts(
        participants=tuple(Participant(_PARTS[one.header], one.address) for one in message.addresses),
        subject=message.subject,
        body=tuple(BodyPart(part.text, partial(own_text, part)) for part in message.texts),
        own_addresses=frozenset(own_addresses),
    )


def facts_of_text(sender: str, recipients: Iterable[str], subject: str, text: str) -> MessageFacts:
    """Return what a matcher compares of an e-mail of which only this is known; it lies in the sender's mailbox."""
    to = (Participant(Part.TO, address) for address in recipients)
    return MessageFacts(
        participants=(Participant(Part.FROM, sender), *to),
        subject=subject,
        body=(BodyPart(text, partial(own_text, TextPart(text))),),
        own_addresses=frozenset((sender,)),
    )
