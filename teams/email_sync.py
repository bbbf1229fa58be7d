"""CRM Email Sync of one user: what is in force, and why. Pure; teams/email_sync_facts.py brings the facts."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import assert_never

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from teams.models import EmailDirection, MailProvider, SwitchChoice


@dataclass(frozen=True, slots=True)
class Person:
    """A user, as far as their mail may be synced."""

    id: int
    name: str
    is_active: bool = True
    mail_provider: MailProvider = MailProvider.GMAIL


@dataclass(frozen=True, slots=True)
class Changer:
    """Who changed a switch. `manages` says that they are a manager of the team of the user whose switch it is."""

    id: int
    name: str
    manages: bool = False
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch as it stands. `version` 0: nobody has ever chosen; `changed_by` None: whoever it was is gone."""

    choice: SwitchChoice = SwitchChoice.NOT_CHOSEN
    version: int = 0
    changed_by: Changer | None = None
    changed_at: datetime | None = None


NEVER_CHOSEN = Switch()


class Reason(Enum):
    """Why a direction is on or off for a user: the first of these that holds."""

    DEACTIVATED = "deactivated"
    SMTP = "smtp"
    NO_MAILBOX = "no mailbox"
    MANAGERS = "the managers' choice"
    ORGANISATION_OFF = "off for the organisation"
    NOT_CHOSEN = "follows the organisation"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class State:
    """What is in force in one direction for one person. `may_change`: whether anybody may at present (M13, M16)."""

    direction: EmailDirection
    person: Person
    organisation: Switch
    own: Switch
    is_on: bool
    may_change: bool
    reason: Reason


def effective(direction: EmailDirection, person: Person, organisation: Switch, own: Switch = NEVER_CHOSEN) -> State:
    """Say what is in force for `person`; who follows the organisation is on while its switch is (M14)."""
    organisation_on = organisation.choice == SwitchChoice.ON
    reason = _reason(direction, person, organisation_on, own)
    is_on = organisation_on and (
        reason in (Reason.NOT_CHOSEN, Reason.MANAGERS) or (reason == Reason.CHOSEN and own.choice == SwitchChoice.ON)
    )
    may_change = reason in (Reason.NOT_CHOSEN, Reason.CHOSEN)
    return State(direction, person, organisation, own, is_on, may_change, reason)


def _reason(direction: EmailDirection, person: Person, organisation_on: bool, own: Switch) -> Reason:
    if not person.is_active:
        return Reason.DEACTIVATED
    if person.mail_provider == MailProvider.SMTP:
        return Reason.SMTP
    if person.mail_provider == MailProvider.NONE:
        return Reason.NO_MAILBOX
    if direction == EmailDirection.ATTACHMENTS:
        return Reason.MANAGERS
    if not organisation_on:
        return Reason.ORGANISATION_OFF
    return Reason.NOT_CHOSEN if own.choice == SwitchChoice.NOT_CHOSEN else Reason.CHOSEN


def in_words(state: State, viewer_id: int) -> str:
    """Say the state and its reason to the user with the id `viewer_id`, who may be the person meant."""
    own = state.person.id == viewer_id
    words = {"name": state.person.name}
    match state.reason:
        case Reason.DEACTIVATED | Reason.SMTP | Reason.NO_MAILBOX:
            return _not_possible(state, own=own)
        case Reason.MANAGERS | Reason.ORGANISATION_OFF:
            return _organisations(state, own=own)
        case Reason.NOT_CHOSEN if own:
            return _("On: it is on for the organisation, and you have not chosen.")
        case Reason.NOT_CHOSEN:
            return _("On: it is on for the organisation, and %(name)s has not chosen.") % words
        case Reason.CHOSEN:
            return _chosen(state, viewer_id)
        case _:
            assert_never(state.reason)


def _not_possible(state: State, *, own: bool) -> str:
    words = {"name": state.person.name}
    if state.reason == Reason.DEACTIVATED:
        return _("Off: %(name)s is deactivated.") % words
    if state.reason == Reason.SMTP:
        return _("Not possible: SMTP mailboxes are not supported. CRM Email Sync needs Gmail or Outlook.")
    if own:
        return _("Not possible yet: you have no Gmail or Outlook mailbox here.")
    return _("Not possible yet: %(name)s has no Gmail or Outlook mailbox here.") % words


def _chosen(state: State, viewer_id: int) -> str:
    words = {
        "who": called(state.own.changed_by, state.person.id, viewer_id),
        "direction": state.direction.label.lower(),
        "time": _time(state.own.changed_at),
    }
    if state.is_on:
        return _("On: %(who)s switched %(direction)s on, %(time)s.") % words
    return _("Off: %(who)s switched %(direction)s off on %(time)s.") % words


def _organisations(state: State, *, own: bool) -> str:
    if state.reason == Reason.ORGANISATION_OFF:
        words = {"direction": state.direction.label.lower()}
        return _("Off: %(direction)s is off for the whole organisation.") % words + _remembered(state, own=own)
    if state.is_on:
        return _("On for the whole organisation. Attachments are the managers' choice.")
    return _("Off for the whole organisation. Attachments are the managers' choice.")


def _remembered(state: State, *, own: bool) -> str:
    """An explicit choice survives the organisation's off and on: say which one waits."""
    choice = state.own.choice
    if choice == SwitchChoice.NOT_CHOSEN:
        return ""
    words = {"name": state.person.name}
    if choice == SwitchChoice.OFF:
        text = _("For you it stays off afterwards.") if own else _("For %(name)s it stays off afterwards.") % words
    else:
        text = _("For you it is on again then.") if own else _("For %(name)s it is on again then.") % words
    return f" {text}"


def last_change(switch: Switch, owner_id: int | None, viewer_id: int) -> str:
    """Say who changed a switch last, to what and when; empty while nobody has. `owner_id` None: the organisation's."""
    if not switch.version:
        return ""
    words = {
        "who": called(switch.changed_by, owner_id, viewer_id),
        "time": _time(switch.changed_at),
    }
    match switch.choice:
        case SwitchChoice.ON:
            return _("Last change: %(who)s switched it on, %(time)s") % words
        case SwitchChoice.OFF:
            return _("Last change: %(who)s switched it off, %(time)s") % words
        case _:
            return _("Last change: %(who)s let it follow the organisation, %(time)s") % words


def called(who: Changer | None, owner_id: int | None, viewer_id: int) -> str:
    """Return what `viewer_id` calls whoever changed the switch of `owner_id`."""
    if who is None:
        return _("someone who is no longer known")
    if who.id == viewer_id:
        return _("you")
    if owner_id == viewer_id and who.manages:
        return _("your manager %(name)s") % {"name": who.name}
    if owner_id == viewer_id and who.is_admin:
        return _("the admin %(name)s") % {"name": who.name}
    return who.name


def _time(time: datetime | None) -> str:
    return date_format(localtime(time), "DATETIME_FORMAT") if time else ""
