"""What a connection keeps: its token, whether it works, how many calls are used up."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from sync.crm.base import Usage
from sync.enums import ConnectionState, FailureMode
from sync.models import Connection
from tests.factories import ConnectionFactory

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def test_m23_only_one_caller_marks_it_disconnected() -> None:
    first = ConnectionFactory.create()
    second = Connection.objects.get()
    with time_machine.travel(NOON, tick=False):
        assert [first.mark_disconnected("invalid_grant", "expired"), second.mark_disconnected("other", "later")] == [
            True,
            False,
        ]
    for seen in (first, second, Connection.objects.get()):
        assert (seen.state, seen.down_since) == (ConnectionState.DISCONNECTED, NOON)
        assert (seen.error_code, seen.error_message, seen.error_at) == ("invalid_grant", "expired", NOON)


def test_m23_only_one_caller_marks_it_connected_and_its_down_time_counts_once() -> None:
    connection = ConnectionFactory.create(down_total=timedelta(hours=1))
    with time_machine.travel(NOON, tick=False) as clock:
        connection.mark_disconnected("inactive_user", "user is inactive")
        stale = Connection.objects.get()
        clock.move_to(NOON + timedelta(hours=2))
        assert [connection.mark_connected(), stale.mark_connected()] == [True, False]
    for seen in (connection, stale, Connection.objects.get()):
        assert (seen.state, seen.down_since) == (ConnectionState.CONNECTED, None)
        assert seen.down_total == timedelta(hours=3)
        assert (seen.error_code, seen.error_message, seen.error_at) == ("", "", None)


def test_a_connection_that_works_is_not_marked_connected() -> None:
    assert not ConnectionFactory.create().mark_connected()


def test_why_it_could_not_come_back_is_kept_while_it_is_down() -> None:
    connection = ConnectionFactory.create()
    connection.note_failed_reconnection("invalid_grant", "expired")
    connection.refresh_from_db()
    assert connection.error_code == ""
    connection.mark_disconnected("invalid_grant", "expired")
    connection.note_failed_reconnection("inactive_user", "user is inactive")
    connection.refresh_from_db()
    assert (connection.error_code, connection.error_message) == ("inactive_user", "user is inactive")


def test_a_token_is_replaced_by_one_caller_only() -> None:
    connection = ConnectionFactory.create(token_number=4)
    assert not connection.claim_token_refresh(3, seconds=60)
    assert [connection.claim_token_refresh(4, seconds=60) for _ in range(2)] == [True, False]
    connection.store_token("new", "https://northwind.my.salesforce.com")
    assert (connection.token_number, connection.token_lease_until) == (5, None)
    assert not connection.claim_token_refresh(4, seconds=60)
    assert connection.claim_token_refresh(5, seconds=60)


def test_a_claim_lapses_and_can_be_given_up() -> None:
    connection = ConnectionFactory.create()
    with time_machine.travel(NOON, tick=False) as clock:
        assert connection.claim_token_refresh(0, seconds=60)
        clock.shift(timedelta(seconds=61))
        assert connection.claim_token_refresh(0, seconds=60)
        connection.give_up_token_refresh(0)
        assert connection.claim_token_refresh(0, seconds=60)


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_refused_inside_a_transaction() -> None:
    """Others would not see it, and the transaction would be held over the token request."""
    connection = ConnectionFactory.create()
    with pytest.raises(RuntimeError), transaction.atomic():
        connection.claim_token_refresh(0, seconds=60)


def test_a_token_is_encrypted_at_rest() -> None:
    connection = ConnectionFactory.create()
    connection.store_token("00D!plain-token", "https://northwind.my.salesforce.com")
    with database.cursor() as cursor:
        cursor.execute("SELECT access_token FROM sync_connection")
        (stored,) = cursor.fetchone()
    assert "plain-token" not in stored
    assert stored.startswith("gAAAA")
    assert Connection.objects.get().access_token == "00D!plain-token"


def test_b3_usage_is_kept_with_its_time() -> None:
    connection = ConnectionFactory.create()
    connection.note_usage(None)
    assert Connection.objects.get().api_seen_at is None
    with time_machine.travel(NOON, tick=False):
        connection.note_usage(Usage(18, 5000))
    connection.refresh_from_db()
    assert (connection.usage, connection.api_seen_at) == (Usage(18, 5000), NOON)


def test_workers_that_meet_one_cause_at_once_make_one_pause() -> None:
    first = ConnectionFactory.create()
    others = [Connection.objects.get() for _each in range(7)]
    soon, later = timezone.now() + timedelta(seconds=2), timezone.now() + timedelta(minutes=5)
    first.pause(FailureMode.TRANSIENT, "TIMEOUT", "", soon)
    for other in others:
        other.pause(FailureMode.TRANSIENT, "TIMEOUT", "", soon - timedelta(seconds=1))
    seen = Connection.objects.get()
    assert (seen.pause_count, seen.paused_until) == (1, soon)
    others[0].paused_until = None
    others[0].pause(FailureMode.LIMIT, "REQUEST_LIMIT_EXCEEDED", "", later)
    seen.refresh_from_db()
    assert (seen.pause_count, seen.paused_until, seen.pause_mode) == (1, later, FailureMode.LIMIT)
