import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from sync import crm_fields
from sync.crm.fields_check import FieldReport, is_complete
from sync.enums import SLOT_LABELS
from sync.errors import CrmError, NotConnectedError
from sync.health import database_problem
from sync.models import Connection


class Command(BaseCommand):
    help = _(
        "Compares the fields that Playbooks fills with those of the org's Task. Exit status 0: all are there; 1: one "
        "is missing, hidden or of the wrong type; 2: the org could not be asked."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        if problem := database_problem():
            raise CommandError(problem, returncode=2)
        connection = Connection.objects.of_organisation().first()
        if reason := crm_fields.why_not_now(connection):
            raise CommandError(reason, returncode=2)
        assert connection is not None
        try:
            found = crm_fields.look(connection)
        except (CrmError, NotConnectedError) as error:
            failure = CommandError(_words(error), returncode=2)
        else:
            self.stdout.write("\n".join(line for report in found.reports for line in _lines(report)))
            if not is_complete(found.reports):
                sys.exit(1)
            return
        raise failure


def _words(error: CrmError | NotConnectedError) -> str:
    return f"{error.code}: {error.message}" if isinstance(error, CrmError) else str(error)


def _lines(report: FieldReport) -> list[str]:
    what = f"{SLOT_LABELS[report.slot]} → {report.name}" if report.name else str(SLOT_LABELS[report.slot])
    version = ""
    if report.version is not None:
        version = _(", from package %(version)d") % {"version": report.version}
    elif report.is_packaged and report.field:
        version = _(", not from the package, or its help text was changed")
    type_ = f", {report.type_words}" if report.field else ""
    lines = [f"{'·' if report.state.is_good else '!'} {what}: {report.label}{type_}{version}"]
    if report.remedy:
        lines.append("  " + " ".join(str(words) for words in (report.remedy, report.consequence) if words))
    if report.where:
        lines.append(f"  {report.where}")
    return lines
