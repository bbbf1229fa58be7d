"""Secrets at rest: encrypted with the newest key, readable with every key that ENCRYPTION_KEYS names."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


def encrypt(text: str) -> str:
    """Return `text` encrypted with the newest key; empty stays empty."""
    return _fernet().encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str:
    """Return the text that `encrypt` was given. Raises ImproperlyConfigured when no key fits."""
    if not token:
        return ""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret can't be read with any of ENCRYPTION_KEYS. Put the key that it was written with back "
            "into ENCRYPTION_KEYS, after the newest one."
        ) from None
