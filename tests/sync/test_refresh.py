"""Records are known by id at once, and fetched from the CRM when they are needed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sandbox.control import SandboxControl
from sync.connecting import gateway
from sync.enums import FailureMode, RecordKind, TaskKind
from sync.errors import CrmError
from sync.models import Connection, Record, Task
from sync.refresh import fetch, known
from teams.crm_ids import to_18
from tests.factories import RecordFactory, UserFactory, crm_id

# No transaction is held over HTTP.
pytestmark = pytest.mark.django_db(transaction=True)


def in_crm(sandbox: SandboxControl, sobject: str, **values: Any) -> str:
    return to_18(sandbox.add(sobject, values)["Id"])


def fetched(connection: Connection, crm_ids: Sequence[str]) -> list[Record]:
    """The records of ids, fetched without an error."""
    records = known(connection, crm_ids)
    assert fetch(connection, gateway(connection), records.values()) == {}
    return [records[one] for one in crm_ids]


def queries(sandbox: SandboxControl) -> list[str]:
    return [r["path"] for r in sandbox.requests() if "/query" in r["path"]]


@pytest.mark.django_db
def test_known_finds_rows_and_makes_the_missing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    hana = RecordFactory.create()
    fresh, odd = crm_id("00Q", 1), crm_id("00T", 1)
    with django_assert_num_queries(3):
        records = known(hana.connection, [hana.crm_id, fresh, odd])
    assert records == {hana.crm_id: hana, fresh: Record.objects.get(crm_id=fresh)}
    lead = records[fresh]
    assert (lead.kind, lead.fetched_at, lead.name, lead.connection) == (RecordKind.LEAD, None, "", hana.connection)
    with django_assert_num_queries(1):
        assert known(hana.connection, [fresh]) == {fresh: lead}
    with django_assert_num_queries(0):
        assert known(hana.connection, []) == {}


def test_a_record_is_filled_with_what_the_crm_says(connection: Connection, sandbox: SandboxControl) -> None:
    (mara,) = [row["Id"] for row in sandbox.rows("User") if row["FirstName"] == "Mara"]
    owner = UserFactory.create(crm_user_id=to_18(mara))
    account = in_crm(sandbox, "Account", Name="Birch Cabins")
    contact = in_crm(
        sandbox,
        "Contact",
        FirstName="Zoë",
        LastName="Ørsted",
        AccountId=account,
        OwnerId=mara,
        Email="Zoe.Oersted@Birch.example",
        Phone="(212) 555-0188",
        MobilePhone="not a number",
    )
    (record,) = fetched(connection, [contact])
    stored = Record.objects.get(crm_id=contact)
    for one in (record, stored):
        assert (one.name, one.owner, one.owner_crm_id) == ("Zoë Ørsted", owner, to_18(mara))
        assert (one.account_crm_id, one.person_contact_crm_id, one.is_deleted) == (account, "", False)
        assert one.fetched_at is not None
        assert one.modified_at is not None
    assert [email.address for email in stored.emails.all()] == ["zoe.oersted@birch.example"]
    assert {phone.number: phone.e164 for phone in stored.phones.all()} == {
        "(212) 555-0188": "+12125550188",
        "not a number": "",
    }


def test_a_person_accounts_contact_is_known(connection: Connection, sandbox: SandboxControl) -> None:
    contact = in_crm(sandbox, "Contact", LastName="Okoye")
    account = in_crm(sandbox, "Account", Name="Ada Okoye", PersonContactId=contact, IsPersonAccount=True)
    (record,) = fetched(connection, [account])
    assert (record.person_contact_crm_id, record.is_person) == (contact, True)


def test_one_call_per_kind_and_every_instance_is_filled(connection: Connection, sandbox: SandboxControl) -> None:
    contacts = [in_crm(sandbox, "Contact", LastName=f"P{n}") for n in range(3)]
    lead = in_crm(sandbox, "Lead", LastName="L", Company="C")
    known(connection, [*contacts, lead])
    instances = [*Record.objects.order_by("pk"), *Record.objects.order_by("pk")]
    before = len(queries(sandbox))
    assert fetch(connection, gateway(connection), instances) == {}
    assert len(queries(sandbox)) - before == 2
    assert [record.name for record in instances] == ["P0", "P1", "P2", "L"] * 2
    # Who is known is not asked for again.
    assert fetch(connection, gateway(connection), instances) == {}
    assert len(queries(sandbox)) - before == 2


def test_more_than_200_take_another_call(connection: Connection, sandbox: SandboxControl) -> None:
    rows = sandbox.add_all("Contact", [{"LastName": f"P{n}", "Email": f"p{n}@a.example"} for n in range(201)])
    before = len(queries(sandbox))
    records = fetched(connection, [to_18(row["Id"]) for row in rows])
    assert len(queries(sandbox)) - before == 2
    assert [record.name for record in records] == [f"P{n}" for n in range(201)]
    assert Record.objects.filter(emails__address__endswith="@a.example").count() == 201


def test_what_the_crm_does_not_have_is_told_and_asked_for_again(
    connection: Connection, sandbox: SandboxControl
) -> None:
    there, gone = in_crm(sandbox, "Contact", LastName="Novak"), crm_id("003", 404)
    records = known(connection, [there, gone])
    errors = fetch(connection, gateway(connection), records.values())
    assert list(errors) == [records[gone].pk]
    error = errors[records[gone].pk]
    assert (error.mode, error.code) == (FailureMode.DATA, "RECORD_NOT_FOUND")
    assert error.message == (
        f"The CRM has no record with the id {gone}, or the Access User may not see it. Check the id, or let an admin "
        "share the record with the Access User."
    )
    left = Record.objects.get(crm_id=gone)
    assert left.fetched_at is None
    assert left.missing_since is not None
    assert Record.objects.get(crm_id=there).name == "Novak"


def test_a_record_that_appears_is_missing_no_longer(connection: Connection, sandbox: SandboxControl) -> None:
    contact = in_crm(sandbox, "Contact", LastName="Novak")
    records = known(connection, [contact])
    long_ago = timezone.now() - timedelta(days=1)
    Record.objects.update(missing_since=long_ago)
    fetched(connection, [contact])
    assert Record.objects.get(crm_id=contact).missing_since is None
    assert records[contact].name == ""


def test_it_is_remembered_since_when_a_record_is_missing(connection: Connection) -> None:
    record = RecordFactory.create(connection=connection, crm_id=crm_id("003", 404), fetched_at=None)
    fetch(connection, gateway(connection), [record])
    first = Record.objects.get().missing_since
    fetch(connection, gateway(connection), [Record.objects.get()])
    assert Record.objects.get().missing_since == first == record.missing_since


def test_a_deleted_record_is_marked(connection: Connection, sandbox: SandboxControl) -> None:
    contact = in_crm(sandbox, "Contact", LastName="Novak")
    sandbox.delete("Contact", contact)
    (record,) = fetched(connection, [contact])
    assert record.is_deleted


def test_a_call_that_fails_changes_nothing(connection: Connection, sandbox: SandboxControl) -> None:
    contact = in_crm(sandbox, "Contact", LastName="Novak")
    records = known(connection, [contact])
    sandbox.add_fault("http_error", status=503, match={"path": "query"})
    with pytest.raises(CrmError) as raised:
        fetch(connection, gateway(connection), records.values())
    assert raised.value.mode == FailureMode.TRANSIENT
    assert Record.objects.get().fetched_at is None


@pytest.mark.postgres
def test_a_task_that_is_just_made_on_a_record_keeps_nobody_from_filling_it(
    connection: Connection, sandbox: SandboxControl
) -> None:
    """Else many tasks on many records, in another order, and a fetch of these records could wait for each other."""
    records = known(connection, [in_crm(sandbox, "Contact", LastName="Holm")])
    user = UserFactory.create()

    def fill() -> None:
        try:
            with database.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10s'")
            assert fetch(connection, gateway(connection), records.values()) == {}
        finally:
            database.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        Task.objects.create(user=user, kind=TaskKind.CALL, subject="Call", who=next(iter(records.values())))
        with database.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as at the end of the transaction
        threads.submit(fill).result()
