"""E-mail addresses in one form: without surrounding space, in lower case."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

MAX_LENGTH = 254


def normalised(address: str) -> str:
    """Return `address` as it is stored and compared."""
    return address.strip().lower()


def is_address(address: str) -> bool:
    """Whether `address` (normalised) can be an e-mail address: one address alone, no name in front of it."""
    try:
        validate_email(address)
    except ValidationError:
        return False
    return len(address) <= MAX_LENGTH
