"""What keeps promises from being kept in an org, in words, each with its remedy. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from sync.crm.base import ObjectAccess, TaskSchema
from sync.crm.task_fields import KEY_FIELD
from sync.enums import Slot


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is missing. `serious`: a promise can't be kept; `consequence` says what is done without it."""

    serious: bool
    text: str
    consequence: str = ""


def findings(objects: Sequence[ObjectAccess], schema: TaskSchema) -> list[Finding]:
    """Return what is missing, the key field first; nothing when all is there."""
    found = [] if schema.has_key else [_without_key(schema)]
    for access in objects:
        if lacking := _lacking(access):
            found.append(
                Finding(
                    True,
                    _("The Access User may not %(what)s %(name)s: give it a permission set that allows it.")
                    % {"what": lacking, "name": access.name},
                )
            )
        others = [field for field in access.missing_fields if field != KEY_FIELD]
        if others and access.readable:
            found.append(
                Finding(
                    False,
                    _(
                        "%(name)s: %(fields)s don't exist or are hidden, and are left out. To have them, create them "
                        "or make them visible to the Access User."
                    )
                    % {"name": access.name, "fields": ", ".join(others)},
                )
            )
    return found


def rights(access: ObjectAccess) -> str:
    """Return what may be done with an object, in words."""
    words = [
        (access.readable, _("read")),
        (access.createable, _("create")),
        (access.updateable, _("update")),
    ]
    return ", ".join(word for allowed, word in words if allowed) or _("nothing")


def _lacking(access: ObjectAccess) -> str:
    if access.name == "Task":
        is_enough = access.readable and access.createable and access.updateable
        return "" if is_enough else _("read, create and update")
    return "" if access.readable else _("read")


def _without_key(schema: TaskSchema) -> Finding:
    text = _(
        "The key field %(field)s is missing. Install the package under Settings › CRM › Fields, or create it on "  # noqa: RUF001
        "Activity as Text(64), External ID, Unique, and make it visible and editable for the Access User; then check "
        "the connection again."
    ) % {"field": KEY_FIELD}
    if schema.key_fallback is None:
        return Finding(
            True,
            text,
            _("Without it, a task whose answer was lost can't be found in Salesforce and waits for the field."),
        )
    consequence = _(
        "Without it, the key goes into %(field)s, and a task whose answer was lost waits longer than ten minutes "
        "before it is looked up."
    ) % {"field": schema.fields[Slot(schema.key_fallback)].name}
    return Finding(True, text, consequence)
