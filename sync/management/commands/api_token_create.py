"""Make a token for the HTTP API, and its sender when there is none of that name."""

from argparse import ArgumentParser
from datetime import UTC, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_date

from sync.models import ApiToken, Sender
from teams.models import Team


class Command(BaseCommand):
    help = (
        "Make a bearer token for the HTTP API and print it: it is shown this once. A sender of that name is made when "
        "there is none; one that is there keeps its team."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the sender's name, like Dialer")
        parser.add_argument("--team", help="only this team's users' tasks (default: the whole organisation's)")
        parser.add_argument(
            "--outlook-plugin", action="store_true", help="its Track and Sync is exempt from the blacklists"
        )
        parser.add_argument("--expires", metavar="DATE", help="the last day on which it is accepted, YYYY-MM-DD (UTC)")

    def handle(self, *_args: Any, **options: Any) -> None:
        expires_at = _end_of(options["expires"])
        with transaction.atomic():
            sender = self._sender(options["name"].strip(), options["team"], options["outlook_plugin"])
            _token, text = ApiToken.issue(sender, expires_at=expires_at)
        self.stderr.write("Keep this token safe: it can't be shown again.")
        self.stdout.write(text)

    def _sender(self, name: str, team_name: str | None, is_outlook_plugin: bool) -> Sender:
        if not 1 <= len(name) <= 100:
            raise CommandError("A sender's name has 1 to 100 characters.")
        team = Team.objects.filter(name=team_name).first() if team_name else None
        if team_name and team is None:
            raise CommandError(f"There is no team named “{team_name}”.")
        made, is_new = Sender.objects.get_or_create(
            name=name, defaults={"team": team, "is_outlook_plugin": is_outlook_plugin}
        )
        if is_new:
            return made
        if (team_name and made.team_id != (team and team.pk)) or is_outlook_plugin > made.is_outlook_plugin:
            raise CommandError("This sender is there already, with another team or kind. Change it on its page first.")
        if not made.is_active:
            raise CommandError("This sender is switched off. Switch it on on its page first.")
        return made


def _end_of(day: str | None) -> datetime | None:
    if not day:
        return None
    try:
        date = parse_date(day)
    except ValueError:
        date = None
    if date is None:
        raise CommandError("Write the day as YYYY-MM-DD.")
    moment = datetime.combine(date, time.max, UTC)
    if moment <= timezone.now():
        raise CommandError("This day is over: the token would never be accepted.")
    return moment
