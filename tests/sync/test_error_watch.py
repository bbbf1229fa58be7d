"""Who is told of errors that are new or growing: once a cause, and never a flood (B6)."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from sync import error_watch, outbox
from sync.enums import FailureMode, OutboxState
from sync.error_watch import Place
from sync.errors import RowError
from sync.models import Connection, OutboxRow, ToldError
from teams import notices
from teams.models import Notice, NoticeKind, User
from tests.factories import ConnectionFactory
from tests.people import People, people
from tests.sync.failing import BUSY, LONG, RULE, answer_due, refuse

__all__ = ["people"]

NOW = timezone.now()


@pytest.fixture
def org(people: People) -> Connection:
    return ConnectionFactory.create()


def told(user: User) -> list[str]:
    """What stands unread, oldest first."""
    return list(Notice.objects.filter(user=user).unread().order_by("pk").values_list("title", flat=True))


def watch(times: int = 1) -> int:
    return sum(error_watch.watch(timezone.now()) for _time in range(times))


@pytest.mark.parametrize(
    ("tasks", "told_at", "is_news"),
    [
        (1, None, True),
        (1, 1, False),
        (9, 1, False),  # doubled, but few
        (10, 5, True),
        (10, 6, False),
        (19, 10, False),
        (20, 10, True),
        (5, 10, False),
    ],
)
def test_b6_news_is_what_is_new_or_has_doubled(tasks: int, told_at: int | None, is_news: bool) -> None:
    place: Place = ("a", 1)
    assert error_watch.news({place: tasks}, {} if told_at is None else {place: told_at}) == (
        {place} if is_news else set()
    )


def test_b6_a_new_error_is_told_once_to_admins_and_the_managers_whose_teams_meet_it(
    org: Connection, people: People
) -> None:
    refuse(org, people.rep, RULE, 3)
    watch(2)
    title = f"The CRM refuses 3 tasks: {RULE.code}"
    assert (told(people.admin), told(people.manager)) == ([title], [title])
    assert [told(user) for user in (people.other_manager, people.colleague, people.rep)] == [[], [], []]
    notice = Notice.objects.get(user=people.manager)
    [signature] = OutboxRow.objects.values_list("signature", flat=True).distinct()
    assert notice.path == f"/manager/settings/crm/task-sync/errors/#error-{signature}"
    assert (notice.kind, notice.text) == (NoticeKind.ERRORS, RULE.message)


def test_b6_each_manager_hears_of_their_own_teams_tasks(org: Connection, people: People) -> None:
    refuse(org, people.rep, RULE, 3)
    refuse(org, people.other_rep, RULE)
    watch()
    titles = [told(user) for user in (people.admin, people.manager, people.other_manager)]
    assert titles == [
        [f"The CRM refuses 4 tasks: {RULE.code}"],
        [f"The CRM refuses 3 tasks: {RULE.code}"],
        [f"The CRM refuses 1 task: {RULE.code}"],
    ]


def test_an_error_that_reaches_another_team_is_news_there(org: Connection, people: People) -> None:
    refuse(org, people.rep, RULE, 3)
    watch()
    refuse(org, people.other_rep, RULE)
    watch()
    assert told(people.other_manager) == [f"The CRM refuses 1 task: {RULE.code}"]
    assert len(told(people.admin)) == 1


def test_once_per_cause_while_unread_and_again_when_it_has_grown(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG, 5)
    watch()
    refuse(org, people.rep, LONG, 5)
    watch()
    assert told(people.manager) == [f"The CRM refuses 5 tasks: {LONG.code}"]
    notices.read(people.manager)
    refuse(org, people.rep, LONG, 9)
    watch()
    assert told(people.manager) == []  # not doubled since it was counted last
    refuse(org, people.rep, LONG, 1)
    watch(2)
    assert told(people.manager) == [f"The CRM refuses 20 tasks: {LONG.code}"]


def test_a_value_that_the_crm_quotes_makes_neither_a_cause_of_its_own_nor_a_notice_without_end(
    org: Connection, people: People
) -> None:
    for subject in ("a " * 400, "b " * 400):
        message = f"Subject: data value too large: {subject} (max length=255)"
        refuse(org, people.rep, RowError(FailureMode.DATA, "STRING_TOO_LONG", message, ("Subject",)))
    watch()
    assert told(people.manager) == ["The CRM refuses 2 tasks: STRING_TOO_LONG"]
    assert len(Notice.objects.get(user=people.manager).text) == 300


def test_many_new_causes_at_once_are_one_notice(org: Connection, people: People) -> None:
    for number in range(4):
        refuse(org, people.rep, RowError(FailureMode.DATA, f"CODE_{'X' * number}", ""))
    watch(2)
    title = "The CRM refuses tasks for 4 reasons that are new or growing"
    assert (told(people.admin), told(people.manager)) == ([title], [title])
    assert Notice.objects.get(user=people.admin).path == "/manager/settings/crm/task-sync/errors/"


def test_what_goes_on_by_itself_is_nobodys_news_until_it_is_given_up(org: Connection, people: People) -> None:
    refuse(org, people.rep, BUSY)
    assert watch() == 0
    OutboxRow.objects.update(state=OutboxState.FAILED)
    watch()
    assert told(people.manager) == [f"The CRM refuses 1 task: {BUSY.code}"]


def test_an_error_that_is_gone_needs_nobody_any_more(org: Connection, people: People) -> None:
    refuse(org, people.rep, LONG)
    watch()
    outbox.retry_now(OutboxRow.objects.all(), people.admin)
    answer_due(org, None)
    watch()
    assert (told(people.admin), told(people.manager)) == ([], [])


def test_an_error_that_comes_and_goes_is_told_once_a_day(org: Connection, people: People) -> None:
    def come_and_go(at: datetime) -> int:
        refuse(org, people.rep, LONG)
        given = error_watch.watch(at)
        outbox.retry_now(OutboxRow.objects.all(), people.admin)
        answer_due(org, None)
        error_watch.watch(at + timedelta(minutes=5))
        return given

    start = timezone.now()
    assert [come_and_go(start + timedelta(hours=hours)) for hours in (0, 1, 20)] == [2, 0, 0]
    later = start + timedelta(hours=45)
    error_watch.watch(later)
    assert ToldError.objects.count() == 0
    assert come_and_go(later + timedelta(minutes=10)) == 2


def test_a_user_without_a_team_concerns_the_admins(org: Connection, people: People) -> None:
    refuse(org, people.admin, LONG)
    watch()
    assert (len(told(people.admin)), len(told(people.manager))) == (1, 0)


def test_an_admin_who_manages_a_team_is_told_once(org: Connection, people: People) -> None:
    people.north.managers.add(people.admin)
    refuse(org, people.rep, LONG, 2)
    assert watch() == 2
    assert len(told(people.admin)) == 1
