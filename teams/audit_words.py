"""What an entry of the audit says, in the words that the pages use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, DateTimeField, JSONField, Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

# How django-auditlog writes that there is no value.
_NOTHING = ("", "None")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed; an empty text stands for no value."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.what}: {self.after}"
        return f"{self.what}: {self.before} → {self.after or _('nothing')}"


def in_words(model: type[Model] | None, changes: Mapping[str, Any] | None) -> list[Change]:
    """Return what an entry about an object of `model` (None: no longer known) holds, in words and in one order."""
    named = [_change(model, name, value) for name, value in (changes or {}).items()]
    return sorted((change for change in named if change), key=lambda change: change.what)


def model_of(entry: Any) -> type[Model] | None:
    """Return what an entry is about; no query once each kind is known."""
    model: type[Model] | None = ContentType.objects.get_for_id(entry.content_type_id).model_class()
    return model


def _change(model: type[Model] | None, name: str, value: Any) -> Change | None:
    field = _field(model, name)
    what = str(getattr(field, "verbose_name", None) or name.replace("_", " "))
    if isinstance(value, Mapping):  # many-to-many: who or what came or went
        names = ", ".join(str(each) for each in value.get("objects", []))
        added = value.get("operation") == "add"
        return Change(what, "", (_("added %s") if added else _("removed %s")) % names)
    before, after = (_value(field, str(each)) for each in value)
    return Change(what, before, after) if before or after else None


def _field(model: type[Model] | None, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model else None  # noqa: SLF001 - Django documents it
    except FieldDoesNotExist:
        return None


def _value(field: Any, value: str) -> str:
    choices = dict(getattr(field, "flatchoices", None) or [])
    if value in choices:
        return str(choices[value])
    if value in _NOTHING:
        return ""
    if isinstance(field, BooleanField) and value in ("True", "False"):
        return _("yes") if value == "True" else _("no")
    if isinstance(field, DateTimeField):
        return _moment(value)
    if isinstance(field, JSONField):
        return ", ".join(part.strip(' "') for part in value.strip("[]").split(",") if part.strip())
    return value


def _moment(value: str) -> str:
    try:
        naive = datetime.fromisoformat(value)
    except ValueError:
        return value
    return date_format(timezone.localtime(naive.replace(tzinfo=naive.tzinfo or UTC)), "DATETIME_FORMAT")
