"""An organisation at work: enough of everything that no page is looked at empty."""

from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from auditlog.context import set_actor
from django.utils import timezone
from django_q.models import Failure, Schedule

from blacklist import saving
from blacklist.models import RuleKind
from blacklist.rules import ParsedRule
from sync import webhook_events
from sync.adoption import adopt, undo
from sync.crm.base import ObjectAccess
from sync.crm.org_fields import DescribedField
from sync.enums import (
    ConnectionState,
    CrmUserFinding,
    DeliveryState,
    ExportState,
    ImportState,
    OutboxState,
    RecordKind,
    TaskKind,
    TaskState,
    TaskStatus,
    WebhookError,
)
from sync.models import (
    ApiToken,
    Connection,
    CrmUserLookup,
    Enrolment,
    FieldCheck,
    FieldMapping,
    ImportProblem,
    OutboxRow,
    PendingConnection,
    Play,
    Record,
    RecordEmail,
    RecordPhone,
    Task,
    TaskImport,
    TaskSyncExport,
    Trouble,
    WebhookDelivery,
    WebhookReceiver,
)
from teams.models import EmailDirection, Notice, NoticeKind, Organisation, SwitchChoice, User
from tests.factories import EnrolmentFactory, PlayFactory, PlayStepFactory, RecordFactory, TaskFactory
from tests.people import People, make_people
from tests.sync.admin.conftest import make_connection, make_task
from tests.sync.crm.org import org
from tests.sync.failing import LONG, RULE, refuse
from tests.sync.receivers import hand_in, make_sender
from tests.sync.results import make_done
from tests.teams.logging_in import give_app
from tests.teams.switches import give_mailboxes, set_switch

# What a browser sent when a passkey was added.
PASSKEY = {
    "type": "public-key",
    "id": "1xejhpXIx593axTcLoxxtunBWiNwg7BkRNl5NXq5RIM",
    "rawId": "1xejhpXIx593axTcLoxxtunBWiNwg7BkRNl5NXq5RIM",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoic3Z1Q1hvRV9TalI0UE9SOGhBbFNZZjRfSlc0Tm1"
        "nbVRjcUVSWHVJbzdKTSIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6NTU4OTUifQ",
        "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NFAAAAA"
        "QECAwQFBgcIAQIDBAUGBwgAINcXo4aVyMefd2sU3C6McbbpwVojcIOwZETZeTV6uUSDpQECAyYgASFYIP3kPpkPLh5KiZRFi-qhcq5ASZNz"
        "rwdOeVkaAfRKJ9M9Ilggh__NSR80Yf8HCdK3ZYmlrW2bsLJqr5zDq-9oeK_rYZM",
        "transports": ["internal"],
    },
    "clientExtensionResults": {"credProps": {}},
}


IMPORT = "5d2cbf3e-4b5f-4a06-8f0e-0f3a4a1c9f01"


@dataclass(frozen=True, slots=True)
class World:
    people: People
    connection: Connection
    record: Record
    play: Play
    task: Task  # refused by the CRM
    open_task: Task  # the rep's, late
    row: OutboxRow
    trouble: Trouble
    export: TaskSyncExport
    schedule: Schedule
    failure: Failure
    secret: str  # of the colleague's authenticator app
    passkey: Authenticator


def make_world() -> World:
    """Return an organisation that has been at work for a while; `people.colleague` has a second factor."""
    people = make_people()
    connection = make_connection(org_name="Northwind", api_used=1200, api_limit=15000, **_seen())
    record = RecordFactory.create(connection=connection, kind=RecordKind.CONTACT, name="Carla Contact")
    play = _enrol(people, record)
    task = _work(connection, people, record)
    _switch(people)
    _fill_blacklists(people)
    _tell(people)
    secret = give_app(people.colleague)
    RecoveryCodes.activate(people.colleague)
    return World(
        people,
        connection,
        record,
        play,
        task,
        open_task=_plan(people, record, play),
        row=task.outbox_rows.get(),
        trouble=Trouble.objects.get(),
        export=_prepare_files(people),
        schedule=Schedule.objects.create(name="Refresh records", func="math.sqrt", args="4"),
        failure=_fail(),
        secret=secret,
        passkey=Authenticator.objects.create(
            user=people.colleague, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop", "credential": PASSKEY}
        ),
    )


def fill_record(world: World) -> None:
    """A contact as the CRM has many, with an account and a deal beside her."""
    account = RecordFactory.create(connection=world.connection, kind=RecordKind.ACCOUNT, name="Northwind Traders")
    RecordFactory.create(
        connection=world.connection,
        kind=RecordKind.OPPORTUNITY,
        name="Northwind – renewal",
        account_crm_id=account.crm_id,
    )
    record = world.record
    record.account_crm_id, record.owner = account.crm_id, world.people.rep
    record.modified_at = timezone.now() - timedelta(days=3)
    record.fields = {
        "FirstName": "Carla",
        "LastName": "Contact",
        "Title": "Head of Purchasing",
        "Department": "Operations",
        "LeadSource": "Web",
        "MailingStreet": "12 Harbour Street",
        "MailingCity": "Seattle",
        "MailingState": "WA",
        "MailingPostalCode": "98101",
        "MailingCountry": "USA",
        "DoNotCall": True,
        "LastActivityDate": "2026-11-02",
        "Tier__c": "Gold",
        "Description": "Prefers calls in the morning.\nKnows the product from her last company.",
    }
    record.save()
    PlayStepFactory.create(play=(play := PlayFactory.create(name="Win back")), name="Call", position=1)
    PlayStepFactory.create(play=play, kind=TaskKind.EMAIL, name="Send the offer", position=2, day_offset=3)
    RecordEmail.objects.create(record=record, address="carla.contact@northwind.example")
    RecordPhone.objects.create(record=record, number="(206) 555-0147", e164="+12065550147")
    RecordPhone.objects.create(record=record, number="extension 12")
    make_task(world.connection, world.people.rep, "Called about the renewal", OutboxState.PENDING)
    make_task(world.connection, world.people.other_rep, "Somebody else’s", OutboxState.DONE)
    Task.objects.filter(subject__in=["Called about the renewal", "Somebody else’s"]).update(who=record, record=record)


def unfetch_record(world: World) -> None:
    """Nobody has asked the CRM for it yet."""
    Record.objects.filter(pk=world.record.pk).update(name="", fetched_at=None)


def disconnect(world: World) -> None:
    Connection.objects.update(
        state=ConnectionState.DISCONNECTED,
        down_since=timezone.now() - timedelta(hours=3),
        error_code="invalid_grant",
        error_message="inactive user",
        error_at=timezone.now(),
    )


def forget_connection(world: World) -> None:
    """As before the first connection."""
    Trouble.objects.all().delete()
    Enrolment.objects.all().delete()
    OutboxRow.objects.all().delete()
    Task.objects.all().delete()
    Record.objects.all().delete()
    Connection.objects.all().delete()


def check_import(world: World) -> None:
    """A manager's file of calls, of which some lines are refused."""
    checked = TaskImport.objects.create(
        uuid=IMPORT,
        user=world.people.manager,
        name="calls-of-march.csv",
        headings=["Call ID", "Agent Email", "Call Time", "Talk Time", "To Number", "Carrier"],
        mapping=["key", "user", "completed_at", "call_duration_seconds", "phone_number", ""],
        time_zone="America/New_York",
        state=ImportState.READY,
        total=1204,
        done=1204,
        good=1187,
        known=12,
        bad=5,
        without_offset=1204,
        expires_at=timezone.now() + timedelta(days=1),
    )
    words = "You see no active user with this e-mail address or CRM user id."
    ImportProblem.objects.bulk_create(
        ImportProblem(task_import=checked, line=line, errors=[["user", words]]) for line in range(7, 12)
    )


def add_senders(world: World) -> None:
    """A dialer at work, whose receiver had a bad hour, and a tool that nobody uses any more."""
    now = timezone.now()
    sender = make_sender("Dialer", "https://dialer.example.com/hooks/playbooks", team=world.people.north)
    for expires_at in (None, now + timedelta(days=90), now - timedelta(days=1)):
        ApiToken.issue(sender, world.people.admin, expires_at)
    ApiToken.objects.update(last_used_at=now)
    tasks = list(Task.objects.filter(state=TaskState.COMPLETED)[:3])
    hand_in(sender, tasks)
    webhook_events.note(webhook_events.hearers_of(task.pk for task in tasks), now)
    late, *others = WebhookDelivery.objects.all()
    WebhookDelivery.objects.filter(pk__in=[each.pk for each in others]).update(
        state=DeliveryState.DELIVERED, attempts=1, http_status=204, status=TaskStatus.SYNCED
    )
    WebhookDelivery.objects.filter(pk=late.pk).update(attempts=3, http_status=503, error=WebhookError.REFUSED)
    WebhookReceiver.objects.create(
        sender=sender, failures=3, failing_since=now, resting_until=now, http_status=503, error=WebhookError.REFUSED
    )
    make_sender("Outlook plug-in", "", is_outlook_plugin=True, is_active=False)


def _seen() -> dict[str, object]:
    return {"api_seen_at": timezone.now(), "schema_at": timezone.now()}


def _enrol(people: People, record: Record) -> Play:
    play = PlayFactory.create(name="Renewal")
    for position, name in enumerate(("First call", "Second call"), start=1):
        PlayStepFactory.create(play=play, position=position, name=name)
    EnrolmentFactory.create(play=play, record=record, user=people.rep)
    return play


def _plan(people: People, record: Record, play: Play) -> Task:
    """The rep's steps that are due, late and to come; the one that is returned is the latest."""
    first, second = play.steps.order_by("position")
    today = timezone.localdate()
    plans = (
        (first, TaskKind.CALL, -3, "Ask how the pilot goes"),
        (second, TaskKind.EMAIL, 0, "Send the offer"),
        (second, TaskKind.OTHER, 1, "Prepare the visit"),
        (second, TaskKind.CALL, 9, "Call after the visit"),
    )
    late, *_later = (
        TaskFactory.create(
            user=people.rep,
            kind=kind,
            state=TaskState.OPEN,
            completed_at=None,
            step=step,
            record=record,
            subject=subject,
            due_on=today + timedelta(days=days),
        )
        for step, kind, days, subject in plans
    )
    return late


def _work(connection: Connection, people: People, record: Record) -> Task:
    """Tasks in every state; the one that is returned was refused by a validation rule."""
    for state in (OutboxState.DONE, OutboxState.PENDING, OutboxState.CANCELLED):
        make_done(connection, people.rep, f"Call that is {state.label}", state, who=record, record=record)
    TaskFactory.create(user=people.rep, kind=TaskKind.EMAIL, state=TaskState.OPEN, completed_at=None)
    refuse(connection, people.rep, LONG, 2)
    [task] = refuse(connection, people.rep, RULE)
    return task


def _switch(people: People) -> None:
    give_mailboxes(people.rep, people.colleague)
    for direction in (EmailDirection.OUTBOUND, EmailDirection.INBOUND):
        set_switch(None, direction, SwitchChoice.ON, people.admin)
    set_switch(people.rep, EmailDirection.OUTBOUND, SwitchChoice.OFF, people.manager)
    Organisation.objects.update(own_domains=["example.com"])
    with set_actor(people.manager):
        people.north.name = "North and West"
        people.north.save()
        people.north.name = "North"
        people.north.save()


def _fill_blacklists(people: People) -> None:
    company = [
        ParsedRule(RuleKind.DOMAIN, "rival.example", "rival.example"),
        ParsedRule(RuleKind.ADDRESS, "boss@bank.example", "boss@bank.example"),
        ParsedRule(RuleKind.KEYWORD, "merger", "merger"),
    ]
    saving.save(None, 0, saving.Change(added=company), actor=people.manager)
    own = [ParsedRule(RuleKind.DOMAIN, "family.example", "family.example")]
    saving.save(people.rep, 0, saving.Change(added=own), actor=people.rep)


def _tell(people: People) -> None:
    for user in (people.rep, people.manager):
        Notice.objects.create(
            user=user, kind=NoticeKind.FILE_READY, title="A file is ready", text="Until Friday.", path="/notices/"
        )
        Notice.objects.create(
            user=user, kind=NoticeKind.ERRORS, title="An error grows", read_at=timezone.now(), path="/notices/"
        )


def _prepare_files(people: People) -> TaskSyncExport:
    now = timezone.now()
    times = {"since": now - timedelta(days=30), "until": now, "expires_at": now + timedelta(days=7)}
    for state in (ExportState.FAILED, ExportState.READY):
        TaskSyncExport.objects.create(
            requested_by=people.manager, state=state, error="", rows_total=120, rows_done=120, bytes=9000, **times
        )
    return TaskSyncExport.objects.create(
        requested_by=people.manager, state=ExportState.RUNNING, rows_total=120, rows_done=40, started_at=now, **times
    )


def _fail() -> Failure:
    now = timezone.now()
    return Failure.objects.create(
        id="f" * 32, name="job", func="math.sqrt", started=now, stopped=now, success=False, result="ValueError: no"
    )


def enrol_more(world: World) -> None:
    """The record that is in a play has done one step and is late with the next; other records are in it, too."""
    enrolment = world.play.enrolments.get()
    first, second = world.play.steps.order_by("position")
    day = timezone.localdate() - timedelta(days=2)
    TaskFactory.create(user=enrolment.user, enrolment=enrolment, step=first, record=world.record, subject="First call")
    TaskFactory.create(
        user=enrolment.user,
        enrolment=enrolment,
        step=second,
        record=world.record,
        subject="Second call to Carla",
        state=TaskState.OPEN,
        completed_at=None,
        due_on=day,
    )
    EnrolmentFactory.create(play=world.play, user=world.people.other_rep)


def take_out_of_plays(world: World) -> None:
    Task.objects.exclude(step=None).delete()
    Enrolment.objects.all().delete()


def look_at_fields(world: World) -> None:
    """An admin has compared the org's fields, and has chosen one that is gone by now."""
    read_only = DescribedField("CallObject", "Call Object", "string", 255, createable=False)
    seen = org(read_only, without=("Play_Name__c", "Play_Step__c"), hidden=("Play_Step__c",))
    FieldCheck.objects.create(connection=world.connection, seen=seen.to_json(), at=timezone.now())
    FieldMapping.objects.create(slot="call_disposition", field_name="Outcome_of_the_conversation_of_last_year__c")


def log_in_elsewhere(world: World) -> None:
    """An admin has let Playbooks in at Salesforce and has not accepted it yet."""
    access = [ObjectAccess("Task", True, True, True), ObjectAccess("Contact", True, False, False, ("MobilePhone",))]
    PendingConnection.objects.create(
        user=world.people.admin,
        login_url=world.connection.login_url,
        instance_url=world.connection.instance_url,
        access_token="a",
        refresh_token="r",
        org_id=world.connection.org_id,
        org_name="Northwind",
        access_user_id=world.connection.access_user_id,
        access_user_name="Integration User",
        username="integration@northwind.example",
        access=[each.to_json() for each in access],
        schema=world.connection.schema,
    )


def lose_crm_users(world: World) -> None:
    """Of one user several CRM users were found, the other was not looked for."""
    User.objects.update(crm_user_id=None)
    candidates = [
        {
            "id": f"005AAAAAAAAAAa{n}Y5H",
            "name": "Rosa",
            "username": f"rosa{n}@x.example",
            "is_active": True,
            "is_free": True,
        }
        for n in (1, 2)
    ]
    CrmUserLookup.objects.create(
        user=world.people.rep, finding=CrmUserFinding.SEVERAL, candidates=candidates, at=timezone.now()
    )


def leave_orphans(world: World) -> None:
    """Calls without a record: one with a number that one record has, one with two candidates; and adopted ones."""
    rep = world.people.rep
    birch = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Birchwood Hotel", phones=["+1 212 555 0199"])
    hana = RecordFactory.create(name="Hana Novak", phones=["+1 212 555 0141"], account_crm_id=birch.crm_id)
    RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="Winter season", account_crm_id=birch.crm_id)
    RecordFactory.create(kind=RecordKind.LEAD, name="Hannah Novak-Featherstonehaugh", phones=["+1 212 555 0142"])
    RecordFactory.create(name="Ivo Novak", phones=["+1 212 555 0142"], account_crm_id=birch.crm_id)

    def orphan(number: str, subject: str) -> Task:
        e164 = number.replace(" ", "")
        return TaskFactory.create(
            user=rep, is_orphan=True, subject=subject, phone_number=number, phone_e164=e164, call_direction="inbound"
        )

    adopt(orphan("+1 212 555 0141", "Asked for an offer"), hana, rep)
    undone = adopt(orphan("+1 212 555 0142", "Asked back"), hana, rep)
    orphan("+1 212 555 0141", "Another question")
    orphan("", "Without a number")
    undo(undone, rep)
    orphan("+1 212 555 0142", "Nobody knows")
