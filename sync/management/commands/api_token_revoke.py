"""Revoke a token of the HTTP API."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sync.models import ApiToken


class Command(BaseCommand):
    help = "Revoke a token of the HTTP API: it is refused from now on. What was handed in with it stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("hint", help="how it begins, as api_token_list shows it (pbk_…); more of it does no harm")

    def handle(self, *_args: Any, **options: Any) -> None:
        hint = options["hint"].strip().removesuffix("…")[:10]
        found = list(ApiToken.objects.filter(hint=hint, revoked_at=None).select_related("sender"))
        if len(found) != 1:
            raise CommandError(f"{len(found)} tokens that aren't revoked begin so. See manage.py api_token_list.")
        (token,) = found
        # Saved rather than updated, so that the audit says it.
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        self.stdout.write(f"Revoked {token.hint}… of {token.sender.name}.")
