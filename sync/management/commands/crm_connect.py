from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from sync.connecting import ConnectReport, connect
from sync.crm.base import ObjectAccess
from sync.errors import NotConnectedError
from sync.findings import findings, rights
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
    lines = [f"{access.name + ':':<13}{rights(access)}"]
    if access.writable_fields:
        lines.append(_("  may write: %(fields)s") % {"fields": ", ".join(access.writable_fields)})
    if access.missing_fields:
        lines.append(_("  missing:   %(fields)s") % {"fields": ", ".join(access.missing_fields)})
    return lines


def _missing(report: ConnectReport) -> list[str]:
    lines = []
    for finding in findings(report.objects, report.schema):
        lines.append(f"{'!' if finding.serious else '·'} {finding.text}")
        if finding.consequence:
            lines.append(f"  {finding.consequence}")
    return lines
