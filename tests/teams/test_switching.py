"""Changing a switch: by who may, seeing what it stood at, noted in the audit, and never over another's change."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from auditlog.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from teams.email_sync import Reason
from teams.models import EmailDirection, EmailSwitch, MailProvider, SwitchChoice, User
from teams.switching import (
    Outcome,
    StaleSwitchError,
    SwitchRefusedError,
    may_switch,
    switch_organisation,
    switch_user,
)
from tests.people import People, make_people
from tests.teams.switches import (
    ATTACHMENTS,
    INBOUND,
    NOT_CHOSEN,
    OFF,
    ON,
    OUTBOUND,
    choice_of,
    give_mailboxes,
    set_switch,
    version_of,
)


def entries() -> list[tuple[str, object]]:
    """What the audit holds of switches, the newest last: who, and what from what to what."""
    kept = LogEntry.objects.get_for_model(EmailSwitch).order_by("pk")
    return [(str(entry.actor), entry.changes_dict) for entry in kept]


def test_switch_user_by_themselves_and_by_their_manager(synced: People) -> None:
    assert switch_user(synced.rep, synced.rep, OUTBOUND, OFF, seen=0) == Outcome.CHANGED
    assert switch_user(synced.manager, synced.rep, OUTBOUND, ON, seen=1) == Outcome.CHANGED
    row = EmailSwitch.objects.get(user=synced.rep)
    assert (row.direction, row.choice, row.version, row.changed_by) == (OUTBOUND, ON, 2, synced.manager)


def test_switch_user_back_to_not_chosen(synced: People) -> None:
    switch_user(synced.rep, synced.rep, OUTBOUND, OFF, seen=0)
    switch_user(synced.rep, synced.rep, OUTBOUND, NOT_CHOSEN, seen=1)
    assert (choice_of(synced.rep, OUTBOUND), version_of(synced.rep, OUTBOUND)) == (NOT_CHOSEN, 2)


def test_switch_user_to_what_it_is_changes_nothing(synced: People) -> None:
    switch_user(synced.rep, synced.rep, OUTBOUND, OFF, seen=0)
    # A double click: the second form saw the same version as the first.
    assert switch_user(synced.rep, synced.rep, OUTBOUND, OFF, seen=0) == Outcome.UNCHANGED
    assert switch_user(synced.manager, synced.rep, OUTBOUND, OFF, seen=1) == Outcome.UNCHANGED
    assert switch_user(synced.rep, synced.rep, INBOUND, NOT_CHOSEN, seen=0) == Outcome.UNCHANGED
    assert version_of(synced.rep, OUTBOUND) == 1
    assert EmailSwitch.objects.get(user=synced.rep).changed_by == synced.rep


def test_switch_user_stale_changes_nothing_and_says_who_was_faster(synced: People) -> None:
    switch_user(synced.manager, synced.rep, OUTBOUND, OFF, seen=0)
    with pytest.raises(StaleSwitchError) as raised:
        switch_user(synced.rep, synced.rep, OUTBOUND, ON, seen=0)
    current = raised.value.current
    assert current.changed_by is not None
    assert (current.choice, current.version, current.changed_by.name) == (OFF, 1, "Mia Manager")
    assert (choice_of(synced.rep, OUTBOUND), version_of(synced.rep, OUTBOUND)) == (OFF, 1)


@pytest.mark.parametrize(
    ("actor", "user", "may"),
    [
        ("rep", "rep", True),
        ("colleague", "colleague", True),
        ("manager", "rep", True),
        ("manager", "colleague", True),  # a manager who is a member of the team
        ("admin", "rep", True),
        ("admin", "other_manager", True),
        ("rep", "other_rep", False),
        ("rep", "colleague", False),
        ("other_manager", "rep", False),
        ("colleague", "rep", False),  # a manager, but not of the team they are a member of
        ("manager", "admin", False),
    ],
)
def test_may_switch(synced: People, actor: str, user: str, may: bool) -> None:
    who, whose = getattr(synced, actor), getattr(synced, user)
    assert may_switch(who, whose) is may
    if not may:
        with pytest.raises(PermissionDenied):
            switch_user(who, whose, OUTBOUND, OFF, seen=0)
        assert version_of(whose, OUTBOUND) == 0


def test_may_switch_deactivated(synced: People) -> None:
    for user in (synced.rep, synced.manager, synced.admin):
        user.is_active = False
        user.save()
        assert may_switch(user, synced.rep) is False


@pytest.mark.parametrize("choice", list(SwitchChoice))
def test_switch_user_while_off_for_the_organisation_refused(synced: People, choice: SwitchChoice) -> None:
    set_switch(synced.rep, OUTBOUND, OFF if choice == ON else ON, synced.rep)
    set_switch(None, OUTBOUND, OFF, synced.admin)
    for actor in (synced.rep, synced.manager, synced.admin):
        with pytest.raises(SwitchRefusedError) as raised:
            switch_user(actor, synced.rep, OUTBOUND, choice, seen=1)
        assert raised.value.state.reason == Reason.ORGANISATION_OFF
    assert version_of(synced.rep, OUTBOUND) == 1


@pytest.mark.parametrize(
    ("changes", "direction", "reason"),
    [
        ({"mail_provider": MailProvider.SMTP}, OUTBOUND, Reason.SMTP),
        ({"mail_provider": MailProvider.NONE}, INBOUND, Reason.NO_MAILBOX),
        ({"is_active": False}, INBOUND, Reason.DEACTIVATED),
        ({}, ATTACHMENTS, Reason.MANAGERS),
    ],
)
def test_switch_user_refused(
    synced: People, changes: dict[str, object], direction: EmailDirection, reason: Reason
) -> None:
    # As it is in the database: the object at hand may be older.
    User.objects.filter(pk=synced.rep.pk).update(**changes)
    with pytest.raises(SwitchRefusedError) as raised:
        switch_user(synced.manager, synced.rep, direction, OFF, seen=0)
    assert raised.value.state.reason == reason
    assert EmailSwitch.objects.filter(user=synced.rep).count() == 0


def test_switch_organisation_by_managers_and_admins(people: People) -> None:
    assert switch_organisation(people.manager, ATTACHMENTS, ON, seen=0) == Outcome.CHANGED
    assert switch_organisation(people.admin, ATTACHMENTS, OFF, seen=1) == Outcome.CHANGED
    row = EmailSwitch.objects.get(user=None)
    assert (row.direction, row.choice, row.version, row.changed_by) == (ATTACHMENTS, OFF, 2, people.admin)


def test_switch_organisation_off_before_anybody_switched_it_on_is_nothing(people: People) -> None:
    assert switch_organisation(people.admin, OUTBOUND, OFF, seen=0) == Outcome.UNCHANGED
    assert EmailSwitch.objects.count() == 0


def test_switch_organisation_stale(people: People) -> None:
    switch_organisation(people.manager, OUTBOUND, ON, seen=0)
    switch_organisation(people.other_manager, OUTBOUND, OFF, seen=1)
    with pytest.raises(StaleSwitchError) as raised:
        switch_organisation(people.admin, OUTBOUND, ON, seen=0)
    assert (raised.value.current.choice, raised.value.current.version) == (OFF, 2)


def test_switch_organisation_has_nothing_to_follow(people: People) -> None:
    with pytest.raises(ValueError, match="nothing above the organisation"):
        switch_organisation(people.admin, OUTBOUND, NOT_CHOSEN, seen=0)


def test_switch_organisation_by_a_rep_or_a_deactivated_manager(people: People) -> None:
    people.manager.is_active = False
    for actor in (people.rep, people.manager):
        with pytest.raises(PermissionDenied):
            switch_organisation(actor, OUTBOUND, ON, seen=0)
    assert EmailSwitch.objects.count() == 0


def test_attachments_of_a_user_are_no_row(people: People) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        EmailSwitch.objects.create(user=people.rep, direction=ATTACHMENTS, choice=ON, changed_at=timezone.now())


def test_switch_is_noted_in_the_audit(people: People) -> None:
    give_mailboxes(people.rep)
    switch_organisation(people.admin, OUTBOUND, ON, seen=0)
    switch_user(people.manager, people.rep, OUTBOUND, OFF, seen=0)
    switch_user(people.rep, people.rep, OUTBOUND, NOT_CHOSEN, seen=1)
    switch_user(people.rep, people.rep, OUTBOUND, NOT_CHOSEN, seen=1)
    with pytest.raises(StaleSwitchError):
        switch_user(people.rep, people.rep, OUTBOUND, OFF, seen=1)
    assert entries() == [
        ("Ada Admin", {"choice": ["", "on"]}),
        ("Mia Manager", {"choice": ["", "off"]}),
        ("Rosa Rep", {"choice": ["off", ""]}),
    ]


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run `acts` in threads that start together; return what came of each, in alphabetical order."""
    barrier = Barrier(len(acts))
    came: list[str] = []

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            came.append(str(act()))
        except (StaleSwitchError, SwitchRefusedError) as error:
            came.append(type(error).__name__)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(came)


@pytest.mark.django_db(transaction=True)
def test_switch_first_chosen_by_two_at_once() -> None:
    people = make_people()
    give_mailboxes(people.rep)
    set_switch(None, OUTBOUND, ON, people.admin)
    came = at_once(
        lambda: switch_user(people.rep, people.rep, OUTBOUND, OFF, seen=0),
        lambda: switch_user(people.manager, people.rep, OUTBOUND, ON, seen=0),
    )
    assert came == ["Outcome.CHANGED", "StaleSwitchError"]
    assert version_of(people.rep, OUTBOUND) == 1
    assert len(entries()) == 1


@pytest.mark.django_db(transaction=True)
def test_switch_of_the_organisation_by_two_at_once() -> None:
    people = make_people()
    came = at_once(
        lambda: switch_organisation(people.admin, OUTBOUND, ON, seen=0),
        lambda: switch_organisation(people.manager, OUTBOUND, ON, seen=0),
    )
    assert came == ["Outcome.CHANGED", "Outcome.UNCHANGED"]
    assert version_of(None, OUTBOUND) == 1
    assert len(entries()) == 1
