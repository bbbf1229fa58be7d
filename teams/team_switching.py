"""Switching a whole team in one go: first who would change and who not, then exactly that or nothing."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from teams import audit
from teams.email_sync import State
from teams.email_sync_facts import states_of
from teams.models import EmailDirection, EmailSwitch, SwitchChoice, Team, User
from teams.switching import lock_organisation


class Effect(Enum):
    """What switching the team does to one member."""

    CHANGES = "changes"
    STAYS = "stays"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Line:
    user: User
    state: State
    effect: Effect


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would change. `fingerprint` differs as soon as anything that the plan shows does."""

    direction: EmailDirection
    choice: SwitchChoice
    lines: tuple[Line, ...]
    fingerprint: str

    def of(self, effect: Effect) -> list[Line]:
        return [line for line in self.lines if line.effect == effect]


class StalePlanError(Exception):
    """Something of the plan has changed since it was shown; `plan` is how it is now. Nobody was switched."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.fingerprint)
        self.plan = plan


def effect_on(state: State, choice: SwitchChoice) -> Effect:
    """Say what the choice does to one member. Who is on already stays as they are, chosen or not."""
    if not state.may_change:
        return Effect.SKIPPED
    if choice == SwitchChoice.NOT_CHOSEN:
        return Effect.STAYS if state.own.choice == choice else Effect.CHANGES
    return Effect.STAYS if state.is_on == (choice == SwitchChoice.ON) else Effect.CHANGES


def plan_of(members: Iterable[tuple[User, State]], direction: EmailDirection, choice: SwitchChoice) -> Plan:
    """Return who of the members would change."""
    lines = tuple(Line(user, state, effect_on(state, choice)) for user, state in members)
    seen = sorted((line.user.pk, line.state.own.version, line.state.reason.name) for line in lines)
    fingerprint = hashlib.sha256(f"{direction} {choice} {seen}".encode()).hexdigest()
    return Plan(direction, choice, lines, fingerprint)


def load_plan(team: Team, direction: EmailDirection, choice: SwitchChoice) -> Plan:
    """Return who of the team's active members would change, by name."""
    members = list(team.members.active().order_by("name", "pk"))
    states = states_of(members)
    return plan_of([(user, states[user.pk][direction]) for user in members], direction, choice)


def switch_team(actor: User, team: Team, direction: EmailDirection, choice: SwitchChoice, *, fingerprint: str) -> Plan:
    """Switch all whom the plan with this fingerprint says would change; return it.

    PermissionDenied for who may not; StalePlanError when the plan is another by now.
    """
    if not actor.has_perm("teams.change_emailswitch") or not actor.has_perm("teams.view_team", team):
        raise PermissionDenied
    with transaction.atomic():
        # Whoever changes a member's switch waits for the same lock: what the plan says stays true to the end.
        lock_organisation(direction)
        plan = load_plan(team, direction, choice)
        if plan.fingerprint != fingerprint:
            raise StalePlanError(plan)
        _carry_out(actor, plan)
    return plan


def _carry_out(actor: User, plan: Plan) -> None:
    changing = {line.user.pk: line for line in plan.of(Effect.CHANGES)}
    now = timezone.now()
    blanks = [EmailSwitch(user_id=pk, direction=plan.direction, changed_at=now) for pk in changing]
    EmailSwitch.objects.bulk_create(blanks, ignore_conflicts=True, batch_size=500)
    rows = EmailSwitch.objects.filter(user__in=changing, direction=plan.direction)
    rows.update(choice=plan.choice, version=F("version") + 1, changed_by=actor, changed_at=now)
    audit.note_all(
        actor,
        [
            (row, {"choice": (changing[row.user_id].state.own.choice.value, plan.choice.value)})
            for row in rows.select_related("user")
            if row.user_id is not None
        ],
    )
