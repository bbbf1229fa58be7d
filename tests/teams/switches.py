"""Switches as tests need them: set at once, by whom they say; and their pages."""

from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from teams.email_sync_facts import state_of
from teams.models import EmailDirection, EmailSwitch, MailProvider, SwitchChoice, Team, User
from tests.people import People

OUTBOUND, INBOUND, ATTACHMENTS = EmailDirection
NOT_CHOSEN, ON, OFF = SwitchChoice.NOT_CHOSEN, SwitchChoice.ON, SwitchChoice.OFF


def set_switch(user: User | None, direction: EmailDirection, choice: SwitchChoice, by: User | None = None) -> int:
    """Set a switch past all rules and past the audit; return its new version."""
    rows = EmailSwitch.objects.filter(user=user, direction=direction)
    blank = EmailSwitch(user=user, direction=direction, changed_at=timezone.now())
    EmailSwitch.objects.bulk_create([blank], ignore_conflicts=True)
    rows.update(choice=choice, version=F("version") + 1, changed_by=by, changed_at=timezone.now())
    return rows.get().version


def version_of(user: User | None, direction: EmailDirection) -> int:
    row = EmailSwitch.objects.filter(user=user, direction=direction).first()
    return row.version if row else 0


def choice_of(user: User | None, direction: EmailDirection) -> SwitchChoice:
    row = EmailSwitch.objects.filter(user=user, direction=direction).first()
    return SwitchChoice(row.choice) if row else NOT_CHOSEN


def is_on(user: User, direction: EmailDirection) -> bool:
    return state_of(user, direction).is_on


def give_mailboxes(*users: User, provider: MailProvider = MailProvider.GMAIL) -> None:
    for user in users:
        user.mail_provider = provider
        user.save(update_fields=["mail_provider"])


@pytest.fixture
def synced(people: People) -> People:
    """Everybody has a mailbox, and both directions are on for the organisation."""
    give_mailboxes(*User.objects.all())
    for direction in (OUTBOUND, INBOUND):
        set_switch(None, direction, ON, people.admin)
    return people


def organisation_page(direction: EmailDirection | None = None) -> str:
    return "/manager/settings/email/crm-email-sync/" + (f"{direction.value}/" if direction else "")


def my_page(direction: EmailDirection | None = None) -> str:
    return "/settings/email/crm-email-sync/" + (f"{direction.value}/" if direction else "")


def team_page(team: Team) -> str:
    return f"/manager/teams/team/{team.uuid}/"


def user_page(user: User, direction: EmailDirection | None = None) -> str:
    assert user.team is not None
    return f"{team_page(user.team)}users/{user.uuid}/" + (f"{direction.value}/" if direction else "")


def press(client: Client, url: str, choice: str, seen: int = 0, **data: object) -> Any:
    """Press a switch as a page without JavaScript does."""
    return client.post(url, {"choice": choice, "seen": seen, **data})


def press_with_script(client: Client, url: str, choice: str, seen: int = 0, **data: object) -> Any:
    """Press a switch as switches.js does."""
    return client.post(url, {"choice": choice, "seen": seen, **data}, headers={"X-Fragment": "switch"})


def messages_of(client: Client, url: str) -> list[str]:
    """What the next page says."""
    return [str(message) for message in client.get(url).context["messages"]]
