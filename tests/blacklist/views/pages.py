"""What the tests of the blacklists' pages share."""

from collections.abc import Iterable
from typing import Any

from django.test import Client

from blacklist.models import Rule, RuleKind, RuleSet
from blacklist.rules import parse_keywords, parse_senders
from blacklist.saving import Change, save, version_of
from teams.models import User

COMPANY = "/manager/settings/email/company-blacklist/"
MINE = "/settings/email/my-blacklist/"


def fill(owner: User | None, senders: str = "", keywords: str = "", *, actor: User) -> None:
    rules = [*parse_senders(senders).rules, *parse_keywords(keywords).rules]
    save(owner, version_of(owner), Change(rules), actor=actor)


def values(owner: User | None = None) -> list[str]:
    """What stands in a blacklist; "~" in front: quoted text is left out."""
    rules = Rule.objects.filter(user=owner).order_by("kind", "match")
    return [f"{'~' if rule.ignore_quoted else ''}{rule.value}" for rule in rules]


def post(client: Client, path: str, owner: User | None, action: str = "save", **fields: Any) -> Any:
    """Send the form as its page would now; `version` may be given."""
    return client.post(path, {"version": version_of(owner), "action": action, **fields})


def make_rules(owner: User | None, words: Iterable[str]) -> None:
    """Make rules straight in the database, for lists that are long."""
    RuleSet.objects.get_or_create(user=owner)
    Rule.objects.bulk_create(Rule(user=owner, kind=RuleKind.KEYWORD, value=word, match=word) for word in words)
