"""Salesforce ids: 15 characters that differ by case, or 18 with a checksum that makes them safe without case."""

import string
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

_CHECK_DIGITS = string.ascii_uppercase + "012345"
_ALPHABET = frozenset(string.ascii_letters + string.digits)


def to_18(crm_id: str) -> str:
    """Return the 18-character form of a 15- or 18-character id.

    Each of the three check characters tells which of five characters are upper case
    (Salesforce's published algorithm). Raises ValueError for anything else, also for a wrong checksum.
    """
    if len(crm_id) not in (15, 18) or not _ALPHABET.issuperset(crm_id):
        raise ValueError("A CRM id has 15 or 18 letters and digits.")
    core = crm_id[:15]
    check = "".join(
        _CHECK_DIGITS[
            sum(1 << bit for bit, char in enumerate(core[start : start + 5]) if char in string.ascii_uppercase)
        ]
        for start in (0, 5, 10)
    )
    if len(crm_id) == 18 and crm_id[15:].upper() != check:
        raise ValueError("The last three characters don't fit the id: was its upper and lower case changed?")
    return core + check


class CrmIdField(models.CharField):  # type: ignore[type-arg]
    """A CRM id: accepted with 15 or 18 characters, stored with 18."""

    default_error_messages = {"crm_id": _("Enter a CRM id of 15 or 18 letters and digits, as the CRM shows it.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 18)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return text
        try:
            return to_18(text.strip())
        except ValueError:
            raise ValidationError(self.error_messages["crm_id"], code="crm_id") from None
