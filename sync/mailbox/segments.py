"""What the sender of a message wrote now: its text without signature, disclaimers and quoted text.

Guesswork by nature, so it errs on the side of keeping: whoever relies on it wants private words seen. What can't be
taken apart raises, and then the whole text counts.
"""

import re
from collections.abc import Iterator

from mailparser_reply.parser import EmailMessage

from sync.mailbox.html_text import text_of
from sync.mailbox.message import TextPart

# Beyond this it isn't tried: the expressions below, and the library's, take more than linear time.
MAX_TEXT = 50_000  # characters
MAX_LINE = 300  # the library's time grows with the square of a line's length
# A signature is a few short lines. What is longer, or begins with a sentence ("Thanks, but the offer …"), is no
# signature, whatever word it begins with.
MAX_SIGNATURE = 600  # characters
MAX_SIGNATURE_LINES = 12
MAX_CLOSING = 40  # characters of its first line

_LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "sv"]
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_PARAGRAPH = re.compile(r"\n{2,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")
_QUOTED = re.compile(r"^(?:>.*|.*-{2,} ?Original Message ?-{2,}.*)$", re.IGNORECASE)
# A sentence with one of these belongs to a disclaimer …
_DISCLAIMER = re.compile(
    r"intended recipient|intended (?:solely|only|exclusively)|(?:sole|exclusive) use of|confidentiality notice"
    r"|legally privileged|privileged (?:and|or|,|&)|(?:and|or|,|&)\s(?:legally )?privileged"
    r"|received this (?:e-?mail|message|communication|transmission)[^.]{0,40}error|in error,? please"
    r"|may contain[^.]{0,40}(?:confidential|privileged|proprietary|private)"
    r"|(?:e-?mail|message|communication|transmission)[^.]{0,60}(?:is|are) (?:strictly )?(?:confidential|private)\b"
    r"|vertrauliche (?:und|oder|informationen)|irrtümlich erhalten|nicht der richtige adressat"
    r"|destinataire|destinatario|pas destiné",
    re.IGNORECASE,
)
# … and in its paragraph so do those with two of these.
_ITS_WORDS = re.compile(
    r"\b(?:confidential\w*|privileged?|private|disclos\w+|dissemination|distribution|copying|prohibited|unauthori[sz]ed"
    r"|recipients?|sender|delete|destroy|notify|attachments?|error|unlawful|virus\w*|liability|vertraulich\w*"
    r"|absender|vernichten|weitergabe|confidentiel\w*|confidencial\w*|riservat\w*)",
    re.IGNORECASE,
)


def own_text(part: TextPart) -> str:
    """Return what the sender wrote now. ValueError: `part` is too long; the library may raise others."""
    text = text_of(part.html, without_quotes=True) if part.html else part.text
    if len(text) > MAX_TEXT:
        raise ValueError("too long to take apart")
    return without_disclaimers(_newest(_in_short_lines(text)))


def _in_short_lines(text: str) -> str:
    """Return `text` in lines of at most MAX_LINE characters, no spaces around them, no more than one of them empty."""
    lines = (_SPACES.sub(" ", line).strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    cut = (piece for line in lines for piece in _pieces(line))
    return _EMPTY_LINES.sub("\n\n", "\n".join(cut)).strip()


def _pieces(line: str) -> Iterator[str]:
    while len(line) > MAX_LINE:
        space = line.rfind(" ", 0, MAX_LINE)
        at = space if space > 0 else MAX_LINE
        yield line[:at]
        line = line[at:].strip()
    yield line


def _newest(text: str) -> str:
    """Return the newest reply in `text`, without quoted lines and without its signature."""
    message = EmailMessage(text=text, languages=list(_LANGUAGES), keep_hyphen_lists=True).read()
    newest = message.replies[0]
    content, signature = newest.content, newest.signatures or ""
    if _is_signature(signature):
        content = content.removesuffix(signature)
    return "\n".join(line for line in content.split("\n") if not _QUOTED.match(line))


def _is_signature(text: str) -> bool:
    lines = text.strip().split("\n")
    return len(text) <= MAX_SIGNATURE and len(lines) <= MAX_SIGNATURE_LINES and len(lines[0]) <= MAX_CLOSING


def without_disclaimers(text: str) -> str:
    """Return `text` without the sentences that every message of a company ends with; the others stay."""
    return "\n\n".join(_without_disclaimer(paragraph) for paragraph in _PARAGRAPH.split(text))


def _without_disclaimer(paragraph: str) -> str:
    if not _DISCLAIMER.search(paragraph):
        return paragraph
    sentences = _SENTENCE_END.split(paragraph)
    return " ".join(
        sentence for sentence in sentences if not _DISCLAIMER.search(sentence) and len(_ITS_WORDS.findall(sentence)) < 2
    )
