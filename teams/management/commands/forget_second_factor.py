from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from teams.models import User
from teams.second_factor import forget


class Command(BaseCommand):
    help = _("Takes a user's second factor and recovery codes away, when both are lost.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help=_("the user's address"))

    def handle(self, *_args: Any, email: str, **_options: Any) -> None:
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(_("No user has the address %(email)s.") % {"email": email})
        if forget(user):
            self.stdout.write(_("%(name)s can log in with the password alone, and set up a new one.") % {"name": user})
        else:
            self.stdout.write(_("%(name)s has no second factor.") % {"name": user})
