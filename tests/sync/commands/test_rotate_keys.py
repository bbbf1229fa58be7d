"""manage.py rotate_keys."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection as database
from pytest_django import Settings

from sync.management.commands import rotate_keys
from sync.models import Connection, JobLease
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def rotated() -> list[str]:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue().splitlines()


def stored() -> list[str]:
    with database.cursor() as cursor:
        cursor.execute("SELECT access_token FROM sync_connection ORDER BY id")
        return [token for (token,) in cursor.fetchall()]


def make(settings: Settings, count: int = 1) -> None:
    """Connections whose tokens are written with the old key; then the new one comes first."""
    settings.ENCRYPTION_KEYS = [OLD]
    for number in range(count):
        ConnectionFactory.create(access_token=f"token {number}")
    settings.ENCRYPTION_KEYS = [NEW, OLD]


def test_afterwards_the_newest_key_is_enough(settings: Settings) -> None:
    make(settings)
    assert sorted(rotated()) == [
        "Authenticator: 0",
        "Connection: 1",
        "Done: the first of ENCRYPTION_KEYS is the only one that is still needed.",
        "PendingConnection: 0",
        "Sender: 0",
        "WebhookReceiver: 0",
    ]
    assert Fernet(NEW).decrypt(stored()[0]) == b"token 0"
    settings.ENCRYPTION_KEYS = [NEW]
    connection = Connection.objects.get()
    assert (connection.access_token, connection.refresh_token) == ("token 0", "")


def test_all_rows_are_reached_in_batches(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotate_keys, "_BATCH", 2)
    make(settings, count=5)
    assert rotated()[0] == "Connection: 5"
    assert [Fernet(NEW).decrypt(token) for token in stored()] == [f"token {n}".encode() for n in range(5)]


def test_a_secret_of_a_key_that_is_gone_is_told_and_nothing_is_lost(settings: Settings) -> None:
    make(settings)
    before = stored()
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CommandError) as refusal:
        rotated()
    assert str(refusal.value).startswith("A stored secret can't be read with any of ENCRYPTION_KEYS.")
    assert stored() == before
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert rotated()[0] == "Connection: 1"


def test_only_one_runs_at_a_time(settings: Settings) -> None:
    make(settings)
    token = JobLease.take("rotate_keys", 60)
    assert token is not None
    before = stored()
    with pytest.raises(CommandError) as refusal:
        rotated()
    assert str(refusal.value) == "rotate_keys runs already. Wait until it has ended."
    assert stored() == before
    JobLease.give_back("rotate_keys", token)
    assert rotated()[0] == "Connection: 1"
