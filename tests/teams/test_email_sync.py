"""What is in force for one user and why: the table is the specification."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from teams.email_sync import NEVER_CHOSEN, Changer, Person, Reason, State, Switch, effective, in_words, last_change
from teams.models import EmailDirection, MailProvider, SwitchChoice

OUTBOUND, INBOUND, ATTACHMENTS = EmailDirection
NOT_CHOSEN, ON, OFF = SwitchChoice.NOT_CHOSEN, SwitchChoice.ON, SwitchChoice.OFF
GMAIL, OUTLOOK, SMTP, NO_MAILBOX = MailProvider.GMAIL, MailProvider.OUTLOOK, MailProvider.SMTP, MailProvider.NONE

ROSA, MIA, ADA, OTTO = 1, 2, 3, 4
AT = datetime(2026, 3, 3, 12, 5, tzinfo=UTC)
HERSELF = Changer(ROSA, "Rosa Rep")
HER_MANAGER = Changer(MIA, "Mia Manager", manages=True)
AN_ADMIN = Changer(ADA, "Ada Admin", is_admin=True)
FORMER_MANAGER = Changer(OTTO, "Otto Other")


def person(provider: MailProvider = GMAIL, *, active: bool = True) -> Person:
    return Person(ROSA, "Rosa Rep", active, provider)


def chosen(choice: SwitchChoice, by: Changer | None = HERSELF) -> Switch:
    return Switch(choice, 1, by, AT)


@pytest.mark.parametrize("direction", [OUTBOUND, INBOUND])
@pytest.mark.parametrize(
    ("who", "organisation", "own", "is_on", "may_change", "reason"),
    [
        # M14: who has not chosen follows the organisation.
        (person(), ON, NOT_CHOSEN, True, True, Reason.NOT_CHOSEN),
        (person(OUTLOOK), ON, NOT_CHOSEN, True, True, Reason.NOT_CHOSEN),
        (person(), ON, ON, True, True, Reason.CHOSEN),
        (person(), ON, OFF, False, True, Reason.CHOSEN),
        # M13: while it is off for the organisation nobody can change it for a user, whatever they chose.
        (person(), OFF, NOT_CHOSEN, False, False, Reason.ORGANISATION_OFF),
        (person(), OFF, ON, False, False, Reason.ORGANISATION_OFF),
        (person(), OFF, OFF, False, False, Reason.ORGANISATION_OFF),
        (person(), NOT_CHOSEN, NOT_CHOSEN, False, False, Reason.ORGANISATION_OFF),
        (person(), NOT_CHOSEN, ON, False, False, Reason.ORGANISATION_OFF),
        # M11: without a Gmail or Outlook mailbox there is nothing to sync, and that is said before anything else.
        (person(SMTP), ON, NOT_CHOSEN, False, False, Reason.SMTP),
        (person(SMTP), ON, ON, False, False, Reason.SMTP),
        (person(SMTP), OFF, NOT_CHOSEN, False, False, Reason.SMTP),
        (person(NO_MAILBOX), ON, ON, False, False, Reason.NO_MAILBOX),
        (person(NO_MAILBOX), OFF, OFF, False, False, Reason.NO_MAILBOX),
        # Who is deactivated has nothing synced, whatever else is so.
        (person(active=False), ON, ON, False, False, Reason.DEACTIVATED),
        (person(SMTP, active=False), ON, NOT_CHOSEN, False, False, Reason.DEACTIVATED),
        (person(active=False), OFF, NOT_CHOSEN, False, False, Reason.DEACTIVATED),
    ],
)
def test_effective(
    direction: EmailDirection,
    who: Person,
    organisation: SwitchChoice,
    own: SwitchChoice,
    is_on: bool,
    may_change: bool,
    reason: Reason,
) -> None:
    state = effective(direction, who, chosen(organisation), chosen(own))
    assert (state.is_on, state.may_change, state.reason) == (is_on, may_change, reason)


@pytest.mark.parametrize(
    ("who", "organisation", "is_on", "reason"),
    [
        (person(), ON, True, Reason.MANAGERS),
        (person(), OFF, False, Reason.MANAGERS),
        (person(), NOT_CHOSEN, False, Reason.MANAGERS),
        (person(SMTP), ON, False, Reason.SMTP),
        (person(NO_MAILBOX), ON, False, Reason.NO_MAILBOX),
        (person(active=False), ON, False, Reason.DEACTIVATED),
    ],
)
@pytest.mark.parametrize("own", list(SwitchChoice))
def test_effective_attachments_are_the_managers_choice(
    who: Person, organisation: SwitchChoice, is_on: bool, reason: Reason, own: SwitchChoice
) -> None:
    state = effective(ATTACHMENTS, who, chosen(organisation), chosen(own))
    assert (state.is_on, state.may_change, state.reason) == (is_on, False, reason)


def state_of(
    own: Switch = NEVER_CHOSEN,
    organisation: SwitchChoice = ON,
    who: Person | None = None,
    direction: EmailDirection = OUTBOUND,
) -> State:
    return effective(direction, who or person(), chosen(organisation, AN_ADMIN), own)


@pytest.mark.parametrize(
    ("state", "to_rosa", "to_mia"),
    [
        (
            state_of(),
            "On: it is on for the organisation, and you have not chosen.",
            "On: it is on for the organisation, and Rosa Rep has not chosen.",
        ),
        (
            state_of(chosen(OFF, HER_MANAGER)),
            "Off: your manager Mia Manager switched outbound off on 3 Mar 2026, 12:05.",
            "Off: you switched outbound off on 3 Mar 2026, 12:05.",
        ),
        (
            state_of(chosen(OFF, HERSELF), direction=INBOUND),
            "Off: you switched inbound off on 3 Mar 2026, 12:05.",
            "Off: Rosa Rep switched inbound off on 3 Mar 2026, 12:05.",
        ),
        (
            state_of(chosen(ON, AN_ADMIN)),
            "On: the admin Ada Admin switched outbound on, 3 Mar 2026, 12:05.",
            "On: Ada Admin switched outbound on, 3 Mar 2026, 12:05.",
        ),
        (
            state_of(chosen(ON, FORMER_MANAGER)),
            "On: Otto Other switched outbound on, 3 Mar 2026, 12:05.",
            "On: Otto Other switched outbound on, 3 Mar 2026, 12:05.",
        ),
        (
            state_of(chosen(OFF, None)),
            "Off: someone who is no longer known switched outbound off on 3 Mar 2026, 12:05.",
            "Off: someone who is no longer known switched outbound off on 3 Mar 2026, 12:05.",
        ),
        (
            state_of(organisation=OFF),
            "Off: outbound is off for the whole organisation.",
            "Off: outbound is off for the whole organisation.",
        ),
        (
            state_of(chosen(OFF), organisation=OFF),
            "Off: outbound is off for the whole organisation. For you it stays off afterwards.",
            "Off: outbound is off for the whole organisation. For Rosa Rep it stays off afterwards.",
        ),
        (
            state_of(chosen(ON), organisation=OFF),
            "Off: outbound is off for the whole organisation. For you it is on again then.",
            "Off: outbound is off for the whole organisation. For Rosa Rep it is on again then.",
        ),
        (
            state_of(who=person(SMTP)),
            "Not possible: SMTP mailboxes are not supported. CRM Email Sync needs Gmail or Outlook.",
            "Not possible: SMTP mailboxes are not supported. CRM Email Sync needs Gmail or Outlook.",
        ),
        (
            state_of(who=person(NO_MAILBOX)),
            "Not possible yet: you have no Gmail or Outlook mailbox here.",
            "Not possible yet: Rosa Rep has no Gmail or Outlook mailbox here.",
        ),
        (
            state_of(who=person(active=False)),
            "Off: Rosa Rep is deactivated.",
            "Off: Rosa Rep is deactivated.",
        ),
        (
            state_of(direction=ATTACHMENTS),
            "On for the whole organisation. Attachments are the managers' choice.",
            "On for the whole organisation. Attachments are the managers' choice.",
        ),
        (
            state_of(direction=ATTACHMENTS, organisation=NOT_CHOSEN),
            "Off for the whole organisation. Attachments are the managers' choice.",
            "Off for the whole organisation. Attachments are the managers' choice.",
        ),
    ],
)
def test_in_words(state: State, to_rosa: str, to_mia: str) -> None:
    assert (in_words(state, ROSA), in_words(state, MIA)) == (to_rosa, to_mia)


def test_in_words_the_time_is_the_readers() -> None:
    late = Switch(OFF, 1, HERSELF, datetime(2026, 3, 3, 23, 30, tzinfo=UTC))
    with timezone.override("Asia/Tokyo"):
        assert in_words(state_of(late), ROSA) == "Off: you switched outbound off on 4 Mar 2026, 08:30."


@pytest.mark.parametrize(
    ("switch", "said"),
    [
        (NEVER_CHOSEN, ""),
        (chosen(OFF, HER_MANAGER), "Last change: your manager Mia Manager switched it off, 3 Mar 2026, 12:05"),
        (chosen(ON, HERSELF), "Last change: you switched it on, 3 Mar 2026, 12:05"),
        (
            chosen(NOT_CHOSEN, AN_ADMIN),
            "Last change: the admin Ada Admin let it follow the organisation, 3 Mar 2026, 12:05",
        ),
    ],
)
def test_last_change(switch: Switch, said: str) -> None:
    assert last_change(switch, ROSA, ROSA) == said


def test_last_change_of_the_organisations_switch() -> None:
    assert last_change(chosen(ON, AN_ADMIN), None, ROSA) == "Last change: Ada Admin switched it on, 3 Mar 2026, 12:05"
