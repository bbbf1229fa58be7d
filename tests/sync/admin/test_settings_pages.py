"""The settings about the CRM: the outbox, troubles, the connection and the queue's jobs, and who may see which."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django_q.models import Failure, Schedule
from pytest_django import DjangoAssertNumQueries

from sync.enums import FailureMode, OutboxState
from sync.models import OutboxRow, Trouble
from tests.people import logged_in
from tests.sync.admin.conftest import NOON, World, make_task

OUTBOX = "/manager/sync/outboxrow/"


@pytest.fixture
def trouble(world: World) -> Trouble:
    trouble = Trouble.objects.create(
        connection=world.connection,
        signature="s",
        failure_mode=FailureMode.CONFIGURATION,
        error_code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
        error_message="Calls need a result.",
        first_at=NOON,
        next_probe_at=NOON,
    )
    OutboxRow.objects.filter(pk=world.row.pk).update(
        state=OutboxState.PENDING, trouble=trouble, failure_mode=FailureMode.CONFIGURATION
    )
    return trouble


def test_outbox_is_the_viewers(world: World) -> None:
    client = logged_in(world.people.manager)
    assert [row.pk for row in client.get(OUTBOX).context["cl"].result_list] == [world.row.pk]
    assert client.get(f"{OUTBOX}{world.row.uuid}/change/").status_code == 200
    assert client.get(f"{OUTBOX}{world.other_row.uuid}/change/").status_code == 302
    assert client.get(f"{OUTBOX}{world.other_row.pk}/change/").status_code == 302
    html = client.get(OUTBOX).content.decode()
    assert [html.count(word) > 0 for word in ("Rosa Rep", "Sven Stranger")] == [True, False]


@pytest.mark.parametrize(("action", "state"), [("retry_now", "pending"), ("cancel", "cancelled")])
def test_outbox_actions_by_forged_post_reach_ones_own_teams_only(world: World, action: str, state: str) -> None:
    both = [world.row.pk, world.other_row.pk]
    data = {"action": action, ACTION_CHECKBOX_NAME: both, "select_across": "1", "confirmed": "yes"}
    assert logged_in(world.people.manager).post(OUTBOX, data).status_code == 302
    world.row.refresh_from_db()
    world.other_row.refresh_from_db()
    assert (world.row.state, world.other_row.state) == (state, OutboxState.FAILED)


def test_outbox_list_queries_do_not_grow(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(world.people.admin)
    client.get(OUTBOX)
    with django_assert_num_queries(11):
        client.get(OUTBOX)
    make_task(world.connection, world.people.rep, "Third", OutboxState.DONE)
    with django_assert_num_queries(11):
        assert len(client.get(OUTBOX).context["cl"].result_list) == 3


def test_trouble_says_who_acts_and_what_waits(world: World, trouble: Trouble) -> None:
    client = logged_in(world.people.admin)
    page = client.get(f"/manager/sync/trouble/{trouble.pk}/change/").content.decode()
    assert [page.count(words) for words in ("Calls need a result.", "An admin")] == [1, 1]
    [listed] = client.get("/manager/sync/trouble/?open=yes").context["cl"].result_list
    assert listed.rows_waiting == 1
    rows = client.get(f"{OUTBOX}?trouble__id__exact={trouble.pk}").context["cl"].result_list
    assert [row.pk for row in rows] == [world.row.pk]
    assert list(client.get("/manager/sync/trouble/?open=no").context["cl"].result_list) == []


def test_trouble_list_queries_do_not_grow(
    world: World, trouble: Trouble, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = logged_in(world.people.admin)
    client.get("/manager/sync/trouble/")
    with django_assert_num_queries(8):
        client.get("/manager/sync/trouble/")
    for number in (1, 2):
        trouble.pk, trouble.signature = None, str(number)
        trouble.save(force_insert=True)
    with django_assert_num_queries(8):
        assert len(client.get("/manager/sync/trouble/").context["cl"].result_list) == 3


@pytest.mark.parametrize(
    "path",
    ["settings/crm/connection/", "sync/trouble/", "django_q/schedule/", "django_q/failure/", "teams/organisation/"],
)
def test_settings_are_the_admins(world: World, path: str) -> None:
    assert logged_in(world.people.manager).get(f"/manager/{path}").status_code == 403
    assert logged_in(world.people.admin).get(f"/manager/{path}", follow=True).status_code == 200


@pytest.mark.parametrize("path", ["django_q/success/", "django_q/ormq/", "auth/group/"])
def test_pages_that_would_bypass_ours_are_not_there(world: World, path: str) -> None:
    assert logged_in(world.people.admin).get(f"/manager/{path}").status_code == 404


def test_jobs_are_shown_without_their_results(world: World) -> None:
    Schedule.objects.create(name="Deliver", func="sync.jobs.deliver", schedule_type=Schedule.MINUTES, minutes=1)
    Failure.objects.create(
        id="a" * 32, name="n", func="sync.jobs.deliver", started=NOON, stopped=NOON, result="the secret", success=False
    )
    client = logged_in(world.people.admin)
    assert client.get("/manager/django_q/schedule/").content.decode().count("sync.jobs.deliver") == 1
    for url in ("", f"{'a' * 32}/change/"):
        html = client.get(f"/manager/django_q/failure/{url}").content.decode()
        assert (html.count("sync.jobs.deliver") > 0, html.count("the secret")) == (True, 0)
    assert client.get("/manager/django_q/schedule/add/").status_code == 403


def test_outbox_page_leads_to_the_trouble_only_who_may_see_it(world: World, trouble: Trouble) -> None:
    url = f"{OUTBOX}{world.row.uuid}/change/"
    links = [
        logged_in(viewer).get(url).content.decode().count(f"/manager/sync/trouble/{trouble.pk}/change/")
        for viewer in (world.people.manager, world.people.admin)
    ]
    assert links == [0, 1]
