"""One row of a file of users: what it says, and what is wrong with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from teams.crm_ids import to_18
from teams.csv_text import ROW
from teams.models import MailProvider, Role, Team, User, validate_time_zone

COLUMNS = ("email", "name", "role", "team", "crm_user_id", "mail_provider", "time_zone", "active")
REQUIRED = ("email",)
# An empty cell empties these; elsewhere it leaves things as they are.
OPTIONAL = ("team", "crm_user_id", "time_zone")
ATTRIBUTES = {name: "is_active" if name == "active" else name for name in COLUMNS}

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass
class UserRows:
    """Reads row after row against what is stored; remembers what the file said before."""

    viewer: User
    users: Mapping[str, User]  # by e-mail
    teams: Mapping[str, Team]  # by name in lower case
    owners: Mapping[str, str]  # CRM user id → e-mail
    _lines: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, viewer: User) -> "UserRows":
        """Read what rows are compared with: two queries."""
        users = {user.email: user for user in User.objects.select_related("team")}
        teams = {team.name.lower(): team for team in Team.objects.all()}
        owners = {user.crm_user_id: email for email, user in users.items() if user.crm_user_id}
        return cls(viewer, users, teams, owners)

    def read(self, row: Mapping[str, str]) -> dict[str, Any]:
        """Return the attributes that the row sets; ValidationError {column: what is wrong and the remedy}."""
        email = row["email"].lower()
        user = self.users.get(email)
        wrong: dict[str, list[str]] = {}
        values: dict[str, Any] = {"email": email}
        for column, parse in self._parsers(email).items():
            cell = email if column == "email" else row.get(column)
            if cell is None or (not cell and column not in OPTIONAL and user is not None):
                continue
            try:
                value = parse(cell)
            except ValidationError as error:
                wrong[column] = error.messages
            else:
                if cell or column in OPTIONAL:
                    values[ATTRIBUTES[column]] = value
        if user is None and not values.get("name"):
            wrong.setdefault("name", [_("A new user needs a name.")])
        if user is not None and user.pk == self.viewer.pk:
            wrong |= self._own(user, values)
        self._remember(email, row[ROW], values, wrong)
        if wrong:
            raise ValidationError(wrong)
        return values

    def _parsers(self, email: str) -> dict[str, Callable[[str], Any]]:
        return {
            "email": _email,
            "name": _name,
            "role": lambda cell: _choice(cell, Role),
            "team": self._team,
            "crm_user_id": lambda cell: self._crm_user_id(cell, email),
            "mail_provider": lambda cell: _choice(cell, MailProvider),
            "time_zone": _time_zone,
            "active": _active,
        }

    def _team(self, cell: str) -> Team | None:
        team = self.teams.get(cell.lower())
        if cell and team is None:
            raise ValidationError(
                _("There is no team “%(name)s”. Add it under Teams first, or correct the name.") % {"name": cell[:100]}
            )
        return team

    def _crm_user_id(self, cell: str, email: str) -> str | None:
        if not cell:
            return None
        try:
            crm_id = to_18(cell)
        except ValueError:
            raise ValidationError(_("Enter a CRM id of 15 or 18 letters and digits, as the CRM shows it.")) from None
        if (owner := self.owners.get(crm_id, email)) != email:
            raise ValidationError(_("This CRM user belongs to %(owner)s. Remove it there first.") % {"owner": owner})
        return crm_id

    def _own(self, user: User, values: Mapping[str, Any]) -> dict[str, list[str]]:
        """Nobody shuts themselves out, so that an admin always remains."""
        kept = {"role": "role", "active": "is_active"}
        return {
            column: [_("This is your own account: somebody else has to change that.")]
            for column, name in kept.items()
            if values.get(name, getattr(user, name)) != getattr(user, name)
        }

    def _remember(self, email: str, line: str, values: Mapping[str, Any], wrong: dict[str, list[str]]) -> None:
        if (first := self._lines.setdefault(email, line)) != line and email:
            wrong["email"] = [_("Line %(line)s has the same e-mail. Remove one of them.") % {"line": first}]
        crm_id = values.get("crm_user_id")
        if crm_id and (first := self._ids.setdefault(crm_id, line)) != line:
            wrong["crm_user_id"] = [_("Line %(line)s has the same CRM user id. Correct one of them.") % {"line": first}]


def _email(cell: str) -> str:
    try:
        validate_email(cell)
    except ValidationError:
        raise ValidationError(_("Enter an e-mail address, like rosa@example.com.")) from None
    if len(cell) > 254:
        raise ValidationError(_("An e-mail address has at most 254 characters."))
    return cell


def _name(cell: str) -> str:
    if len(cell) > 150:
        raise ValidationError(_("A name has at most 150 characters."))
    return cell


def _choice(cell: str, choices: Any) -> str:
    """One of the choices, by its value or as pages call it; for a new user an empty cell is the usual one."""
    by_word = {str(word).lower(): value for value, label in choices.choices for word in (value, label)}
    if cell and cell.lower() not in by_word:
        known = ", ".join(choices.values)
        raise ValidationError(_("Enter one of: %(known)s.") % {"known": known})
    return str(by_word.get(cell.lower(), ""))


def _time_zone(cell: str) -> str:
    if cell:
        validate_time_zone(cell)
    return cell


def _active(cell: str) -> bool:
    if cell.lower() not in _YES and cell:
        raise ValidationError(_("Enter yes or no."))
    return _YES.get(cell.lower(), True)
