"""The pages of orphaned calls: who sees which, adopting from the list and from a call's page, and undoing it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.adoption import adopt, undo
from sync.enums import CallDirection, DecisionCode, LinkChoice, RecordKind
from sync.models import Adoption, Decision, OutboxRow, Record, Task
from teams.models import User
from tests.factories import RecordFactory, TaskFactory, crm_id, the_connection
from tests.people import People, logged_in

pytestmark = pytest.mark.django_db

LIST = "/orphaned-calls/"
NUMBER = "+12125550141"
HTMX = {"HX-Request": "true"}


def orphan(user: User, **values: Any) -> Task:
    the_connection()
    return TaskFactory.create(
        **{"user": user, "phone_number": "(212) 555-0141", "phone_e164": NUMBER, "is_orphan": True, **values}
    )


def hana(**values: Any) -> Record:
    return RecordFactory.create(**{"name": "Hana Novak", "phones": [NUMBER], **values})


def page(client: Client, address: str = LIST, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return str(response.content.decode())


def listed(client: Client, **query: str) -> list[Task]:
    return [row.task for row in client.get(LIST, query).context["rows"]]


def post(client: Client, task: Task, verb: str, htmx: bool = False, **values: object) -> Any:
    headers = HTMX if htmx else {}
    return client.post(
        f"{LIST}{task.uuid}/{verb}/", {name: str(value) for name, value in values.items()}, headers=headers
    )


class TestList:
    def test_newest_first_and_each_sees_their_own_or_their_teams(self, people: People) -> None:
        now = timezone.now()
        old = orphan(people.rep, completed_at=now - timedelta(days=2))
        new = orphan(people.rep, completed_at=now - timedelta(days=1))
        strange = orphan(people.other_rep, completed_at=now)
        TaskFactory.create(user=people.rep)
        assert listed(logged_in(people.rep)) == [new, old]
        assert listed(logged_in(people.manager)) == [new, old]
        assert listed(logged_in(people.other_manager)) == [strange]
        assert listed(logged_in(people.admin)) == [strange, new, old]

    def test_managers_can_look_at_their_own_alone(self, people: People) -> None:
        own, _other = orphan(people.manager), orphan(people.rep)
        client = logged_in(people.manager)
        assert listed(client, whose="mine") == [own]
        assert 'aria-current="true">My own<' in page(client, whose="mine")
        assert "My own" not in page(logged_in(people.rep), whose="mine")

    def test_a_row_says_what_is_known_of_the_call(self, people: People) -> None:
        task = orphan(people.rep, call_direction=CallDirection.INBOUND, call_duration_seconds=75, subject="Asked back")
        Decision.objects.create(task=task, at=timezone.now(), code=DecisionCode.NO_MATCH, detail={"by": "phone"})
        text = page(logged_in(people.rep))
        for words in ("(212) 555-0141", "Inbound", "1 min 15 s", "Asked back", "no record had this number", "Waiting"):
            assert words in text

    def test_a_row_says_how_many_records_have_its_number(self, people: People) -> None:
        orphan(people.rep)
        one, _other = hana(), hana()
        text = page(logged_in(people.rep))
        assert "2 records have this number." in text
        assert "Adopt: " not in text
        one.delete()
        text = page(logged_in(people.rep))
        assert "have this number" not in text
        assert "Adopt: Hana Novak" in text

    def test_it_is_paged(self, people: People) -> None:
        for _each in range(51):
            orphan(people.rep)
        client = logged_in(people.rep)
        assert (len(listed(client)), len(listed(client, page="2"))) == (50, 1)
        assert listed(client, page="x") == listed(client)

    def test_without_calls_it_says_so(self, people: People) -> None:
        assert "Every call has its record" in page(logged_in(people.rep))
        assert "No call was adopted yet" in page(logged_in(people.rep), show="adopted")

    @pytest.mark.parametrize("count", [3, 30])
    def test_the_number_of_queries_does_not_grow(
        self, people: People, count: int, django_assert_num_queries: Any
    ) -> None:
        for number in range(count):
            record = RecordFactory.create(phones=[f"+1212555{number:04d}"])
            orphan(people.rep, phone_e164=f"+1212555{number:04d}")
            adopt(orphan(people.rep), record, people.rep)
        client = logged_in(people.manager)
        client.get(LIST)
        with django_assert_num_queries(14):
            assert len(listed(client)) == count
        with django_assert_num_queries(13):
            assert len(listed(client, show="adopted")) == count


class TestAdoptFromTheList:
    def test_the_only_record_with_the_number_is_offered_at_once(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        client = logged_in(people.rep)
        assert "Adopt: Hana Novak" in page(client)
        response = post(client, task, "adopt", record=record.uuid, next=LIST)
        adoption = Adoption.objects.get()
        assert response["Location"] == f"{LIST}?just={adoption.uuid}"
        text = page(client, just=str(adoption.uuid))
        assert "The call with (212) 555-0141 belongs to Hana Novak now." in text
        assert "Every call has its record" in text
        assert str(adoption.uuid) in text  # what its Undo names

    def test_of_a_person_and_their_company_the_person_is_offered(self, people: People) -> None:
        orphan(people.rep)
        account = RecordFactory.create(kind=RecordKind.ACCOUNT, phones=[NUMBER])
        hana(account_crm_id=account.crm_id)
        assert "Adopt: Hana Novak" in page(logged_in(people.rep))

    def test_of_two_none_is_offered_at_once(self, people: People) -> None:
        orphan(people.rep)
        hana()
        RecordFactory.create(phones=[NUMBER])
        assert "Choose the record" in page(logged_in(people.rep))

    def test_htmx_gets_the_row_s_place_and_what_to_say(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        client = logged_in(people.rep)
        text = post(client, task, "adopt", htmx=True, record=record.uuid, next=LIST).content.decode()
        assert 'hx-swap-oob="innerHTML:#said">The call with (212) 555-0141 belongs to Hana Novak now.' in text
        assert 'hx-swap-oob="innerHTML:#count-orphaned">0<' in text
        assert 'hx-swap-oob="innerHTML:#count-adopted">1<' in text
        assert "<html" not in text
        adoption = Adoption.objects.get()
        text = post(client, task, "undo", htmx=True, adoption=adoption.uuid, next=LIST).content.decode()
        assert "is an orphan again" in text
        assert "Adopt: Hana Novak" in text

    def test_m6_the_second_of_two_is_told_who_came_first(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        adopt(task, record, people.rep)
        words = "Rosa Rep has adopted this call already"
        client = logged_in(people.manager)
        assert words in post(client, task, "adopt", htmx=True, record=record.uuid, next=LIST).content.decode()
        response = client.post(f"{LIST}{task.uuid}/adopt/", {"record": record.uuid, "next": LIST}, follow=True)
        assert words in response.content.decode()
        assert words in post(client, task, "adopt", record=record.uuid).content.decode()
        assert Adoption.objects.count() == 1


class TestCall:
    def test_candidates_say_why_they_are_offered(self, people: People) -> None:
        account = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Birch & Co")
        deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY, name="Winter", account_crm_id=account.crm_id)
        record = hana(account_crm_id=account.crm_id)
        TaskFactory.create(user=people.rep, who=record, completed_at=timezone.now() - timedelta(days=400))
        task = orphan(people.rep)
        response = logged_in(people.rep).get(f"{LIST}{task.uuid}/")
        (offer,) = response.context["offers"]
        assert (offer.record, offer.account, offer.related) == (record, account, [account, deal])
        text = response.content.decode()
        for words in ("The same number", "Birch &amp; Co", "last worked on", NUMBER, "Winter (Opportunity)"):
            assert words in text

    def test_work_of_others_is_not_told(self, people: People) -> None:
        record = hana()
        TaskFactory.create(user=people.other_rep, who=record)
        task = orphan(people.rep)
        (offer,) = logged_in(people.rep).get(f"{LIST}{task.uuid}/").context["offers"]
        assert offer.worked_at is None

    def test_a_lead_is_offered_nothing_to_be_related_to(self, people: People) -> None:
        account = RecordFactory.create(kind=RecordKind.ACCOUNT)
        hana(kind=RecordKind.LEAD, account_crm_id=account.crm_id)
        (offer,) = logged_in(people.rep).get(f"{LIST}{orphan(people.rep).uuid}/").context["offers"]
        assert offer.related == []

    @pytest.mark.parametrize("count", [1, 9])
    def test_the_number_of_queries_does_not_grow(
        self, people: People, count: int, django_assert_num_queries: Any
    ) -> None:
        account = RecordFactory.create(kind=RecordKind.ACCOUNT)
        for _each in range(count):
            hana(account_crm_id=account.crm_id)
        task = orphan(people.rep)
        client = logged_in(people.rep)
        client.get(LIST)
        with django_assert_num_queries(18):
            assert len(client.get(f"{LIST}{task.uuid}/").context["offers"]) == count

    def test_any_record_is_found_and_adopted_with_what_it_is_about(self, people: People) -> None:
        task, other = orphan(people.rep), RecordFactory.create(name="Otto Birke")
        deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY)
        client = logged_in(people.rep)
        assert "Otto Birke" in page(client, f"{LIST}{task.uuid}/", q="birke")
        part = client.get(f"{LIST}{task.uuid}/", {"q": "birke"}, headers=HTMX).content.decode()
        assert "Otto Birke" in part
        assert "<html" not in part
        response = post(client, task, "adopt", record=other.uuid, related_record=deal.uuid)
        assert response["Location"] == f"{LIST}{task.uuid}/"
        task.refresh_from_db()
        assert (task.who, task.what, task.link_choice) == (other, deal, LinkChoice.EXPLICIT)
        text = page(client, f"{LIST}{task.uuid}/")
        assert "Adopted: the call belongs to Otto Birke now." in text
        assert "by Rosa Rep" in text

    def test_a_crm_id_that_nobody_has_mirrored_can_be_chosen(self, people: People) -> None:
        task, client = orphan(people.rep), logged_in(people.rep)
        unknown = crm_id("003", 4711)
        assert unknown in page(client, f"{LIST}{task.uuid}/", q=unknown[:15])
        post(client, task, "adopt", record=unknown)
        task.refresh_from_db()
        assert task.who is not None
        assert task.who.crm_id == unknown

    def test_what_is_found_nowhere_says_what_else_to_try(self, people: People) -> None:
        text = page(logged_in(people.rep), f"{LIST}{orphan(people.rep).uuid}/", q="zzz\0<b>")
        assert "Nothing is known by “zzz&lt;b&gt;”" in text

    def test_what_does_not_fit_is_said_at_the_record_and_the_search_is_kept(self, people: People) -> None:
        task, record, other = orphan(people.rep), hana(), RecordFactory.create(name="Otto Birke")
        response = post(
            logged_in(people.rep), task, "adopt", record=record.uuid, related_record=other.uuid, q="otto birke"
        )
        text = response.content.decode()
        assert "Both records are people." in text
        assert 'value="otto birke"' in text
        assert not Adoption.objects.exists()

    @pytest.mark.parametrize("given", ["", "nonsense", "00000000-0000-4000-8000-000000000000", "00T000000000001EAA"])
    def test_what_is_no_record_is_refused_with_words(self, people: People, given: str) -> None:
        task = orphan(people.rep)
        text = post(logged_in(people.rep), task, "adopt", record=given).content.decode()
        assert 'role="alert"' in text
        assert not Adoption.objects.exists()

    def test_undone_it_is_an_orphan_again_and_the_history_says_so(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        adoption = adopt(task, record, people.rep)
        client = logged_in(people.manager)
        assert listed(client, show="adopted") == [task]
        response = post(client, task, "undo", adoption=adoption.uuid)
        assert response["Location"] == f"{LIST}{task.uuid}/"
        text = page(client, f"{LIST}{task.uuid}/")
        for words in ("is an orphan again", "Earlier adoptions", "adopted by Rosa Rep", "undone by Mia Manager"):
            assert words in text
        assert listed(client, show="adopted") == []

    def test_an_old_form_does_not_undo_a_later_adoption(self, people: People) -> None:
        task = orphan(people.rep)
        first = adopt(task, hana(), people.rep)
        undo(first, people.rep)
        adopt(task, RecordFactory.create(), people.rep)
        text = post(logged_in(people.rep), task, "undo", adoption=first.uuid).content.decode()
        assert "This adoption was undone already" in text
        assert Adoption.objects.standing().count() == 1
        assert listed(logged_in(people.rep), show="adopted") == [task]

    def test_a_call_that_never_was_an_orphan_has_its_own_page(self, people: People) -> None:
        task = TaskFactory.create(user=people.rep)
        assert logged_in(people.rep).get(f"{LIST}{task.uuid}/")["Location"] == f"/tasks/{task.uuid}/"

    def test_without_a_connection_it_says_so(self, people: People) -> None:
        task = TaskFactory.create(user=people.rep, is_orphan=True)
        client = logged_in(people.rep)
        assert "No CRM is connected yet" in page(client, f"{LIST}{task.uuid}/")
        assert "No CRM is connected yet" in page(client)


class TestStrangers:
    def test_another_s_call_is_none(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        adoption = adopt(orphan(people.rep), record, people.rep)
        for stranger in (people.other_rep, people.other_manager):
            client = logged_in(stranger)
            assert client.get(f"{LIST}{task.uuid}/").status_code == 404
            assert post(client, task, "adopt", record=record.uuid).status_code == 404
            assert post(client, adoption.task, "undo", adoption=adoption.uuid).status_code == 404
            assert "(212)" not in page(client, just=str(adoption.uuid))
        assert (Adoption.objects.standing().count(), OutboxRow.objects.count()) == (1, 1)

    def test_strangers_log_in_first_and_nothing_happens_by_a_link(self, people: People) -> None:
        task = orphan(people.rep)
        assert "/accounts/login/" in Client().get(LIST)["Location"]
        assert "/accounts/login/" in Client().post(f"{LIST}{task.uuid}/adopt/")["Location"]
        assert logged_in(people.rep).get(f"{LIST}{task.uuid}/adopt/").status_code == 405

    def test_one_leads_back_to_our_pages_alone(self, people: People) -> None:
        task, record = orphan(people.rep), hana()
        response = post(logged_in(people.rep), task, "adopt", record=record.uuid, next="//evil.example/")
        assert response["Location"] == f"{LIST}{task.uuid}/"
