"""One row of a file of teams: a name, and the e-mails of those who manage it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from teams.csv_text import ROW
from teams.models import Role, Team, User

COLUMNS = ("name", "managers")
REQUIRED = ("name",)


@dataclass
class TeamRows:
    """Reads row after row against what is stored; remembers what the file said before."""

    teams: Mapping[str, Team]  # by name in lower case
    managers: Mapping[str, User]  # those who may manage a team, by e-mail
    _lines: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> "TeamRows":
        """Read what rows are compared with: three queries."""
        teams = {team.name.lower(): team for team in Team.objects.prefetch_related("managers")}
        users = User.objects.active().filter(role__in=[Role.MANAGER, Role.ADMIN])
        return cls(teams, {user.email: user for user in users})

    def read(self, row: Mapping[str, str]) -> dict[str, Any]:
        """Return what the row sets: `name`, and `managers` if it names that column. ValidationError as UserRows."""
        wrong: dict[str, list[str]] = {}
        name = row["name"]
        if not 0 < len(name) <= 100:
            wrong["name"] = [_("A team's name has 1 to 100 characters.")]
        elif (first := self._lines.setdefault(name.lower(), row[ROW])) != row[ROW]:
            wrong["name"] = [_("Line %(line)s has the same team. Remove one of them.") % {"line": first}]
        values: dict[str, Any] = {"name": name}
        if "managers" in row:
            emails = [part for part in re.split(r"[,;\s]+", row["managers"].lower()) if part]
            values["managers"] = [self.managers[email] for email in emails if email in self.managers]
            if unknown := [email for email in emails if email not in self.managers]:
                wrong["managers"] = [
                    _("No active manager or admin has the e-mail %(email)s. Add them under Users first.")
                    % {"email": email[:254]}
                    for email in unknown[:5]
                ]
        if wrong:
            raise ValidationError(wrong)
        return values
