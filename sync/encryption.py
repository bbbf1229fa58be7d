"""A model field for secrets."""

from typing import Any

from django.db import models

from teams.encryption import decrypt, encrypt


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that stands encrypted in the database and plain on the instance."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(super().get_prep_value(value) or "")

    def from_db_value(self, value: str | None, *_args: Any) -> str:
        return decrypt(value or "")
