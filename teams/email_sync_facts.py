"""The facts behind CRM Email Sync, for one user or for many in the same two queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from teams.email_sync import NEVER_CHOSEN, Changer, Person, State, Switch, effective
from teams.models import EmailDirection, EmailSwitch, MailProvider, Role, SwitchChoice, Team, User

States = dict[EmailDirection, State]


def person_of(user: User) -> Person:
    return Person(user.pk, str(user), user.is_active, MailProvider(user.mail_provider))


def switch_of(row: EmailSwitch | None, *, manages: bool = False) -> Switch:
    """Return a row as a switch; its `changed_by` is read with it (select_related). No row: nobody has chosen."""
    if row is None:
        return NEVER_CHOSEN
    who = row.changed_by
    changer = None if who is None else Changer(who.pk, str(who), manages, who.role == Role.ADMIN)
    return Switch(SwitchChoice(row.choice), row.version, changer, row.changed_at)


def organisation_switches() -> dict[EmailDirection, Switch]:
    """Return the organisation's switches; those nobody has chosen yet are there, too."""
    rows = EmailSwitch.objects.filter(user=None).select_related("changed_by")
    found = {EmailDirection(row.direction): switch_of(row) for row in rows}
    return {direction: found.get(direction, NEVER_CHOSEN) for direction in EmailDirection}


def states_of(users: Sequence[User]) -> dict[int, States]:
    """Return the state of every direction for each of `users`, by their primary key."""
    ids = [user.pk for user in users]
    rows = EmailSwitch.objects.filter(Q(user=None) | Q(user__in=ids)).select_related("changed_by")
    managers = set(
        Team.managers.through.objects.filter(team__in={user.team_id for user in users if user.team_id}).values_list(
            "team_id", "user_id"
        )
    )
    team_of = {user.pk: user.team_id for user in users}
    found = {
        (row.user_id, row.direction): switch_of(
            row, manages=row.user_id is not None and (team_of[row.user_id], row.changed_by_id) in managers
        )
        for row in rows
    }
    return {
        user.pk: {
            direction: effective(
                direction,
                person_of(user),
                found.get((None, direction), NEVER_CHOSEN),
                found.get((user.pk, direction), NEVER_CHOSEN),
            )
            for direction in EmailDirection
        }
        for user in users
    }


def state_of(user: User, direction: EmailDirection) -> State:
    """Return the state of one direction for one user."""
    return states_of([user])[user.pk][direction]


@dataclass(frozen=True, slots=True)
class Reach:
    """How many active users a switch of the organisation reaches: who has it while it is on, and who never."""

    on: int
    chosen_off: int
    smtp: int
    without_mailbox: int


def reach() -> dict[EmailDirection, Reach]:
    """Return whom each of the organisation's switches reaches, in two queries."""
    able = Q(mail_provider__in=(MailProvider.GMAIL, MailProvider.OUTLOOK))
    users = User.objects.active()
    counts = users.aggregate(
        able=Count("pk", filter=able),
        smtp=Count("pk", filter=Q(mail_provider=MailProvider.SMTP)),
        none=Count("pk", filter=Q(mail_provider=MailProvider.NONE)),
    )
    off = EmailSwitch.objects.filter(user__in=users.filter(able), choice=SwitchChoice.OFF)
    chosen_off = dict(off.order_by().values_list("direction").annotate(Count("pk")))
    return {
        direction: Reach(
            on=counts["able"] - chosen_off.get(direction.value, 0),
            chosen_off=chosen_off.get(direction.value, 0),
            smtp=counts["smtp"],
            without_mailbox=counts["none"],
        )
        for direction in EmailDirection
    }
