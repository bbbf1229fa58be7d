"""One task of a request: whether its fields are sound by themselves, and the digest that tells it from others."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from pydantic import TypeAdapter
from pydantic import ValidationError as Unsound

from sync import emails
from sync.api.problems import fields_of
from sync.api.schemas import CallIn, Key, TaskIn
from sync.api.times import parsed
from sync.api.words import said
from sync.inputs import Errors
from sync.models import ReceivedTask
from teams.crm_ids import to_18

_KEY: TypeAdapter[str] = TypeAdapter(Key)
_NO_CALL = CallIn()
_MOST_ERRORS = 20  # of one item
_ID_LENGTH = 8


@dataclass(slots=True)
class Item:
    """One task as it was handed in, and what became of it."""

    index: int
    key: str | None = None
    body: TaskIn | None = None
    completed_at: datetime | None = None
    digest: str = ""
    errors: list[dict[str, str]] = field(default_factory=list)
    received: ReceivedTask | None = None
    created: bool = False
    first: "Item | None" = None  # of the same key, earlier in the list
    user: str = ""  # as it was given, where that is usable

    @property
    def call(self) -> CallIn:
        return (self.body.call if self.body else None) or _NO_CALL

    def refuse(self, errors: Errors) -> None:
        self.errors += fields_of(errors)

    def add(self, name: str, code: str, message: str) -> None:
        self.errors.append({"field": name, "code": code, "message": message})


def item_of(index: int, given: Any) -> Item:
    """Judge one member of the list by itself: types, lengths, the time."""
    item = Item(index)
    if not isinstance(given, dict):
        item.add("", "type", _("A task is an object: {…}."))
        return item
    try:
        item.body = body = TaskIn.model_validate(given)
    except Unsound as unsound:
        for error in unsound.errors(include_url=False, include_input=False)[:_MOST_ERRORS]:
            item.errors.append(said(error, error["loc"]))
        item.key = _key(given)
        _look_further(item, given)
        return item
    item.key, item.user = body.key, body.user
    if body.completed_at:
        errors = Errors()
        item.completed_at = parsed(body.completed_at, "completed_at", errors)
        item.refuse(errors)
    if item.errors:
        _look_further(item, given)
    else:
        item.digest = _digest(item, body)
    return item


def _look_further(item: Item, given: Mapping[str, Any]) -> None:
    """Find what else is wrong with an item that is refused, so that one round of corrections is enough."""
    if len(item.errors) >= _MOST_ERRORS:
        return  # what isn't named may be unusable, too
    wrong = {error["field"] for error in item.errors}
    user, subject = given.get("user"), given.get("subject")
    if "user" not in wrong and isinstance(user, str):
        item.user = user
    if "subject" not in wrong and not (subject or "").strip() and not given.get("play_step"):
        item.add("subject", "required", _("Enter a subject: the CRM shows the task under it."))


def is_same(item: Item, received: ReceivedTask) -> bool:
    """Whether the same was handed in under this key before.

    What was handed in under another SECRET_KEY can't be compared: the key alone counts then.
    """
    ours, theirs = item.digest, received.digest
    return ours[:_ID_LENGTH] != theirs[:_ID_LENGTH] or hmac.compare_digest(ours, theirs)


def _key(given: Mapping[str, Any]) -> str | None:
    try:
        return _KEY.validate_python(given.get("key"), strict=True)
    except Unsound:
        return None


def _digest(item: Item, body: TaskIn) -> str:
    """A keyed hash of what was said, however it was written: nobody can guess texts back from it."""
    call = item.call
    said = (
        body.kind,
        _user(body.user),
        (body.subject or "").strip(),
        (body.description or "").strip(),
        item.completed_at.isoformat() if item.completed_at else "",
        _record(body.record),
        _record(body.related_record),
        (body.phone_number or "").strip(),
        emails.normalised(body.email_address or ""),
        call.direction or "",
        call.duration_seconds,
        (call.disposition or "").strip(),
        (body.play or "").strip(),
        (body.play_step or "").strip(),
    )
    key_id, keyed = _keyed(settings.SECRET_KEY)
    mac = keyed.copy()
    mac.update(json.dumps(said).encode())
    return key_id + mac.hexdigest()[: 64 - _ID_LENGTH]


@lru_cache(maxsize=1)
def _keyed(secret: str) -> tuple[str, "hmac.HMAC"]:
    key = salted_hmac("sync.api.items", "key", secret=secret, algorithm="sha256").digest()
    return hmac.digest(key, b"id", "sha256").hex()[:_ID_LENGTH], hmac.new(key, digestmod="sha256")


def _user(user: str) -> str:
    return emails.normalised(user) if "@" in user else _record(user)


def _record(crm_id: str | None) -> str:
    crm_id = (crm_id or "").strip()
    try:
        return to_18(crm_id)
    except ValueError:
        return crm_id
