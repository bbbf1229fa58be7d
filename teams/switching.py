"""Changing a switch of CRM Email Sync: by who may, seeing what it stood at, and noted in the audit.

Whoever changes a switch says which version of it they saw. If somebody else was faster, nothing is overwritten, and
StaleSwitchError tells who changed it to what.
"""

from enum import Enum

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from teams import audit
from teams.email_sync import State, Switch
from teams.email_sync_facts import state_of, switch_of
from teams.models import EmailDirection, EmailSwitch, SwitchChoice, User


class Outcome(Enum):
    CHANGED = "changed"
    UNCHANGED = "it stood so already"


class StaleSwitchError(Exception):
    """Somebody changed the switch since it was seen; it stands as they left it."""

    def __init__(self, current: Switch) -> None:
        super().__init__(current.version)
        self.current = current


class SwitchRefusedError(Exception):
    """Nobody may change this switch at present; the state says why."""

    def __init__(self, state: State) -> None:
        super().__init__(state.reason)
        self.state = state


def may_switch(actor: User, user: User) -> bool:
    """Whether `actor` may change the switches of `user`: their own, those of their teams, an admin everyone's."""
    if actor.pk == user.pk:
        return actor.is_active
    return actor.has_perm("teams.change_emailswitch") and actor.has_perm("teams.view_user", user)


def switch_organisation(actor: User, direction: EmailDirection, choice: SwitchChoice, *, seen: int) -> Outcome:
    """Set the organisation's switch (M13, M16) on or off. PermissionDenied for who may not."""
    if not actor.has_perm("teams.change_emailswitch"):
        raise PermissionDenied
    if choice == SwitchChoice.NOT_CHOSEN:
        raise ValueError("There is nothing above the organisation that its switch could follow.")
    with transaction.atomic():
        return _set(actor, None, direction, choice, seen)


def switch_user(actor: User, user: User, direction: EmailDirection, choice: SwitchChoice, *, seen: int) -> Outcome:
    """Set a user's switch (M15), or let it follow the organisation again. PermissionDenied for who may not."""
    if not may_switch(actor, user):
        raise PermissionDenied
    with transaction.atomic():
        lock_organisation(direction)
        state = state_of(User.objects.get(pk=user.pk), direction)
        if not state.may_change:
            raise SwitchRefusedError(state)
        return _set(actor, user, direction, choice, seen)


def lock_organisation(direction: EmailDirection) -> None:
    """Hold the organisation's switch until the transaction ends: while it goes off, nobody changes a user's (M13).

    Without its row it is off, and users' can't be changed anyway. Always taken before the users' rows.
    """
    list(EmailSwitch.objects.select_for_update().filter(user=None, direction=direction).values_list("pk"))


def _set(actor: User, user: User | None, direction: EmailDirection, choice: SwitchChoice, seen: int) -> Outcome:
    rows = EmailSwitch.objects.filter(user=user, direction=direction).select_related("changed_by", "user")
    before = switch_of(rows.first())
    if _is_so(before, user, choice):
        return Outcome.UNCHANGED
    if before.version != seen:
        raise StaleSwitchError(before)
    if before.version == 0:
        # Of two who choose first at once, both find a row, and one of them changes it.
        blank = EmailSwitch(user=user, direction=direction, changed_at=timezone.now())
        EmailSwitch.objects.bulk_create([blank], ignore_conflicts=True)
    changed = rows.filter(version=seen).update(
        choice=choice, version=F("version") + 1, changed_by=actor, changed_at=timezone.now()
    )
    row = rows.get()
    if changed:
        audit.note(actor, row, {"choice": (before.choice.value, choice.value)})
        return Outcome.CHANGED
    # Somebody was faster between the reading and the writing.
    if _is_so(now := switch_of(row), user, choice):
        return Outcome.UNCHANGED
    raise StaleSwitchError(now)


def _is_so(switch: Switch, user: User | None, choice: SwitchChoice) -> bool:
    """Whether nothing is left to do. For the organisation there is no difference between off and not chosen."""
    return switch.choice == choice or (user is None and SwitchChoice.ON not in (switch.choice, choice))
