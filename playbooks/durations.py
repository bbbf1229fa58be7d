"""Short lengths of time in words: Django's own are silent below a minute."""

from datetime import timedelta

from django.utils import formats
from django.utils.translation import gettext as _


def in_words(duration: timedelta | None) -> str:
    """Return "0.4 s", "12 s", "3 min", "2 h" or "5 d"; a dash for None."""
    if duration is None:
        return "–"
    seconds = max(0.0, duration.total_seconds())
    if seconds < 9.95:
        number = formats.number_format(round(seconds, 1), 0 if seconds == round(seconds) else 1)
        return _("%(number)s s") % {"number": number}
    for unit, length, limit in (
        (_("%(number)d s"), 1, 60),
        (_("%(number)d min"), 60, 60),
        (_("%(number)d h"), 3600, 48),
    ):
        if round(seconds / length) < limit:
            return unit % {"number": round(seconds / length)}
    return _("%(number)d d") % {"number": round(seconds / 86_400)}
