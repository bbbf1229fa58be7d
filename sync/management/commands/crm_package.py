import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from sync.crm.package import FILE_NAME, PACKAGE_VERSION, package_zip


class Command(BaseCommand):
    help = _("Writes the package of custom fields that Salesforce's Metadata API takes: fields and a permission set.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", metavar="FILE", help=_("Where to; without it, to standard output."))

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["output"]:
            self._write(Path(options["output"]))
        elif sys.stdout.isatty():
            raise CommandError(
                _("A zip file is no text for a terminal. Name a file: --output %(file)s") % {"file": FILE_NAME}
            )
        else:
            sys.stdout.buffer.write(package_zip())

    def _write(self, path: Path) -> None:
        try:
            path.write_bytes(package_zip())
        except OSError as error:
            raise CommandError(
                _("%(file)s can't be written: %(why)s.") % {"file": path, "why": error.strerror}
            ) from None
        self.stdout.write(
            _("Package %(version)d is in %(file)s. Deploy it with: sf project deploy start --metadata-dir %(file)s")
            % {"version": PACKAGE_VERSION, "file": path}
        )
