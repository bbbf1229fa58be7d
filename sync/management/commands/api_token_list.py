"""List the tokens of the HTTP API."""

from typing import Any

from django.core.management.base import BaseCommand

from sync.models import ApiToken


class Command(BaseCommand):
    help = "List the tokens of the HTTP API: how each begins, whose it is, and when it was used last."

    def handle(self, *_args: Any, **_options: Any) -> None:
        tokens = ApiToken.objects.select_related("sender__team").order_by("sender__name", "created_at")
        for token in tokens:
            words = [token.hint, token.sender.name, str(token.sender.team or "the whole organisation")]
            words.append(f"last used {token.last_used_at:%Y-%m-%d %H:%M} UTC" if token.last_used_at else "never used")
            if token.revoked_at:
                words.append(f"revoked {token.revoked_at:%Y-%m-%d}")
            elif token.expires_at:
                words.append(f"expires {token.expires_at:%Y-%m-%d}")
            if not token.sender.is_active:
                words.append("sender switched off")
            self.stdout.write("  ".join(words))
