"""Who changed what, from what to what: what is kept, for whom to see, and entries that are written by hand.

Saving or deleting one object of a kept kind writes its entry by itself. `QuerySet.update()`, `bulk_create` and what is
no field of the object don't: whoever changes something that way calls `note` or `note_all` in the same transaction.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.db.models.signals import pre_save
from django.http import HttpRequest
from django.utils.text import Truncator

from teams.models import User

Changes = Mapping[str, tuple[str, str]]

# A hundred rules, each as long as it may be, fit in.
MAX_VALUE = 40_000


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of object whose changes are kept.

    `seen_by` narrows, for who is no admin, whose entries they see; None: the admins' alone. `page` is the address where
    an object stands today.
    """

    seen_by: Callable[[User], QuerySet[Any]] | None = None
    page: Callable[[Any], str] | None = None
    related: tuple[str, ...] = ()  # what `page` and the object's name need with it


_kept: dict[type[Model], Kept] = {}
_request: ContextVar[HttpRequest | None] = ContextVar("audit_request", default=None)


def keep(
    model: type[Model],
    fields: Sequence[str],
    *,
    many: Sequence[str] = (),
    seen_by: Callable[[User], QuerySet[Any]] | None = None,
    page: Callable[[Any], str] | None = None,
    related: tuple[str, ...] = (),
) -> None:
    """Keep the changes of `fields` (and of `many`, its many-to-many ones) of a model, and no others.

    Every save() that may touch `fields` then asks for the row as it was: a model on a hot path uses update() for what
    machines change. A model without `fields` has entries written by `note` alone.
    """
    _kept[model] = Kept(seen_by, page, related)
    if fields or many:
        auditlog.register(model, include_fields=list(fields), m2m_fields=list(many))


def kept() -> dict[type[Model], Kept]:
    """Return what is kept, by model."""
    return dict(_kept)


def note(actor: User | None, obj: Model, changes: Changes) -> None:
    """Write that `actor` changed `obj`: {a field's name, or words: (from, to)}; nothing when `changes` is empty.

    Without an actor it was who sent the request, the management command that runs, or the system. Never hand in what
    is private or secret: entries are read by others, and can't be taken back.
    """
    if changes:
        _entry(actor, obj, changes).save()


def note_all(actor: User | None, changed: Iterable[tuple[Model, Changes]], *, created: bool = False) -> None:
    """Write many entries at once, as `note` does, in one query for a thousand; `created` says that they are new."""
    entries = [_entry(actor, obj, changes) for obj, changes in changed if changes]
    for entry in entries:
        if created:
            entry.action = LogEntry.Action.CREATE
        _say_who(LogEntry, entry)
    LogEntry.objects.bulk_create(entries, batch_size=1000)


def visible_to(entries: QuerySet[Any], viewer: User) -> QuerySet[Any]:
    """Narrow `entries` to what `viewer` may see: admins all, others what each kept kind's `seen_by` says."""
    if viewer.sees_everyone:
        return entries
    condition = Q(pk__in=[])
    for model, one in _kept.items():
        if one.seen_by is not None:
            kind = ContentType.objects.get_for_model(model)
            condition |= Q(content_type=kind, object_id__in=one.seen_by(viewer).order_by().values("pk"))
    return entries.filter(condition)


@contextmanager
def during(request: HttpRequest) -> Iterator[None]:
    """Hold who sends `request` responsible for what is changed meanwhile, also if they log in on the way."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def _entry(actor: User | None, obj: Model, changes: Changes) -> Any:
    return LogEntry(
        content_type=ContentType.objects.get_for_model(obj),
        object_pk=str(obj.pk),
        object_id=obj.pk if isinstance(obj.pk, int) else None,
        object_repr=str(obj),
        action=LogEntry.Action.UPDATE,
        changes={name: [Truncator(value).chars(MAX_VALUE) for value in pair] for name, pair in changes.items()},
        actor=actor,
    )


def _say_who(sender: type[Any], instance: Any, **_kwargs: Any) -> None:
    """Name who is responsible in a new entry: a person, else the program."""
    if not instance._state.adding:  # noqa: SLF001 - Django documents it
        return
    if instance.actor is None:
        request = _request.get()
        user = getattr(request, "user", None)
        instance.actor = user if user is not None and user.is_authenticated else None
    if instance.actor is not None:
        instance.actor_email = instance.actor.email
    elif program := _program():
        instance.additional_data = {"by": program}


def _program() -> str:
    """The management command that runs; empty for anything else."""
    if Path(sys.argv[0]).name == "manage.py" and len(sys.argv) > 1:
        return f"manage.py {sys.argv[1]}"[:100]
    return ""


pre_save.connect(_say_who, sender=LogEntry, dispatch_uid="teams.audit")
