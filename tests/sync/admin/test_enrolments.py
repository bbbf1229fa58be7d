"""Who is where: scoped to the manager's teams, filtered, and ended by hand."""

from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync import plays
from sync.enums import TaskState
from sync.models import Enrolment, Play, Task
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory
from tests.people import People, logged_in

ENROLMENTS = "/manager/sync/enrolment/"


@pytest.fixture
def play(people: People) -> Play:
    play = PlayFactory.create(name="Renewal")
    for position, name in enumerate(("Announce", "Call", "Offer"), start=1):
        PlayStepFactory.create(play=play, position=position, name=name, day_offset=position * 7)
    return play


def enrolled(play: Play, user: User, name: str, done: int = 0, **fields: Any) -> Enrolment:
    """An enrolment of which so many steps are completed."""
    enrolment = plays.enrol(play, RecordFactory.create(name=name, **fields), user)
    for task in enrolment.tasks.order_by("step__position")[:done]:
        Task.objects.filter(pk=task.pk).update(state=TaskState.COMPLETED, completed_at=timezone.now())
    plays.end_finished(enrolment.tasks.all())
    return enrolment


def names(client: Client, query: str = "") -> list[str]:
    return [str(each.record) for each in client.get(f"{ENROLMENTS}{query}").context["cl"].result_list]


def test_managers_see_their_teams_and_of_others_a_count(people: People, play: Play) -> None:
    enrolled(play, people.rep, "Hana")
    enrolled(play, people.other_rep, "Sven's")
    enrolled(other_play(), people.other_rep, "X")
    client = logged_in(people.manager)
    assert names(client) == ["Hana"]
    assert client.get(ENROLMENTS).context["outside"] == 2
    page = client.get(f"{ENROLMENTS}?play={play.uuid}")
    assert page.context["outside"] == 1
    assert "1 more runs outside your teams." in page.content.decode()
    assert "Sven" not in page.content.decode()
    assert sorted(names(logged_in(people.admin))) == ["Hana", "Sven's", "X"]
    assert logged_in(people.rep).get(ENROLMENTS).status_code == 403


def other_play() -> Play:
    return PlayStepFactory.create().play


def test_strangers_enrolments_have_no_page(people: People, play: Play) -> None:
    enrolment = enrolled(play, people.other_rep, "Sven's")
    client = logged_in(people.manager)
    assert client.get(f"{ENROLMENTS}{enrolment.uuid}/change/").status_code == 302
    assert client.post(f"{ENROLMENTS}{enrolment.uuid}/end/").status_code == 404
    chosen = {"action": "end_chosen", "_selected_action": enrolment.pk, "index": 0, "confirmed": "yes"}
    client.post(ENROLMENTS, chosen)
    assert Enrolment.objects.running().count() == 1


@pytest.mark.parametrize("forged", ["abc", "9" * 30, "-1", "\0", "²"])
def test_a_forged_choice_of_rows_is_a_bad_request(people: People, forged: str) -> None:
    chosen = {"action": "end_chosen", "_selected_action": forged, "index": 0}
    assert logged_in(people.manager).post(ENROLMENTS, chosen).status_code == 400


def test_how_far_each_is(people: People, play: Play) -> None:
    for done in (0, 1, 3):
        enrolled(play, people.rep, f"{done} done", done)
    Task.objects.filter(record__name="1 done").update(due_on=timezone.localdate() - timedelta(days=3))
    html = logged_in(people.manager).get(ENROLMENTS).content.decode()
    for words in ("0 of 3", "1 of 3", "3 of 3", "overdue since", "due on", "Running", "Finished"):
        assert words in html, words


def test_filters(people: People, play: Play) -> None:
    for done in (0, 1, 3):
        enrolled(play, people.rep, f"{done} done", done)
    plays.end_enrolment(enrolled(play, people.colleague, "given up"), people.manager)
    enrolled(other_play(), people.rep, "elsewhere")
    Task.objects.filter(record__name="1 done").update(due_on=timezone.localdate() - timedelta(days=3))
    client = logged_in(people.manager)
    second = play.steps.get(position=2)
    cases = {
        f"?play={play.uuid}": {"0 done", "1 done", "3 done", "given up"},
        f"?play={play.uuid}&state=running": {"0 done", "1 done"},
        "?state=ended": {"3 done", "given up"},
        "?state=finished": {"3 done"},
        "?state=by_hand": {"given up"},
        "?due=overdue": {"1 done"},
        "?due=today": {"1 done", "elsewhere"},
        f"?play={play.uuid}&step={second.pk}": {"1 done"},
        f"?user={people.colleague.uuid}": {"given up"},
        "?q=given": {"given up"},
        "?play=nonsense&state=nonsense&due=x&step=x": {"0 done", "1 done", "3 done", "given up", "elsewhere"},
        f"?play={play.uuid}&step=999": {"0 done", "1 done", "3 done", "given up"},
    }
    assert {query: set(names(client, query)) for query in cases} == cases


def test_found_by_crm_id(people: People, play: Play) -> None:
    enrolment = enrolled(play, people.rep, "Hana")
    enrolled(play, people.rep, "Other")
    assert names(logged_in(people.manager), f"?q={enrolment.record.crm_id}") == ["Hana"]


def test_its_page_shows_each_step(people: People, play: Play) -> None:
    enrolment = enrolled(play, people.rep, "Hana", 1)
    html = logged_in(people.manager).get(f"{ENROLMENTS}{enrolment.uuid}/change/").content.decode()
    assert "2 steps are still open" in html
    assert [html.count(f">{name}<") > 0 for name in ("Announce", "Call", "Offer")] == [True, True, True]


def test_one_is_ended_on_its_page(people: People, play: Play) -> None:
    enrolment = enrolled(play, people.rep, "Hana", 1)
    client = logged_in(people.manager)
    response = client.post(f"{ENROLMENTS}{enrolment.uuid}/end/", {"reason": "Moved\0 away"}, follow=True)
    assert [str(each) for each in response.context["messages"]] == [
        "1 enrolment was ended; its open tasks were skipped."
    ]
    enrolment.refresh_from_db()
    assert (enrolment.ended_by, enrolment.end_reason) == (people.manager, "Moved away")
    entry = LogEntry.objects.get(content_type__model="enrolment")
    assert (entry.actor, entry.changes) == (people.manager, {"ended": ["", "Moved away"]})
    again = client.post(f"{ENROLMENTS}{enrolment.uuid}/end/", follow=True)
    assert [str(each) for each in again.context["messages"]] == [
        "There was nothing to end: none of them runs any more."
    ]
    assert client.get(f"{ENROLMENTS}{enrolment.uuid}/end/").status_code == 405
    assert "End</button>" not in client.get(f"{ENROLMENTS}{enrolment.uuid}/change/").content.decode()


def test_a_selection_is_ended_once_it_was_confirmed(people: People, play: Play) -> None:
    chosen = [enrolled(play, people.rep, name).pk for name in ("Hana", "Daniel")]
    enrolled(play, people.rep, "Other")
    client = logged_in(people.manager)
    data = {"action": "end_chosen", "_selected_action": chosen, "index": 0}
    page = client.post(ENROLMENTS, data)
    assert (page.context["count"], page.context["open_tasks"]) == (2, 6)
    assert Enrolment.objects.running().count() == 3
    client.post(ENROLMENTS, {**data, "confirmed": "yes", "reason": "Over"})
    assert [str(each.record) for each in Enrolment.objects.running()] == ["Other"]
    assert set(Enrolment.objects.filter(pk__in=chosen).values_list("end_reason", flat=True)) == {"Over"}


def test_all_that_match_are_ended(people: People, play: Play) -> None:
    for name in ("Hana", "Daniel"):
        enrolled(play, people.rep, name)
    enrolled(other_play(), people.rep, "Other")
    client, url = logged_in(people.manager), f"{ENROLMENTS}?play={play.uuid}"
    data = {"action": "end_chosen", "_selected_action": 0, "index": 0, "select_across": "1"}
    assert 'name="select_across" value="1"' in client.post(url, data).content.decode()
    client.post(url, {**data, "confirmed": "yes"})
    assert [str(each.record) for each in Enrolment.objects.running()] == ["Other"]


@pytest.mark.parametrize("count", [3, 30])
def test_queries_do_not_grow(
    people: People, play: Play, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        enrolled(play, people.rep, f"Record {number}", number % 3)
    client, url = logged_in(people.manager), f"{ENROLMENTS}?play={play.uuid}&state=running&due=today"
    client.get(url)
    Task.objects.update(due_on=timezone.localdate())
    with django_assert_num_queries(13):
        assert len(names(client, f"?play={play.uuid}&state=running&due=today")) == count
