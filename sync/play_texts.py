"""Placeholders in a play step's texts, filled when a record is enrolled: {first_name} and so on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.text import Truncator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

SUBJECT_LENGTH = 1_000  # of a task
DESCRIPTION_LENGTH = 32_000  # of a step: what fits into a Task's comments in the CRM

PLACEHOLDERS = {
    "name": _("the record's name"),
    "first_name": _("a person's first name; without one, their name"),
    "account": _("the record's account; without one, “the account”"),
    "rep": _("the rep's name"),
    "rep_first_name": _("the rep's first name"),
    "play": _("the play's name"),
}

# In this order: a doubled brace is one that is meant, and what is left over belongs to nothing.
_PARTS = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when a record is enrolled."""

    name: str
    first_name: str = ""
    account: str = ""
    rep: str
    play: str

    def values(self) -> dict[str, str]:
        """Return every placeholder's value; none is empty, so that no sentence loses a word."""
        values = {
            "name": self.name,
            "first_name": self.first_name or self.name,
            "account": self.account or _now("the account"),
            "rep": self.rep,
            "rep_first_name": self.rep.split()[0] if self.rep.split() else self.rep,
            "play": self.play,
        }
        return {key: " ".join(value.split()) for key, value in values.items()}


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with its placeholders filled; what is none stays as it was typed."""

    def part(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        return values.get(_key(found[1]), found[0]) if found[1] is not None else found[0]

    return _PARTS.sub(part, text)


def subject(text: str, name: str, values: Mapping[str, str]) -> str:
    """Return the subject of a step's task: its filled text, else the step's name."""
    return Truncator(fill(text, values).strip() or name).chars(SUBJECT_LENGTH)


def used(texts: Iterable[str]) -> set[str]:
    """Return the known placeholders that stand in `texts`."""
    keys = (_key(found[1]) for text in texts for found in _PARTS.finditer(text) if found[1] is not None)
    return {key for key in keys if key in PLACEHOLDERS}


def check(text: str) -> None:
    """Refuse placeholders that nobody knows and braces that belong to nothing, naming the known ones."""
    parts = list(_PARTS.finditer(text))
    known = ", ".join(f"{{{key}}}" for key in PLACEHOLDERS)
    unknown = [found[0] for found in parts if found[1] is not None and _key(found[1]) not in PLACEHOLDERS]
    if unknown:
        message = _("%(unknown)s is no placeholder. Known are %(known)s. Write {{ and }} for braces that stay.")
        params = {"unknown": Truncator(", ".join(dict.fromkeys(unknown))).chars(100), "known": known}
        raise ValidationError(message, code="unknown_placeholder", params=params)
    if any(found[0] in ("{", "}") for found in parts):
        message = _("A brace stands alone. Write a placeholder (%(known)s), or {{ and }} for braces that stay.")
        raise ValidationError(message, code="lonely_brace", params={"known": known})


def _key(written: str | None) -> str:
    return (written or "").strip().lower()
