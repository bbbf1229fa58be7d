"""Records: shared by all teams, while the names of other teams' users are not."""

from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.enums import RecordKind
from sync.models import Record, RecordEmail, RecordPhone
from teams.crm_ids import to_18
from tests.people import logged_in
from tests.sync.admin.conftest import World

RECORDS = "/manager/sync/record/"


def names(client: Client, query: str = "") -> list[str]:
    return [str(record) for record in client.get(f"{RECORDS}{query}").context["cl"].result_list]


def test_records_are_shared_but_owners_of_other_teams_are_not_named(world: World) -> None:
    url = f"{RECORDS}{world.record.uuid}/change/"
    for page in (RECORDS, url):
        seen = [
            logged_in(viewer).get(page).content.decode().count("Sven Stranger") > 0
            for viewer in (world.people.manager, world.people.other_manager, world.people.admin)
        ]
        assert seen == [False, True, True]
    assert logged_in(world.people.rep).get(url).status_code == 403


def test_record_page_counts_the_viewers_tasks(world: World) -> None:
    url = f"{RECORDS}{world.record.uuid}/change/"
    viewers = (world.people.manager, world.people.admin)
    assert [logged_in(viewer).get(url).context["original"].seen_tasks for viewer in viewers] == [1, 2]


def test_record_search(world: World) -> None:
    RecordEmail.objects.create(record=world.record, address="carla@example.com")
    client = logged_in(world.people.manager)
    assert world.record.crm_id == "0035g00000XyZaBAAV"
    assert names(client, "?q=carla@example.com") == ["Carla Contact"]
    assert names(client, "?q=0035g00000XyZaB") == ["Carla Contact"]
    assert names(client, "?q=0035g00000XyzaB") == []
    assert names(client, "?q=nobody") == []


def test_a_record_that_the_crm_does_not_have_says_so(world: World) -> None:
    client = logged_in(world.people.manager)
    Record.objects.filter(pk=world.record.pk).update(fetched_at=None)
    assert client.get(RECORDS).content.decode().count("Not fetched yet") == 1
    Record.objects.filter(pk=world.record.pk).update(missing_since=timezone.now())
    for page in (RECORDS, f"{RECORDS}{world.record.uuid}/change/"):
        html = client.get(page).content.decode()
        assert "Not in the CRM" in html
        assert "Not fetched yet" not in html


def test_record_is_not_edited(world: World) -> None:
    client = logged_in(world.people.admin)
    assert client.post(f"{RECORDS}{world.record.uuid}/change/", {"name": "Changed"}).status_code == 403
    assert client.get(f"{RECORDS}add/").status_code == 403
    assert client.post(f"{RECORDS}{world.record.pk}/delete/", {"post": "yes"}).status_code == 403


def test_record_page_of_a_hostile_record(world: World) -> None:
    Record.objects.filter(pk=world.record.pk).update(
        name="<script>alert(1)</script>", fields={"Title": "<b>bold</b>", "Empty": None}
    )
    RecordPhone.objects.create(record=world.record, number="<i>1</i>")
    html = logged_in(world.people.admin).get(f"{RECORDS}{world.record.uuid}/change/").content.decode()
    assert [html.count(text) for text in ("<script>alert", "<b>bold", "<i>1", "Empty")] == [0, 0, 0, 0]
    assert html.count("<dt>Title</dt><dd>&lt;b&gt;bold&lt;/b&gt;</dd>") == 1


def test_record_list_queries_do_not_grow(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(world.people.manager)
    names(client)
    with django_assert_num_queries(6):
        assert len(names(client)) == 1
    for number in (1, 2):
        Record.objects.create(
            connection=world.connection,
            kind=RecordKind.LEAD,
            crm_id=to_18(f"00Q5g0000{number:06d}"),
            name=f"Lead {number}",
        )
    with django_assert_num_queries(6):
        assert len(names(client)) == 3
