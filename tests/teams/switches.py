"""Switches as tests need them: set at once, by whom and when they say."""

from django.db.models import F
from django.utils import timezone

from teams.email_sync_facts import state_of
from teams.models import EmailDirection, EmailSwitch, MailProvider, SwitchChoice, User

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
