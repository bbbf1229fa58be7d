from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from sync.connecting import ConnectReport, connect
from sync.crm.base import ObjectAccess, TaskSchema
from sync.crm.task_fields import KEY_FIELD
from sync.enums import Slot
from sync.errors import NotConnectedError
from sync.health import database_problem


class Command(BaseCommand):
    help = _("Connects the Access User that SALESFORCE_… name, and says what it may do and what is missing.")

    def handle(self, *_args: Any, **_options: Any) -> None:
        if problem := database_problem():
            raise CommandError(problem)
        try:
            report = connect()
        except NotConnectedError as error:
            failure = CommandError(str(error))
        else:
            self.stdout.write("\n".join(as_text(report)))
            return
        raise failure


def as_text(report: ConnectReport) -> list[str]:
    """Return the lines that an admin reads: who, what may be written, what is missing and how to mend it."""
    user = report.access_user
    return [
        _("Connected to %(address)s as %(name)s (%(username)s).")
        % {"address": report.connection.instance_url, "name": user.name, "username": user.username},
        _("Access User %(user)s, org %(org)s.") % {"user": user.user_id, "org": user.org_id},
        "",
        *(line for access in report.objects for line in _access(access)),
        "",
        *(_missing(report) or [_("Nothing is missing.")]),
    ]


def _access(access: ObjectAccess) -> list[str]:
    rights = [
        (access.readable, _("read")),
        (access.createable, _("create")),
        (access.updateable, _("update")),
    ]
    may = ", ".join(word for allowed, word in rights if allowed) or _("nothing")
    lines = [f"{access.name + ':':<13}{may}"]
    if access.writable_fields:
        lines.append(_("  may write: %(fields)s") % {"fields": ", ".join(access.writable_fields)})
    if access.missing_fields:
        lines.append(_("  missing:   %(fields)s") % {"fields": ", ".join(access.missing_fields)})
    return lines


def _missing(report: ConnectReport) -> list[str]:
    """What keeps promises from being kept, each with its remedy; the key field first."""
    lines = _missing_key(report.schema)
    for access in report.objects:
        is_task = access.name == "Task"
        if not access.readable or (is_task and not (access.createable and access.updateable)):
            lines.append(
                _("! The Access User may not %(what)s %(name)s: give it a permission set that allows it.")
                % {"what": _("read, create and update") if is_task else _("read"), "name": access.name}
            )
        others = [field for field in access.missing_fields if field != KEY_FIELD]
        if others and access.readable:
            lines.append(
                _(
                    "· %(name)s: %(fields)s don't exist or are hidden, and are left out. To have them, create them or "
                    "make them visible to the Access User."
                )
                % {"name": access.name, "fields": ", ".join(others)}
            )
    return lines


def _missing_key(schema: TaskSchema) -> list[str]:
    if schema.has_key:
        return []
    lines = [
        _(
            "! The key field %(field)s is missing. Create it on Activity as Text(64), External ID, Unique, and make it "
            "visible and editable for the Access User; then run crm_connect again."
        )
        % {"field": KEY_FIELD}
    ]
    if schema.key_fallback is None:
        without = _("  Without it, a task whose answer was lost can't be found in Salesforce and waits for the field.")
    else:
        without = _(
            "  Without it, the key goes into %(field)s, and a task whose answer was lost waits longer than ten minutes "
            "before it is looked up."
        ) % {"field": schema.fields[Slot(schema.key_fallback)].name}
    return [*lines, without]
