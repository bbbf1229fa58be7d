"""sync/views/record.py and record_work.py: a record's page, and what is done from there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from sync import plays, record_page
from sync.enums import LinkChoice, OutboxState, RecordKind, TaskKind, TaskState
from sync.models import Connection, Enrolment, OutboxRow, Play, Record, Task
from teams.models import User
from teams.scoped_admin import page_of
from tests.factories import (
    ConnectionFactory,
    EnrolmentFactory,
    PlayFactory,
    PlayStepFactory,
    RecordFactory,
    TaskFactory,
    UserFactory,
    crm_id,
    the_connection,
)
from tests.people import People, logged_in, people

__all__ = ["people"]

Queries = Callable[..., Any]
HTMX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def record(people: People) -> Record:
    made: Record = RecordFactory.create(
        name="Carla Contact", emails=["carla@nw.example"], phones=["(415) 555-0132", "call me"], owner=people.rep
    )
    return made


@pytest.fixture
def rep(people: People) -> Client:
    return logged_in(people.rep)


@pytest.fixture
def play(db: None) -> Play:
    made: Play = PlayFactory.create(name="Renewal")
    PlayStepFactory.create(play=made, position=1, name="First call")
    PlayStepFactory.create(play=made, position=2, name="Send the offer", kind=TaskKind.EMAIL, day_offset=3)
    return made


def read(client: Client, record: Record, rest: str = "", status: int = 200, **headers: str) -> str:
    response = client.get(f"/records/{record.uuid}/{rest}", **headers)  # type: ignore[arg-type]
    assert response.status_code == status
    return response.content.decode()


def send(client: Client, record: Record, rest: str, **values: Any) -> str:
    """Send a form; the page afterwards."""
    return client.post(f"/records/{record.uuid}/{rest}", values, follow=True).content.decode()


def done(user: User, who: Record, subject: str, state: OutboxState | None = None, **values: Any) -> Task:
    task: Task = TaskFactory.create(
        **{"user": user, "who": who, "subject": subject, "completed_at": timezone.now(), **values}
    )
    if state is not None:
        OutboxRow.objects.create(
            connection=the_connection(), task=task, user=user, key=task.key, state=state, not_before=timezone.now()
        )
    return task


class TestFields:
    def test_what_the_crm_knows_is_shown_with_labels(self, rep: Client, record: Record) -> None:
        account = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Northwind")
        boss = RecordFactory.create(name="Bea Boss")
        Record.objects.filter(pk=record.pk).update(
            account_crm_id=account.crm_id,
            fields={
                "Title": "Buyer",
                "ReportsToId": boss.crm_id,
                "MailingStreet": "1 Main St\nFloor 2",
                "MailingCity": "Seattle",
                "DoNotCall": True,
                "Tier__c": "Gold <b>",
                "LastActivityDate": "2025-01-31",
                "Description": "Two\nlines",
                "Department": "",
            },
        )
        page = read(rep, record)
        for words in (
            *('href="tel:+14155550132"', "(415) 555-0132", "call me", 'href="mailto:carla@nw.example"'),
            *("Buyer", "Reports to", "Bea Boss", "1 Main St, Floor 2, Seattle", "Do not call", "31 Jan 2025"),
            *("Tier__c", "Gold &lt;b&gt;", "Two<br>lines", "Northwind", "Rosa Rep", "As the CRM had it on"),
        ):
            assert words in page, words
        assert f"/records/{account.uuid}/" in page
        assert "Department" not in page

    def test_amounts_are_readable(self, rep: Client, people: People) -> None:
        fields = {"Amount": "1234567.50", "Probability": "40", "IsClosed": True, "IsWon": False, "StageName": "Lost"}
        page = read(rep, RecordFactory.create(kind=RecordKind.OPPORTUNITY, fields=fields))
        for words in ("1,234,567.50", "40 %", "Lost"):
            assert words in page, words

    def test_the_owners_name_is_for_who_may_see_them(self, people: People, record: Record) -> None:
        Record.objects.filter(pk=record.pk).update(owner=people.other_rep)
        assert "Sven" not in read(logged_in(people.rep), record)
        assert "outside your sight" in read(logged_in(people.rep), record)
        assert "Sven Stranger" in read(logged_in(people.other_manager), record)

    def test_a_link_leads_to_the_crm(self, rep: Client, record: Record) -> None:
        assert "Open in the CRM" not in read(rep, record)
        Connection.objects.update(instance_url="https://nw.example/")
        assert f'href="https://nw.example/{record.crm_id}"' in read(rep, record)

    def test_managers_get_to_the_manager_app_and_back(self, people: People, record: Record) -> None:
        assert "In the Manager App" not in read(logged_in(people.rep), record)
        manager = logged_in(people.manager)
        assert page_of(record) in read(manager, record)
        assert f"/records/{record.uuid}/" in manager.get(page_of(record)).content.decode()


class TestStrangeRecords:
    def test_one_that_nobody_fetched_is_asked_for(
        self, rep: Client, people: People, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        record = RecordFactory.create(name="", fetched_at=None)
        with django_capture_on_commit_callbacks(execute=True):
            page = read(rep, record)
        assert "It is being fetched from the CRM" in page
        assert "?look=1" in page
        assert OrmQ.objects.count() == 1
        assert "?look=2" in read(rep, record, "?look=1", **HTMX)
        assert "has not answered" in read(rep, record, "?look=20", **HTMX)
        Record.objects.update(fetched_at=timezone.now())
        response = rep.get(f"/records/{record.uuid}/?look=3", **HTMX)
        assert response["HX-Redirect"] == f"/records/{record.uuid}/"

    def test_one_that_the_crm_does_not_have_says_so_and_takes_nothing(
        self, rep: Client, play: Play, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        record = RecordFactory.create(name="", fetched_at=None)
        assert "?look=2" in read(rep, record, "?look=1", **HTMX)
        Record.objects.update(missing_since=timezone.now())
        # The page that waits is led to what is known now, which waits no more.
        assert rep.get(f"/records/{record.uuid}/?look=2", **HTMX)["HX-Redirect"] == f"/records/{record.uuid}/"
        with django_capture_on_commit_callbacks(execute=True):
            page = read(rep, record)
        assert OrmQ.objects.count() == 1
        assert "The CRM has no such record, or the Access User may not see it" in page
        assert "Not in the CRM" in page
        for words in ("being fetched", "?look=", "Log a call", "Start a play"):
            assert words not in page, words
        page = send(rep, record, "log/call/", subject="Talked", form_key=uuid4())
        assert "The CRM has no such record" in page
        assert "Talked" in page
        assert not Task.objects.exists()
        assert "The CRM has no such record" in read(rep, record, "start-play/")
        send(rep, record, "start-play/", play=play.uuid)
        assert not Enrolment.objects.exists()

    @pytest.mark.parametrize(
        ("values", "words"), [({"is_deleted": True}, "was deleted in the CRM"), ({"kind": "case"}, "Cases are off")]
    )
    def test_one_that_nothing_can_be_logged_on_says_why(
        self, rep: Client, people: People, values: dict[str, Any], words: str
    ) -> None:
        record = RecordFactory.create(**values)
        page = read(rep, record)
        assert words in page
        assert "Log a call" not in page
        assert words in send(rep, record, "log/call/", subject="Call", form_key=uuid4())
        assert not Task.objects.exists()

    def test_another_connections_is_none(self, rep: Client, people: People) -> None:
        own = ConnectionFactory.create(user=people.rep)
        record = RecordFactory.create(connection=own)
        read(rep, record, status=404)
        read(rep, record, "log/call/", status=404)
        read(rep, record, "start-play/", status=404)


class TestWork:
    def test_tasks_stand_there_with_state_and_reason(self, rep: Client, people: People, record: Record) -> None:
        other = RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="The deal")
        task = done(people.rep, record, "Talked <b>", OutboxState.CANCELLED, what=other)
        page = read(rep, record)
        for words in ("Talked &lt;b&gt;", "Cancelled", "It was cancelled by hand", "The deal", f"/tasks/{task.uuid}/"):
            assert words in page, words
        assert "Talked &lt;b&gt;" in read(rep, other)

    def test_open_tasks_can_be_completed_from_there(self, rep: Client, people: People, record: Record) -> None:
        due = timezone.localdate() - timedelta(days=2)
        task = TaskFactory.create(user=people.rep, record=record, state=TaskState.OPEN, completed_at=None, due_on=due)
        page = read(rep, record)
        assert "2 days late" in page
        assert f"/tasks/{task.uuid}/complete/?next=/records/{record.uuid}/" in page

    def test_others_tasks_are_a_number(self, people: People, record: Record) -> None:
        done(people.rep, record, "Rosa’s words")
        done(people.other_rep, record, "Sven’s words")
        page = read(logged_in(people.rep), record)
        assert "Sven" not in page
        assert "And 1 task by somebody outside your sight." in page
        assert "Rosa’s words" in read(logged_in(people.manager), record)
        admin = read(logged_in(people.admin), record)
        assert "Sven’s words" in admin
        assert "outside your sight" not in admin

    def test_pages_lead_to_older_work(self, rep: Client, people: People, record: Record) -> None:
        for number in range(25):
            done(people.rep, record, f"Talk {number:02}", completed_at=timezone.now() - timedelta(hours=number))
        first, second = read(rep, record), read(rep, record, "?page=2")
        assert "Talk 19" in first
        assert "Talk 20" not in first
        assert "Talk 24" in second
        assert "Talk 19" not in second
        assert "Nothing more was done" in read(rep, record, "?page=99999")

    @pytest.mark.parametrize("count", [3, 20])
    def test_as_many_questions_for_few_as_for_many(
        self, people: People, record: Record, play: Play, count: int, django_assert_num_queries: Queries
    ) -> None:
        for number in range(count):
            done(people.rep, record, f"Talk {number}", OutboxState.PENDING)
            TaskFactory.create(user=people.rep, record=record, state=TaskState.OPEN, completed_at=None)
            EnrolmentFactory.create(record=record, user=people.rep)
        client = logged_in(people.rep)
        client.get("/records/")
        with django_assert_num_queries(15):
            client.get(f"/records/{record.uuid}/")


class TestStates:
    def test_the_page_asks_until_all_is_settled(self, rep: Client, people: People, record: Record) -> None:
        task = done(people.rep, record, "Talk", OutboxState.PENDING)
        look = f"states/?look=0&amp;task={task.uuid}"
        assert look in read(rep, record)
        part = read(rep, record, f"states/?look=0&task={task.uuid}", **HTMX)
        assert f"states/?look=1&amp;task={task.uuid}" in part
        OutboxRow.objects.update(state=OutboxState.DONE)
        part = read(rep, record, f"states/?look=1&task={task.uuid}", **HTMX)
        assert f"#state-{task.uuid}" in part
        assert "Synced" in part
        assert "states/?look" not in part

    def test_it_doesnt_ask_for_ever(self, rep: Client, people: People, record: Record) -> None:
        task = done(people.rep, record, "Talk", OutboxState.PENDING)
        assert "states/?look" not in read(rep, record, f"states/?look=44&task={task.uuid}")

    def test_others_tasks_and_nonsense_are_not_told(self, rep: Client, people: People, record: Record) -> None:
        foreign = done(people.other_rep, record, "Secret", OutboxState.DONE)
        elsewhere = done(people.rep, RecordFactory.create(), "Elsewhere", OutboxState.DONE)
        part = read(rep, record, f"states/?look=x&task={foreign.uuid}&task={elsewhere.uuid}&task=%00&task=1")
        assert "Synced" not in part


class TestLogging:
    def test_a_call_is_logged_on_the_pages_record(self, rep: Client, people: People, record: Record) -> None:
        form = read(rep, record, "log/call/")
        assert "(415) 555-0132" in form
        key = uuid4()
        values = {"subject": "Talked", "known_number": "(415) 555-0132", "call_direction": "outbound", "form_key": key}
        for _again in range(2):
            page = send(rep, record, "log/call/", **values)
            assert "It is logged on" in page
        task = Task.objects.get()
        assert (task.user, task.who_id, task.phone_e164) == (people.rep, record.pk, "+14155550132")
        assert (task.link_choice, task.is_orphan, task.uuid) == (LinkChoice.PAGE, False, key)

    @pytest.mark.parametrize("kind", list(TaskKind))
    def test_each_kind_has_its_form(self, rep: Client, record: Record, kind: TaskKind) -> None:
        assert "Carla Contact" in read(rep, record, f"log/{kind}/")
        send(rep, record, f"log/{kind}/", subject="Something", call_direction="outbound", form_key=uuid4())
        assert Task.objects.get().kind == kind

    def test_there_are_no_other_kinds(self, rep: Client, record: Record) -> None:
        read(rep, record, "log/letter/", status=404)

    def test_the_account_and_its_deals_are_offered(self, rep: Client, record: Record) -> None:
        account = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Northwind")
        deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="The deal", account_crm_id=account.crm_id)
        Record.objects.filter(pk=record.pk).update(account_crm_id=account.crm_id)
        form = read(rep, record, "log/other/")
        assert "Northwind (Account)" in form or "Northwind" in form
        send(rep, record, "log/other/", subject="Lunch", related_record=deal.uuid, form_key=uuid4())
        assert Task.objects.get().what_id == deal.pk

    def test_another_kind_keeps_what_was_typed(self, rep: Client, record: Record) -> None:
        typed = {"subject": "Kept words", "call_duration_seconds": "3:05", "form_key": uuid4()}
        page = rep.post(f"/records/{record.uuid}/log/email/", {"switch": "email", **typed}).content.decode()
        assert (page.count('value="Kept words"'), page.count('name="call_duration_seconds" value="3:05"')) == (1, 1)
        assert page.count(f'value="{typed["form_key"]}"') == 1
        assert not Task.objects.filter(subject="Kept words").exists()

    def test_bad_input_stays_with_a_message_at_its_field(self, rep: Client, record: Record) -> None:
        page = send(rep, record, "log/call/", subject="Kept words", call_duration_seconds="soon", form_key=uuid4())
        assert "Kept words" in page
        assert 'id="id_call_duration_seconds_error"' in page
        assert not Task.objects.exists()


class TestPlays:
    def test_a_play_is_started_for_oneself(self, rep: Client, people: People, record: Record, play: Play) -> None:
        form = read(rep, record, "start-play/")
        for words in ("Renewal", "2 steps, over 3 days", "First call", "3 days later"):
            assert words in form, words
        page = send(rep, record, "start-play/", play=play.uuid)
        assert "Renewal has begun: 2 steps stand in My tasks." in page
        assert "Next: First call" in page
        assert "2 of 2 steps are open" in page
        assert Enrolment.objects.get().user == people.rep

    def test_the_same_play_twice_is_refused_at_its_field(
        self, rep: Client, people: People, record: Record, play: Play
    ) -> None:
        plays.enrol(play, record, people.other_rep)
        assert "this record is in it already" in read(rep, record, "start-play/")
        page = send(rep, record, "start-play/", play=play.uuid)
        assert "This record is in this play already." in page
        assert 'id="id_play_error"' in page
        assert Enrolment.objects.count() == 1

    @pytest.mark.parametrize("what", ["none", "unknown", "inactive", "stepless", "nonsense"])
    def test_what_is_no_play_to_start_is_refused(self, rep: Client, record: Record, play: Play, what: str) -> None:
        stepless, inactive = PlayFactory.create(), PlayFactory.create(is_active=False)
        PlayStepFactory.create(play=inactive)
        key = {"unknown": uuid4(), "inactive": inactive.uuid, "stepless": stepless.uuid, "nonsense": "\0x"}.get(
            what, ""
        )
        page = send(rep, record, "start-play/", play=key)
        assert 'id="id_play_error"' in page
        assert not Enrolment.objects.exists()

    def test_without_plays_it_says_so(self, rep: Client, record: Record) -> None:
        assert "No play to start" in read(rep, record, "start-play/")

    def test_a_deal_of_the_account_may_go_along(self, rep: Client, record: Record, play: Play) -> None:
        deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="The deal", account_crm_id=crm_id("001", 9))
        Record.objects.filter(pk=record.pk).update(account_crm_id=crm_id("001", 9))
        page = send(rep, record, "start-play/", play=play.uuid, related_record=deal.uuid)
        assert "The deal" in page
        assert Enrolment.objects.get().related_record_id == deal.pk
        assert "For Carla Contact, related to this record." in read(rep, deal)

    def test_ones_own_is_ended(self, rep: Client, people: People, record: Record, play: Play) -> None:
        enrolment = plays.enrol(play, record, people.rep)
        page = send(rep, record, f"plays/{enrolment.uuid}/end/")
        assert "Renewal is ended for this record" in page
        assert "by you, ended" in page
        assert set(Task.objects.values_list("state", flat=True)) == {TaskState.SKIPPED}
        assert "was ended already" in send(rep, record, f"plays/{enrolment.uuid}/end/")

    def test_others_are_not_seen_and_not_ended(self, rep: Client, people: People, record: Record, play: Play) -> None:
        enrolment = plays.enrol(play, record, people.other_rep)
        page = read(rep, record)
        assert "Renewal" not in page
        assert "1 more runs" in page
        assert rep.post(f"/records/{record.uuid}/plays/{enrolment.uuid}/end/").status_code == 404
        assert "by Sven Stranger" in read(logged_in(people.other_manager), record)
        assert Enrolment.objects.running().count() == 1

    def test_more_than_a_page_shows_are_not_said_to_be_others(
        self, rep: Client, people: People, record: Record, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(record_page, "_OPEN_SHOWN", 1)
        for _number in range(2):
            plays.enrol(PlayStepFactory.create().play, record, people.rep)
        assert "of people outside your sight" not in read(rep, record)

    def test_an_enrolment_of_another_record_is_none_here(
        self, rep: Client, people: People, record: Record, play: Play
    ) -> None:
        enrolment = plays.enrol(play, RecordFactory.create(), people.rep)
        assert rep.post(f"/records/{record.uuid}/plays/{enrolment.uuid}/end/").status_code == 404


def test_users_are_named_by_what_they_may_see(people: People) -> None:
    """Nobody of another team comes into sight through a shared record."""
    record = RecordFactory.create(owner=UserFactory.create(name="Hidden Owner"))
    done(people.other_rep, record, "Hidden words")
    plays_of = EnrolmentFactory.create(record=record, user=people.other_rep)
    for page in ("", "log/call/", "start-play/"):
        words = read(logged_in(people.rep), record, page)
        assert not [hidden for hidden in ("Hidden", "Sven", str(plays_of.play)) if hidden in words]
