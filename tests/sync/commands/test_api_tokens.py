"""manage.py api_token_create, api_token_list and api_token_revoke."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.models import ApiToken, Sender
from sync.models.sender import digest_of
from tests.factories import TeamFactory

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def usable(text: str) -> bool:
    return ApiToken.objects.usable(timezone.now()).filter(digest=digest_of(text)).exists()


def test_a_token_is_printed_once_and_kept_as_a_hash() -> None:
    text = run("api_token_create", "Dialer")
    token = ApiToken.objects.get()
    assert text.startswith("pbk_")
    assert usable(text)
    assert text not in str(ApiToken.objects.values().get())
    assert (token.sender.name, token.sender.team, token.expires_at) == ("Dialer", None, None)
    assert text not in run("api_token_list")


def test_a_second_token_is_of_the_same_sender() -> None:
    TeamFactory.create(name="North")
    assert usable(run("api_token_create", "Dialer", "--team", "North", "--outlook-plugin"))
    assert usable(run("api_token_create", " Dialer "))
    sender = Sender.objects.get()
    assert (sender.team and sender.team.name, sender.is_outlook_plugin, sender.tokens.count()) == ("North", True, 2)


def test_a_token_expires_at_the_end_of_its_day() -> None:
    run("api_token_create", "Dialer", "--expires", "2999-12-31")
    assert ApiToken.objects.get().expires_at == datetime(2999, 12, 31, 23, 59, 59, 999999, UTC)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((" ",), "1 to 100"),
        (("x" * 101,), "1 to 100"),
        (("Dialer", "--team", "Nobody"), "no team"),
        (("Dialer", "--expires", "soon"), "YYYY-MM-DD"),
        (("Dialer", "--expires", "2025-02-30"), "YYYY-MM-DD"),
        (("Dialer", "--expires", "2001-01-01"), "over"),
        (("Other", "--team", "North"), "another team"),
        (("Other", "--outlook-plugin"), "another team or kind"),
        (("Off",), "switched off"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: Any, message: str) -> None:
    TeamFactory.create(name="North")
    Sender.objects.create(name="Other")
    Sender.objects.create(name="Off", is_active=False)
    with pytest.raises(CommandError, match=message):
        run("api_token_create", *arguments)
    assert not ApiToken.objects.exists()


def test_tokens_are_listed_and_revoked_by_how_they_begin() -> None:
    assert run("api_token_list") == ""
    text = run("api_token_create", "Dialer", "--expires", "2999-12-31")
    listed = run("api_token_list")
    assert text[:10] in listed
    assert "Dialer  the whole organisation  never used  expires 2999-12-31" in listed
    ApiToken.objects.update(last_used_at=datetime(2025, 3, 31, 12, tzinfo=UTC))
    Sender.objects.update(is_active=False)
    assert run("api_token_list").endswith("last used 2025-03-31 12:00 UTC  expires 2999-12-31  sender switched off")
    assert "Revoked" in run("api_token_revoke", f"{text[:10]}…")
    assert not usable(text)
    assert "revoked" in run("api_token_list")
    with pytest.raises(CommandError, match="0 tokens"):
        run("api_token_revoke", text)
