"""What every deploy runs once: tables, the cache table, the schedules, static files."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils.translation import gettext as _

from sync.schedules import set_schedules
from teams.models import Organisation


class Command(BaseCommand):
    help = _("Prepare the database and the static files. Run it at each deploy, before the workers start.")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            call_command("migrate", interactive=False, verbosity=options["verbosity"])
        except OperationalError as error:
            raise CommandError(_("The database doesn't answer: does it run, and is DATABASE_URL right?")) from error
        call_command("createcachetable", verbosity=options["verbosity"])
        call_command("collectstatic", interactive=False, verbosity=0)
        set_schedules()
        Organisation.load()
        self.stdout.write(str(_("Ready.")))
