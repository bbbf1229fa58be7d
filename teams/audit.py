"""Who changed what, for changes that django-auditlog doesn't see by itself (QuerySet.update, bulk_create)."""

from auditlog.models import LogEntry
from django.db.models import Model

from teams.models import User


def note(actor: User | None, obj: Model, changes: dict[str, tuple[str, str]]) -> None:
    """Write one entry about `obj`: for each thing changed what it was and what it is. Nothing changed, no entry."""
    if changes:
        LogEntry.objects.log_create(
            obj,
            action=LogEntry.Action.UPDATE,
            actor=actor,
            actor_email=actor.email if actor else None,
            changes={what: [old, new] for what, (old, new) in changes.items()},
        )
