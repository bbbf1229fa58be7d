"""Tasks that a sender hands in: each once per key, all together in a fixed number of queries."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from blacklist.compiled import rules_for_all
from sync import emails
from sync.api.items import Item, is_same, item_of
from sync.api.schemas import TRACK_AND_SYNC
from sync.completion import Completion, complete_many
from sync.enums import TaskKind, TaskSource, TaskStatus
from sync.inputs import Errors, check, texts
from sync.message_facts import facts_of_text
from sync.models import ReceivedTask, Sender, Task
from sync.play_steps import FoundStep, NamedStep, find_steps
from sync.task_answers import loaded_for_status, status
from teams.crm_ids import to_18
from teams.models import Organisation, User

_TRIES = 5


class _AgainError(Exception):
    """Somebody else was quicker with a key or an open task: what they stored is seen now."""


def receive(sender: Sender, given: Sequence[Any]) -> list[Item]:
    """Take tasks; answers in their order. One that is refused leaves nothing and doesn't stop the others."""
    for tries in range(_TRIES):
        items = [item_of(index, one) for index, one in enumerate(given)]
        _find_users(sender, [item for item in items if item.errors and item.user])
        sound = _first_of_their_key([item for item in items if item.digest])
        fresh = _not_here_yet(sender, sound)
        try:
            _take(sender, fresh)
        except (_AgainError, IntegrityError):
            if tries == _TRIES - 1:
                raise
            continue
        for item in items:
            _answer_as_first(item)
        return items
    raise AssertionError("unreachable")


def told(item: Item) -> dict[str, Any]:
    """Return what the sender is told of one item."""
    received = item.received
    return {
        "index": item.index,
        "key": item.key,
        "id": str(received.uuid) if received is not None else None,
        "state": _state(received, item) if received is not None else None,
        "created": item.created,
        "errors": item.errors,
    }


def _state(received: ReceivedTask, item: Item) -> str:
    # What was stored just now can't have gone any further.
    waits = item.created or (item.first is not None and item.first.created)
    return (TaskStatus.WAITING if waits and received.task_id is not None else status(received)).value


def _first_of_their_key(items: Iterable[Item]) -> list[Item]:
    """Return one item of each key; the others refer to it, or are refused when they say something else."""
    by_key: dict[str, Item] = {}
    for item in items:
        first = by_key.setdefault(item.key or "", item)
        if first is not item:
            item.first = first
            if first.digest != item.digest:
                _refuse_key(item)
    return list(by_key.values())


def _not_here_yet(sender: Sender, items: Sequence[Item]) -> list[Item]:
    """Return what is new; the others get the task of their key, or are refused."""
    received = ReceivedTask.objects.filter(sender=sender, key__in=[item.key for item in items])
    here = {one.key: one for one in loaded_for_status(received)} if items else {}
    fresh = []
    for item in items:
        known = here.get(item.key or "")
        if known is None:
            fresh.append(item)
        elif is_same(item, known):
            item.received = known
        else:
            _refuse_key(item)
    return fresh


def _refuse_key(item: Item) -> None:
    message = _("This key was used for another task. Send what was sent first, or use another key.")
    item.add("key", "key_conflict", message)


def _answer_as_first(item: Item) -> None:
    if item.first is not None and not item.errors:
        item.received = item.first.received
        item.errors = item.first.errors


def _take(sender: Sender, items: Sequence[Item]) -> None:
    """Store what is new, all of it in one transaction."""
    if not items:
        return
    with transaction.atomic():
        users = _find_users(sender, items)
        steps = _find_steps(items, users)
        ready = [item for item in items if not item.errors]
        completions = [_completion(item, users[item.index], steps.get(item.index)) for item in ready]
        stopped = _stopped(sender, ready, completions)
        _refuse_unsound(ready, completions, stopped)
        going = [
            (item, one)
            for item, one in zip(ready, completions, strict=True)
            if not item.errors and item.index not in stopped
        ]
        rows = []
        results = complete_many([one for _item, one in going]) if going else []
        for (item, _one), result in zip(going, results, strict=True):
            if isinstance(result, Task):
                rows.append((item, _row(sender, item, user_id=result.user_id, task=result, uuid=result.uuid)))
            else:
                _refuse(item, result)
        for item in ready:
            if item.index in stopped and not item.errors:
                user = users[item.index]
                rows.append((item, _row(sender, item, user_id=user.pk, stopped_by=stopped[item.index])))
        # In the order of their keys: two requests with the same ones don't wait for each other.
        rows.sort(key=lambda pair: pair[1].key)
        ReceivedTask.objects.bulk_create(row for _item, row in rows)
    for item, row in rows:
        item.received, item.created = row, True


def _row(sender: Sender, item: Item, **values: Any) -> ReceivedTask:
    return ReceivedTask(sender=sender, key=item.key or "", digest=item.digest, **values)


def _refuse(item: Item, error: ValidationError) -> None:
    errors = Errors()
    errors.take(error)
    if any(one.code == "already_completed" for one in errors.by_field.get("task", ())):
        raise _AgainError
    item.refuse(errors)


def _find_users(sender: Sender, items: Sequence[Item]) -> dict[int, User]:
    """Find each item's user among the sender's: by e-mail or by CRM id, active ones alone."""
    if not items:
        return {}
    named = {item.index: _name(item.user) for item in items}
    addresses = {name for name in named.values() if "@" in name}
    ids = set(named.values()) - addresses
    found = {}
    for user in sender.users().filter(Q(email__in=addresses) | Q(crm_user_id__in=ids), is_active=True):
        found[user.email] = user
        if user.crm_user_id:
            found[user.crm_user_id] = user
    users = {}
    for item in items:
        name = named[item.index]
        if name in found:
            users[item.index] = found[name]
        else:
            item.add("user", "unknown", unknown_user())
    return users


def unknown_user() -> str:
    """Say the same of nobody, of who is deactivated, and of who is in another team."""
    return _("This token may hand in and read tasks of no active user with this e-mail address or CRM user id.")


def _name(user: str) -> str:
    """The address or id as it is stored; empty for what can be neither."""
    if "@" in user:
        return emails.normalised(user) if "\0" not in user else ""
    try:
        return to_18(user.strip())
    except ValueError:
        return ""


def _find_steps(items: Sequence[Item], users: dict[int, User]) -> dict[int, FoundStep]:
    named = []
    for item in items:
        body, user = item.body, users.get(item.index)
        if body is not None and user is not None and (body.play or body.play_step):
            named.append((item, NamedStep(body.play or "", body.play_step or "", user.pk, body.record)))
    steps = {}
    for (item, _named), found in zip(named, find_steps([one for _item, one in named]), strict=True):
        if isinstance(found, ValidationError):
            _refuse(item, found)
        elif found is not None:
            steps[item.index] = found
    return steps


def _completion(item: Item, user: User, step: FoundStep | None) -> Completion:
    body, call = item.body, item.call
    assert body is not None
    is_track_and_sync = body.kind == TRACK_AND_SYNC
    return Completion(
        user=user,
        task=step.task if step else None,
        step=step.step if step else None,
        kind=TaskKind.EMAIL if is_track_and_sync else body.kind,
        subject=body.subject or None,
        description=body.description or None,
        completed_at=item.completed_at,
        record=body.record or None,
        related_record=body.related_record or None,
        call_direction=call.direction,
        call_duration_seconds=call.duration_seconds,
        call_disposition=call.disposition or "",
        phone_number=body.phone_number or "",
        email_address=body.email_address or "",
        source=TaskSource.API,
        is_track_and_sync=is_track_and_sync,
    )


def _stopped(
    sender: Sender, items: Sequence[Item], completions: Sequence[Completion]
) -> dict[int, dict[str, str | int]]:
    """Return which rule stops which item sent through Track and Sync; the Outlook plug-in's are exempt (M17)."""
    pairs = [(i, one) for i, one in zip(items, completions, strict=True) if one.is_track_and_sync]
    for item, one in pairs:
        if not one.email_address.strip():
            item.add("email_address", "required", _("Say whom the e-mail went to."))
    if sender.is_outlook_plugin or not pairs:
        return {}
    stopped: dict[int, dict[str, str | int]] = {}
    rules = rules_for_all({one.user.pk for _item, one in pairs})
    for item, one in pairs:
        facts = facts_of_text(one.user.email, [one.email_address], *texts(one, one.task))
        stop = rules[one.user.pk].stop(facts)
        if stop is not None:
            stopped[item.index] = {"list": "company" if stop.by_company else "user", "rule": stop.match.number}
    return stopped


def _refuse_unsound(items: Sequence[Item], completions: Sequence[Completion], stopped: dict[int, Any]) -> None:
    """What is stopped must make sense as well: it would be refused otherwise."""
    pairs = [(i, one) for i, one in zip(items, completions, strict=True) if i.index in stopped]
    if not pairs:
        return
    now, region = timezone.now(), Organisation.load().phone_region
    for item, one in pairs:
        errors = Errors()
        check(one, one.task, now, region, errors)
        item.refuse(errors)
