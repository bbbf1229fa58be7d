# factory-boy has a py.typed, but its functions have no types.
# mypy: allow-untyped-calls, allow-untyped-decorators
"""Rows for tests, with sensible values: RecordFactory(phones=["+1 212 555 0141"]) and so on."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyAttributeSequence, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from sync import emails
from sync.enums import AuthFlow, LinkChoice, RecordKind, TaskKind, TaskState
from sync.models import Connection, Enrolment, Play, PlayStep, Record, RecordEmail, RecordPhone, Task
from sync.phones import e164
from teams.crm_ids import to_18
from teams.models import Organisation, Team, User

PREFIXES = {
    RecordKind.ACCOUNT: "001",
    RecordKind.CONTACT: "003",
    RecordKind.LEAD: "00Q",
    RecordKind.OPPORTUNITY: "006",
    RecordKind.CASE: "500",
}


def crm_id(prefix: str, number: int) -> str:
    """A CRM id of 18 characters that the sandbox doesn't give out by itself."""
    return to_18(f"{prefix}Zz{number:010d}")


def contact_of_person_account(number: int = 1) -> str:
    return crm_id("003", 9_000_000 + number)


class TeamFactory(DjangoModelFactory[Team]):
    class Meta:
        model = Team

    name = Sequence(lambda n: f"Team {n}")


class UserFactory(DjangoModelFactory[User]):
    """A rep without a password and without a CRM user: the sandbox refuses owners that it doesn't have."""

    class Meta:
        model = User

    email = Sequence(lambda n: f"rep{n}@playbooks.example")
    name = Sequence(lambda n: f"Rep {n}")
    team = SubFactory(TeamFactory)


class ConnectionFactory(DjangoModelFactory[Connection]):
    """A connection that no HTTP stands behind; a test that sends uses the fixture `connection`."""

    class Meta:
        model = Connection

    auth_flow = AuthFlow.CLIENT_CREDENTIALS
    login_url = "http://127.0.0.1:1"
    org_id = Sequence(lambda n: crm_id("00D", n))
    access_user_id = crm_id("005", 999_999)
    access_user_name = "Access User"


def the_connection() -> Connection:
    """The organisation's connection, made when there is none."""
    return Connection.objects.of_organisation().first() or ConnectionFactory.create()


class RecordFactory(DjangoModelFactory[Record]):
    """A mirrored record; `emails` and `phones` are written as the CRM shows them. `fetched_at=None`: only its id."""

    class Meta:
        model = Record
        skip_postgeneration_save = True

    connection = LazyFunction(the_connection)
    kind = RecordKind.CONTACT
    crm_id = LazyAttributeSequence(lambda record, n: crm_id(PREFIXES[RecordKind(record.kind)], n))
    name = LazyAttributeSequence(lambda record, n: f"{RecordKind(record.kind).label} {n}")
    fetched_at = LazyFunction(timezone.now)

    @post_generation
    def emails(self: Record, create: bool, extracted: Iterable[str] | None, **_kwargs: Any) -> None:
        for address in extracted or ():
            RecordEmail.objects.create(record=self, address=emails.normalised(address))

    @post_generation
    def phones(self: Record, create: bool, extracted: Iterable[str] | None, **_kwargs: Any) -> None:
        region = Organisation.load().phone_region
        for number in extracted or ():
            RecordPhone.objects.create(record=self, number=number, e164=e164(number, region))


class PlayFactory(DjangoModelFactory[Play]):
    class Meta:
        model = Play

    name = Sequence(lambda n: f"Play {n}")


class PlayStepFactory(DjangoModelFactory[PlayStep]):
    class Meta:
        model = PlayStep

    play = SubFactory(PlayFactory)
    position = Sequence(lambda n: n)
    kind = TaskKind.CALL
    name = Sequence(lambda n: f"Step {n}")


class EnrolmentFactory(DjangoModelFactory[Enrolment]):
    """An enrolment without tasks: sync.plays.enrol makes one with them."""

    class Meta:
        model = Enrolment

    play = SubFactory(PlayFactory)
    record = SubFactory(RecordFactory)
    user = SubFactory(UserFactory)


class TaskFactory(DjangoModelFactory[Task]):
    """A completed ad hoc call; with `who` or `what` it gives that record a history."""

    class Meta:
        model = Task

    user = SubFactory(UserFactory)
    kind = TaskKind.CALL
    state = TaskState.COMPLETED
    completed_at = LazyFunction(lambda: datetime(2025, 3, 3, 12, tzinfo=UTC))
    subject = Sequence(lambda n: f"Task {n}")
    record = LazyAttribute(lambda task: getattr(task, "who", None) or getattr(task, "what", None))
    link_choice = LazyAttribute(lambda task: LinkChoice.EXPLICIT if task.record else LinkChoice.NONE)
