"""What of the sync is kept in the audit, and that what machines note on the way of a task is not."""

import pytest
from auditlog.models import LogEntry
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.crm.base import Usage
from sync.enums import FailureMode
from sync.models import Connection
from tests.factories import ConnectionFactory, PlayFactory
from tests.people import People, logged_in, people

__all__ = ["people"]


@pytest.fixture
def org(db: None) -> Connection:
    connection = ConnectionFactory.create()
    LogEntry.objects.all().delete()
    return connection


def test_machines_notes_about_a_connection_are_not_kept(
    org: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        org.note_usage(Usage(1, 1000))
    with django_assert_num_queries(1):
        org.remember_batch_size(50)
    org.pause(FailureMode.LIMIT, "REQUEST_LIMIT_EXCEEDED", "", timezone.now())
    org.mark_disconnected("invalid_grant", "expired")
    org.mark_connected()
    assert LogEntry.objects.count() == 0
    org.refresh_from_db()
    assert (org.usage, org.batch_size) == (Usage(1, 1000), 50)


def test_another_access_user_is_kept_and_no_token(org: Connection) -> None:
    org.access_user_name, org.access_token = "Somebody Else", "00D!secret"
    org.save()
    assert LogEntry.objects.get().changes == {"access_user_name": ["Access User", "Somebody Else"]}


def test_the_connections_entries_are_the_admins(org: Connection, people: People) -> None:
    org.access_user_name = "Somebody Else"
    org.save()
    PlayFactory.create(name="Outreach")
    address = "/manager/auditlog/logentry/?kind="
    for user, kind, found in (
        (people.admin, "sync.connection", ["Somebody Else"]),
        (people.manager, "sync.connection", []),
        (people.manager, "sync.play", ["Outreach"]),
    ):
        listed = logged_in(user).get(f"{address}{kind}").context["cl"].result_list
        assert [entry.object_repr for entry in listed] == found
