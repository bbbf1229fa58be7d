"""Handing tasks in: what is stored once, what is refused with which words, and how often the database is asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from blacklist.models import RuleKind
from sync import plays
from sync.api.schemas import TaskIn
from sync.enums import CallDirection, LinkChoice, RecordKind, TaskKind, TaskSource, TaskState
from sync.models import Decision, OutboxRow, ReceivedTask, Record, Task
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, UserFactory, crm_id, the_connection
from tests.people import People
from tests.sync.api.conftest import Dialer, call, dialer_of, make_rule, track_and_sync

pytestmark = pytest.mark.django_db


def test_a_call_is_stored_with_all_that_was_said(dialer: Dialer, people: People) -> None:
    record = RecordFactory.create()
    account = RecordFactory.create(kind=RecordKind.ACCOUNT)
    said = call(
        people.rep,
        description="Wants skis.",
        completed_at="2025-03-31T14:05:00+02:00",
        record=record.crm_id[:15],
        related_record=account.crm_id,
        phone_number="(415) 555-0132",
        call={"direction": "inbound", "duration_seconds": 61.0, "disposition": "Interested"},
    )
    answer = dialer.post(said)
    task = Task.objects.get()
    assert answer == {
        "index": 0,
        "key": "call-1",
        "id": str(task.uuid),
        "state": "waiting",
        "created": True,
        "errors": [],
    }
    assert (task.user, task.kind, task.state, task.source) == (
        people.rep,
        TaskKind.CALL,
        TaskState.COMPLETED,
        TaskSource.API,
    )
    assert (task.subject, task.description) == ("Discovery call", "Wants skis.")
    assert task.completed_at == datetime(2025, 3, 31, 12, 5, tzinfo=UTC)
    assert (task.record, task.related_record, task.who, task.what) == (record, account, record, account)
    assert (task.phone_number, task.phone_e164) == ("(415) 555-0132", "+14155550132")
    assert (task.call_direction, task.call_duration_seconds, task.call_disposition) == (
        CallDirection.INBOUND,
        61,
        "Interested",
    )
    assert OutboxRow.objects.get().task == task
    received = ReceivedTask.objects.get()
    assert (received.sender, received.key, received.task, received.uuid, received.user) == (
        dialer.sender,
        "call-1",
        task,
        task.uuid,
        people.rep,
    )
    assert "skis" not in received.digest


def test_what_is_missing_null_or_empty_is_the_same(dialer: Dialer, people: People) -> None:
    first = dialer.post(call(people.rep))
    empty: dict[str, Any] = {
        "description": "",
        "completed_at": None,
        "record": "",
        "call": {"disposition": ""},
        "play": None,
    }
    assert dialer.post(call(people.rep, **empty)) == {**first, "created": False}


def test_the_same_key_gives_the_same_task_and_writes_nothing(dialer: Dialer, people: People) -> None:
    said = call(people.rep, completed_at="2025-03-31T14:05:00+02:00", phone_number="+1 415 555 0132")
    first = dialer.post(said)
    otherwise = {
        **said,
        "user": f" {people.rep.email.upper()} ",
        "subject": " Discovery call ",
        "completed_at": "2025-03-31 12:05Z",
    }
    with CaptureQueriesContext(database) as queries:
        assert dialer.post(otherwise) == {**first, "created": False}
    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert dialer.post([otherwise, said]) == [
        {**first, "created": False},
        {**first, "index": 1, "created": False},
    ]
    assert (Task.objects.count(), OutboxRow.objects.count(), ReceivedTask.objects.count()) == (1, 0, 1)


def test_the_same_key_with_another_body_is_an_error(dialer: Dialer, people: People) -> None:
    dialer.post(call(people.rep))
    problem = dialer.post(call(people.rep, subject="Another call"), 409)
    assert (problem["code"], problem["errors"][0]["field"]) == ("key_conflict", "key")
    one, other = dialer.post([call(people.rep, description="More"), call(people.rep, "call-2")])
    assert (one["id"], one["state"], [error["code"] for error in one["errors"]]) == (None, None, ["key_conflict"])
    assert other["created"]
    assert Task.objects.count() == 2


def test_a_key_is_its_senders_own(dialer: Dialer, people: People) -> None:
    other = dialer_of("Another")
    assert dialer.post(call(people.rep))["id"] != other.post(call(people.rep, subject="Other"))["id"]


def test_a_new_secret_leaves_the_keys(dialer: Dialer, people: People, settings: Any) -> None:
    """What was hashed with the old one can't be compared any more; the key alone counts."""
    first = dialer.post(call(people.rep))
    settings.SECRET_KEY = "another" * 10
    assert dialer.post(call(people.rep, subject="Other")) == {**first, "created": False}


def test_a_key_twice_in_a_list(dialer: Dialer, people: People) -> None:
    first, same, other = dialer.post([call(people.rep), call(people.rep), call(people.rep, subject="Other")])
    assert (first["created"], same["created"], same["id"], same["state"]) == (True, False, first["id"], "waiting")
    assert [error["code"] for error in other["errors"]] == ["key_conflict"]
    bad, same = dialer.post([call(people.rep, "k", subject=""), call(people.rep, "k", subject="")])
    assert bad["errors"] == same["errors"] != []
    assert Task.objects.count() == 1


def test_a_bad_item_does_not_stop_the_others(dialer: Dialer, people: People) -> None:
    answers = dialer.post(
        [
            call(people.rep, "1"),
            call(people.rep, "2", completed_at="2025-03-31T14:05:00"),
            5,
            call(people.rep, "3", call={"duration_seconds": -1}),
            {"kind": "call"},
            call(people.rep, "4"),
        ]
    )
    assert [one["index"] for one in answers] == list(range(6))
    assert [one["created"] for one in answers] == [True, False, False, False, False, True]
    codes = [{error["field"]: error["code"] for error in one["errors"]} for one in answers]
    assert codes[1:5] == [
        {"completed_at": "naive"},
        {"": "type"},
        {"call.duration_seconds": "out_of_range"},
        {"key": "required", "user": "required", "subject": "required"},
    ]
    assert set(Task.objects.values_list("received__key", flat=True)) == {"1", "4"}
    assert dialer.post(call(people.rep, "2"))["created"], "a key that was refused is free"


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"key": ""}, {"key": "required"}),
        ({"key": None}, {"key": "type"}),
        ({"key": 5}, {"key": "type"}),
        ({"key": "k" * 256}, {"key": "too_long"}),
        ({"key": " k"}, {"key": "malformed"}),
        ({"key": "ключ"}, {"key": "malformed"}),
        ({"key": "k\0"}, {"key": "malformed"}),
        ({"key": "\ud800"}, {"key": "surrogate"}),
        ({"kind": "fax"}, {"kind": "choice"}),
        ({"kind": None}, {"kind": "choice"}),
        ({"user": "nobody@example.com"}, {"user": "unknown"}),
        ({"user": "no-id"}, {"user": "unknown"}),
        ({"user": "\0@example.com"}, {"user": "unknown"}),
        ({"user": ["rosa@example.com"]}, {"user": "type"}),
        ({"subject": None}, {"subject": "required"}),
        ({"subject": " \n"}, {"subject": "required"}),
        ({"subject": "s" * 1001}, {"subject": "too_long"}),
        ({"subject": "a\0b"}, {"subject": "nul"}),
        ({"subject": "\udfff"}, {"subject": "surrogate"}),
        ({"subject": 5}, {"subject": "type"}),
        ({"description": {}}, {"description": "type"}),
        ({"description": "a\0"}, {"description": "nul"}),
        ({"completed_at": "yesterday"}, {"completed_at": "malformed"}),
        ({"completed_at": "2025-02-30T10:00:00Z"}, {"completed_at": "malformed"}),
        ({"completed_at": "2025-03-31T14:05:00"}, {"completed_at": "naive"}),
        ({"completed_at": "2999-03-31T14:05:00Z"}, {"completed_at": "future"}),
        ({"completed_at": "1999-03-31T14:05:00Z"}, {"completed_at": "too_early"}),
        ({"completed_at": "0001-01-01T00:00:00+14:00"}, {"completed_at": "out_of_range"}),
        ({"completed_at": 1743422700}, {"completed_at": "type"}),
        ({"record": "123"}, {"record": "malformed"}),
        ({"record": "003000000000001AA0"}, {"record": "malformed"}),
        ({"record": crm_id("00T", 1)}, {"record": "other_object"}),
        ({"record": crm_id("500", 1)}, {"record": "cases_off"}),
        ({"related_record": "x" * 19}, {"related_record": "malformed"}),
        ({"phone_number": "call me"}, {"phone_number": "malformed"}),
        ({"phone_number": "1" * 65}, {"phone_number": "too_long"}),
        ({"phone_number": 4155550132}, {"phone_number": "type"}),
        ({"email_address": "hana@example.com"}, {"email_address": "not_an_email"}),
        ({"kind": "email", "email_address": "hana"}, {"email_address": "malformed"}),
        ({"kind": "email", "call": {"direction": "inbound"}}, {"call.direction": "not_a_call"}),
        ({"kind": "other", "phone_number": "+14155550132"}, {"phone_number": "not_a_call"}),
        ({"kind": "track_and_sync"}, {"email_address": "required"}),
        ({"call": "inbound"}, {"call": "type"}),
        ({"call": {"direction": "up"}}, {"call.direction": "choice"}),
        ({"call": {"duration_seconds": 2**31}}, {"call.duration_seconds": "out_of_range"}),
        ({"call": {"duration_seconds": 10**4000}}, {"call.duration_seconds": "out_of_range"}),
        ({"call": {"duration_seconds": 1.5}}, {"call.duration_seconds": "type"}),
        ({"call": {"duration_seconds": 1e300}}, {"call.duration_seconds": "out_of_range"}),
        ({"call": {"duration_seconds": "60"}}, {"call.duration_seconds": "type"}),
        ({"call": {"duration_seconds": True}}, {"call.duration_seconds": "type"}),
        ({"call": {"disposition": "d" * 256}}, {"call.disposition": "too_long"}),
        ({"call": {"mood": "good"}}, {"call.mood": "unknown_field"}),
        ({"subjekt": "x"}, {"subjekt": "unknown_field"}),
        ({"\ud800": "x"}, {"": "surrogate"}),
        ({"play": "Nowhere", "play_step": "1"}, {"play": "unknown"}),
        ({"play": "Nowhere"}, {"play": "unknown", "play_step": "required"}),
        ({"play_step": "1"}, {"play": "required"}),
        ({"play": "\0", "play_step": "1"}, {"play": "unknown"}),
    ],
)
def test_each_field_says_what_is_wrong_with_it(
    dialer: Dialer, people: People, said: dict[str, Any], codes: dict[str, str]
) -> None:
    the_connection()
    assert dialer.refused({**call(people.rep), **said}) == codes
    assert not Task.objects.exists()
    assert not ReceivedTask.objects.exists()
    assert not Record.objects.exists()


def test_all_that_is_wrong_is_said_at_once(dialer: Dialer, people: People) -> None:
    bad = {**call(people.rep), "user": "nobody@example.com", "subject": " ", "call": {"duration_seconds": "75"}}
    assert dialer.refused(bad) == {"call.duration_seconds": "type", "user": "unknown", "subject": "required"}
    bad = {**call(people.rep), "subject": None, "completed_at": "yesterday"}
    assert dialer.refused(bad).keys() == {"completed_at", "subject"}
    assert dialer.refused({**bad, "play_step": "1"}).keys() == {"completed_at"}
    assert dialer.refused({**bad, "user": 5, "subject": 5}).keys() == {"user", "subject"}


def test_messages_are_for_people_and_never_repeat_what_was_said(dialer: Dialer, people: People) -> None:
    problem = dialer.post(call(people.rep, subjekt="secret", kind="secret", completed_at="secret"), 422)
    assert problem["title"] == "Unprocessable Entity"
    assert "secret" not in str(problem)
    assert [error["message"] for error in problem["errors"]] == [
        "Choose one of: 'call', 'email', 'track_and_sync' or 'other'.",
        "There is no such field. There are: " + ", ".join(TaskIn.model_fields) + ".",
    ]


def test_not_more_than_twenty_errors_of_one_item(dialer: Dialer, people: People) -> None:
    fields: dict[str, Any] = {f"field{number}": 1 for number in range(1000)}
    assert len(dialer.post(call(people.rep, **fields), 422)["errors"]) == 20


def test_a_user_is_named_by_address_or_crm_id(dialer: Dialer, people: People) -> None:
    assert people.rep.crm_user_id is not None
    for number, name in enumerate((people.rep.crm_user_id, people.rep.crm_user_id[:15], people.rep.email.upper())):
        dialer.post({**call(people.rep, str(number)), "user": name})
    assert set(Task.objects.values_list("user", flat=True)) == {people.rep.pk}


def test_of_a_team_only_its_active_users_are_known(people: People) -> None:
    """Of the others nothing is told, not even that they are there."""
    dialer = dialer_of(team=people.north)
    User.objects.filter(pk=people.colleague.pk).update(is_active=False)
    unknown = dialer.post({**call(people.rep), "user": "nobody@example.com"}, 422)
    for other in (people.other_rep, people.colleague, people.admin):
        assert dialer.post(call(other), 422) == unknown
    assert dialer.post({**call(people.rep), "user": people.other_rep.crm_user_id}, 422) == unknown
    assert dialer.post(call(people.rep))["created"]


def test_a_step_completes_the_open_task_of_its_record(dialer: Dialer, people: People) -> None:
    play = PlayFactory.create(name="Winter")
    PlayStepFactory.create(play=play, name="First call")
    PlayStepFactory.create(play=play, name="Mail", kind=TaskKind.EMAIL)
    record = RecordFactory.create()
    enrolment = plays.enrol(play, record, people.rep)
    open_task = enrolment.tasks.get(step__name="First call")
    said = {
        "key": "1",
        "kind": "call",
        "user": people.rep.email,
        "play": "winter",
        "play_step": "first call",
        "record": record.crm_id,
    }
    assert dialer.post(said)["id"] == str(open_task.uuid)
    open_task.refresh_from_db()
    assert (open_task.state, open_task.subject) == (TaskState.COMPLETED, "First call")
    answer = dialer.post({**said, "key": "2"})
    again = Task.objects.get(uuid=answer["id"])
    assert (again.enrolment, again.step, again.link_choice) == (None, open_task.step, LinkChoice.PLAY)
    assert dialer.refused({**said, "key": "3", "play_step": "mail"}) == {"kind": "other_kind"}


def test_a_record_that_nobody_knew_yet_is_kept_by_its_id(dialer: Dialer, people: People) -> None:
    the_connection()
    dialer.post(call(people.rep, record=crm_id("003", 1), related_record=crm_id("001", 1)))
    assert [(r.kind, r.fetched_at) for r in Record.objects.order_by("pk")] == [("account", None), ("contact", None)]


def test_a_record_without_a_connection_is_refused(dialer: Dialer, people: People) -> None:
    assert dialer.refused(call(people.rep, record=crm_id("003", 1))) == {"record": "not_connected"}
    assert dialer.post(call(people.rep))["state"] == "waiting"


def test_track_and_sync_follows_the_company_blacklist(dialer: Dialer, people: People) -> None:
    rule = make_rule("rival.example", RuleKind.DOMAIN)
    answer = dialer.post(track_and_sync(people.rep, description="Our secret offer"))
    assert (answer["state"], answer["created"], answer["errors"]) == ("stopped", True, [])
    received = ReceivedTask.objects.get()
    assert (received.task, received.user, received.stopped_by) == (
        None,
        people.rep,
        {"list": "company", "rule": rule.pk},
    )
    assert not Task.objects.exists()
    assert not Decision.objects.exists()
    assert not Record.objects.exists()
    assert dialer.post(track_and_sync(people.rep, description="Our secret offer")) == {**answer, "created": False}


def test_track_and_sync_follows_the_users_own_blacklist(dialer: Dialer, people: People) -> None:
    make_rule("skis", RuleKind.KEYWORD, people.rep)
    stopped, passed = dialer.post([track_and_sync(people.rep), track_and_sync(people.other_rep, "mail-2")])
    assert (stopped["state"], passed["state"]) == ("stopped", "waiting")
    task = Task.objects.get()
    assert (task.kind, task.is_track_and_sync, task.email_address) == (TaskKind.EMAIL, True, "hana@rival.example")


def test_the_outlook_plug_in_is_exempt(people: People) -> None:
    make_rule("rival.example", RuleKind.DOMAIN)
    assert dialer_of(is_outlook_plugin=True).post(track_and_sync(people.rep))["state"] == "waiting"


def test_an_ordinary_e_mail_is_no_matter_of_blacklists(dialer: Dialer, people: People) -> None:
    make_rule("rival.example", RuleKind.DOMAIN)
    answer = dialer.post(track_and_sync(people.rep, kind="email"))
    assert answer["state"] == "waiting"
    assert not Task.objects.get().is_track_and_sync


def test_what_would_be_stopped_must_make_sense_as_well(dialer: Dialer, people: People) -> None:
    make_rule("rival.example", RuleKind.DOMAIN)
    assert dialer.refused(track_and_sync(people.rep, subject="")) == {"subject": "required"}
    assert not ReceivedTask.objects.exists()


def asked(queries: CaptureQueriesContext) -> list[str]:
    """The statements, each INSERT once: SQLite takes it in parts of 999 values."""
    heads = [query["sql"].split(" VALUES ")[0][:120] for query in queries]
    return [head for head, last in zip(heads, ["", *heads], strict=False) if head != last or "INSERT" not in head]


@pytest.mark.parametrize("count", [1, 1000])
def test_one_and_a_thousand_ask_equally_often(people: People, count: int) -> None:
    dialer = dialer_of(team=people.north)
    the_connection()
    play = PlayStepFactory.create(name="Call").play
    dialer.post(call(people.rep, "before"))
    users = [people.rep, *UserFactory.create_batch(min(count, 20), team=people.north)]
    tasks = [
        call(
            users[number % len(users)],
            str(number),
            record=crm_id("003", number),
            play=play.name,
            play_step="Call",
            phone_number="+14155550132",
        )
        for number in range(count)
    ]
    with CaptureQueriesContext(database) as queries:
        answers = dialer.post(tasks)
    assert all(one["created"] for one in answers)
    # The token, its keys, users, plays, steps and their open tasks; what completing asks; and four for transactions.
    assert len(asked(queries)) == 20, "\n".join(asked(queries))


@pytest.mark.parametrize("count", [1, 300])
def test_mails_ask_equally_often_however_many_users(dialer: Dialer, people: People, count: int) -> None:
    users = UserFactory.create_batch(count)
    for user in users:
        make_rule("skis", RuleKind.KEYWORD, user)
    make_rule("rival.example", RuleKind.DOMAIN)
    dialer.post(call(people.rep, "before"))
    mails = [track_and_sync(user, str(number)) for number, user in enumerate(users)]
    with CaptureQueriesContext(database) as queries:
        answers = dialer.post(mails)
    assert {one["state"] for one in answers} == {"stopped"}
    assert len(asked(queries)) == 10, asked(queries)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("as_list", [False, True])
def test_equal_keys_at_once_make_one_task(people: People, as_list: bool) -> None:
    dialer = dialer_of()
    step = PlayStepFactory.create(name="Call")
    record = RecordFactory.create()
    plays.enrol(step.play, record, people.rep)
    said = call(people.rep, record=record.crm_id, play=step.play.name, play_step="Call")
    body = [call(people.rep, "b"), said, call(people.rep, "a")] if as_list else said
    at_once = threading.Barrier(4)

    def post(_number: int) -> Any:
        at_once.wait()
        try:
            return dialer_like(dialer).post(body)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(post, range(4)))
    flat = [one for answer in answers for one in (answer if as_list else [answer])]
    assert {error["code"] for one in flat for error in one["errors"]} == set()
    assert len({one["id"] for one in flat}) == (3 if as_list else 1)
    assert Task.objects.count() == ReceivedTask.objects.count() == (3 if as_list else 1)
    assert sum(one["created"] for one in flat) == (3 if as_list else 1)


def dialer_like(dialer: Dialer) -> Dialer:
    return Dialer(dialer.sender, dialer.token, dialer.text)
