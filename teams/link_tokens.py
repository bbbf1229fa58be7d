"""The tokens in links at which somebody chooses a password."""

from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator


class LinkTokens(PasswordResetTokenGenerator):
    """Django's, which also end when their user is deactivated: activating them again revives no old link."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        own: str = super()._make_hash_value(user, timestamp)
        return own if user.deactivated_at is None else f"{own}{user.deactivated_at.timestamp()}"


tokens = LinkTokens()
