"""What is to be said about a keyword that can be saved, but would stop more than its author may think."""

from django.utils.translation import gettext as _

from blacklist.common_words import common_word, is_short_prefix
from blacklist.signature_words import word_in_generic_signatures


def keyword_warnings(match: str) -> tuple[str, ...]:
    """Return at most one warning, the graver one; `match` is `Rule.match` of a keyword."""
    if word := common_word(match):
        message = _("“%(word)s” stands in almost every message: nearly all mail would be stopped.")
        return (message % {"word": word},)
    if is_short_prefix(match):
        message = _("Some word begins with “%(start)s” in almost every message: nearly all mail would be stopped.")
        return (message % {"start": match.removesuffix("*")},)
    if word := word_in_generic_signatures(match):
        message = _(
            "“%(word)s” stands in many signatures and disclaimers: messages are stopped for that alone, unless the "
            "rule leaves out signatures, disclaimers and quoted text."
        )
        return (message % {"word": word},)
    return ()
