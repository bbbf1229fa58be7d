"""What pydantic finds wrong, in our words. What was given is never repeated."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from sync.api.schemas import CallIn, TaskIn

# By pydantic's name of the error: our code and words.
_WORDS = {
    "missing": ("required", gettext_lazy("This field is required.")),
    "string_too_short": ("required", gettext_lazy("This field is required.")),
    "extra_forbidden": ("unknown_field", gettext_lazy("There is no such field. There are: %(known)s.")),
    "literal_error": ("choice", gettext_lazy("Choose one of: %(expected)s.")),
    "string_type": ("type", gettext_lazy("This must be a text.")),
    "string_unicode": (
        "surrogate",
        gettext_lazy("The text has half of a character (a lone surrogate). Send it as UTF-8."),
    ),
    "string_too_long": (
        "too_long",
        gettext_lazy("The text is too long; at most %(max_length)s characters are possible. Shorten it."),
    ),
    "int_type": ("type", gettext_lazy("This must be a whole number.")),
    "int_parsing": ("type", gettext_lazy("This must be a whole number.")),
    "int_parsing_size": ("type", gettext_lazy("This must be a whole number.")),
    "int_from_float": ("type", gettext_lazy("This must be a whole number.")),
    "greater_than_equal": ("out_of_range", gettext_lazy("This must be %(ge)s or more.")),
    "less_than_equal": ("out_of_range", gettext_lazy("This must be %(le)s or less.")),
    "model_type": ("type", gettext_lazy("This must be an object: {…}.")),
}
_NO_KEY = gettext_lazy("A key has visible ASCII characters, and no space at either end.")
_NO_CRM_ID = gettext_lazy("This is not a CRM id: it has 15 or 18 letters and digits.")


def said(error: Mapping[str, Any], place: Sequence[str | int]) -> dict[str, str]:
    """Return field, code and message of one of pydantic's errors; `place` is the field's way from the object."""
    # Names that the sender made up come without half characters, and not at any length.
    name = plain(".".join(str(part) for part in place))
    if error["type"] == "string_pattern_mismatch":
        return {"field": name, "code": "malformed", "message": str(_NO_KEY if name == "key" else _NO_CRM_ID)}
    code, message = _WORDS.get(error["type"], ("invalid", error["msg"].replace("%", "%%")))
    model = CallIn if len(place) > 1 and place[0] == "call" else TaskIn
    known = {"known": ", ".join(model.model_fields), **error.get("ctx", {})}
    return {"field": name, "code": code, "message": message % known}


def plain(name: str) -> str:
    """Return a name that the sender made up as it can be shown."""
    return name[:100].encode("ascii", "backslashreplace").decode()
