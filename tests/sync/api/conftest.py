"""A dialer that hands tasks in for two teams' users."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from blacklist.models import Rule, RuleSet
from sync.api import limits
from sync.models import ApiToken, Sender
from teams.models import User
from tests.people import People, people

__all__ = ["people"]


@dataclass
class Dialer:
    """Speaks to the API with one token."""

    sender: Sender
    token: ApiToken
    text: str
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {self.text}"})

    def post(self, body: Any, status: int = 202, **extra: Any) -> Any:
        answer = self.client.post("/api/v1/tasks", json.dumps(body), content_type="application/json", **extra)
        assert answer.status_code == status, answer.content
        return answer.json()

    def get(self, address: str = "", status: int = 200, **query: Any) -> Any:
        answer = self.client.get(f"/api/v1/tasks{address}", query)
        assert answer.status_code == status, answer.content
        return answer.json()

    def refused(self, body: Any) -> dict[str, str]:
        """The codes by field of a task that is refused alone."""
        return {error["field"]: error["code"] for error in self.post(body, 422)["errors"]}


def dialer_of(name: str = "Dialer", **values: Any) -> Dialer:
    sender = Sender.objects.create(name=name, **values)
    return Dialer(sender, *ApiToken.issue(sender))


def call(user: User, key: str = "call-1", **said: Any) -> dict[str, Any]:
    """A call as a dialer reports it."""
    return {"key": key, "kind": "call", "user": user.email, "subject": "Discovery call", **said}


def track_and_sync(user: User, key: str = "mail-1", **said: Any) -> dict[str, Any]:
    """An e-mail that was sent through Track and Sync."""
    mail = {"kind": "track_and_sync", "email_address": "hana@rival.example", "subject": "Skis"}
    return {"key": key, "user": user.email, **mail, **said}


def make_rule(match: str, kind: str, user: User | None = None) -> Rule:
    """A rule in force, as a save makes it; the company's without a user."""
    rule = Rule.objects.create(user=user, kind=kind, value=match, match=match)
    rule_set, _made = RuleSet.objects.get_or_create(user=user)
    RuleSet.objects.filter(pk=rule_set.pk).update(version=rule_set.version + 1, changed_at=timezone.now())
    return rule


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    """What a process has taken of a token's limit is not the next test's."""
    limits.forget()
    yield
    limits.forget()


@pytest.fixture
def dialer(people: People) -> Dialer:
    return dialer_of()
