from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.utils.translation import gettext as _

from sync.encryption import EncryptedTextField
from sync.models import JobLease
from teams import second_factor

_LOCK = "rotate_keys"
_LOCK_SECONDS = 3600
_BATCH = 100


class Command(BaseCommand):
    help = _("Encrypts every stored secret anew with the first of ENCRYPTION_KEYS; older keys can then be removed.")

    def handle(self, *_args: Any, **_options: Any) -> None:
        token = JobLease.take(_LOCK, _LOCK_SECONDS)
        if token is None:
            raise CommandError(_("rotate_keys runs already. Wait until it has ended."))
        failure = None
        try:
            for model, names in secret_fields():
                count = encrypt_anew(model, names)
                self.stdout.write(f"{model.__name__}: {count}")
            self.stdout.write(f"Authenticator: {second_factor.encrypt_anew()}")
        except ImproperlyConfigured as error:
            failure = CommandError(str(error))
        finally:
            JobLease.give_back(_LOCK, token)
        if failure:
            raise failure
        self.stdout.write(_("Done: the first of ENCRYPTION_KEYS is the only one that is still needed."))


def secret_fields() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Yield every model that holds secrets, with the names of those fields."""
    for model in apps.get_models():
        fields = model._meta.local_fields  # noqa: SLF001 - Django's documented way to a model's fields
        names = [field.name for field in fields if isinstance(field, EncryptedTextField)]
        if names:
            yield model, names


def encrypt_anew(model: type[models.Model], names: list[str]) -> int:
    """Encrypt all rows' secrets with the newest key, a locked batch at a time; return how many rows.

    The lock keeps a token that is renewed meanwhile from being overwritten by the old one.
    """
    everything: models.QuerySet[Any] = models.QuerySet(model)
    count = last = 0
    while True:
        with transaction.atomic():
            rows = everything.select_for_update().filter(pk__gt=last).order_by("pk")
            batch = list(rows.only("pk", *names)[:_BATCH])
            if not batch:
                return count
            # What is read in any key is written in the newest.
            everything.bulk_update(batch, names)
        count, last = count + len(batch), batch[-1].pk
