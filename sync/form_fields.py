"""Fields that only forms about tasks have."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

_MINUTES = re.compile(r"\d{1,9}")
_CLOCK = re.compile(r"(?:(\d{1,9}):)?(\d{1,9}):(\d{1,2})")


class DurationField(forms.CharField):
    """How long a call took, as it is read off a telephone: 3:05 or 1:02:30. Gives seconds; None when left empty."""

    default_error_messages = {
        "malformed": _("Enter minutes and seconds, like 3:05, or hours too, like 1:02:30."),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("Like 3:05. A number alone: minutes."))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").replace(" ", "")
        if not text:
            return None
        if _MINUTES.fullmatch(text):
            return int(text) * 60
        if found := _CLOCK.fullmatch(text):
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            if seconds < 60:
                return hours * 3600 + minutes * 60 + seconds
        raise forms.ValidationError(self.error_messages["malformed"], code="malformed")

    def prepare_value(self, value: Any) -> Any:
        return clock(value) if isinstance(value, int) else value


class MomentField(forms.DateTimeField):
    """A day and a time in the time zone of who looks. Empty means now."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"required": False, "widget": widget, **kwargs})
        self.error_messages["invalid"] = _("Enter a day and a time, like 2025-03-31 14:05, or leave it empty.")


def clock(seconds: int) -> str:
    """Return a duration as DurationField takes it."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
