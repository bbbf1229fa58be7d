"""Handing tasks in, written as one would at first: one task after the other, each object looked up and saved alone.

The same fields are judged by the same functions, the same rows are stored, one transaction holds a list.
"""

import json
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from sync import linking
from sync.api.items import Item, item_of
from sync.enums import LinkChoice, TaskKind, TaskSource, TaskState
from sync.inputs import Completion, Errors, Said, check
from sync.models import ApiToken, Connection, Decision, OutboxRow, ReceivedTask, Record, Task
from sync.models.sender import Sender, digest_of
from sync.outbox import ring
from teams.crm_ids import to_18
from teams.models import Organisation, User


@csrf_exempt
def tasks(request: HttpRequest) -> JsonResponse:
    _scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    token = ApiToken.objects.usable(timezone.now()).select_related("sender").get(digest=digest_of(text))
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now())
    given: Any = json.loads(request.body)
    with transaction.atomic():
        if isinstance(given, dict):
            answers: Any = _one(token.sender, item_of(0, given))
        else:
            answers = [_one(token.sender, item_of(index, one)) for index, one in enumerate(given)]
    return JsonResponse(answers, safe=False, status=202)


def _one(sender: Sender, item: Item) -> dict[str, Any]:
    if item.errors or item.body is None:
        return {"key": item.key, "errors": item.errors}
    known = ReceivedTask.objects.filter(sender=sender, key=item.key).first()
    if known is not None:
        return {"key": item.key, "id": str(known.uuid), "created": False}
    body = item.body
    user = User.objects.get(email=body.user, is_active=True)
    completion = Completion(
        user=user,
        kind=body.kind,
        subject=body.subject,
        description=body.description,
        completed_at=item.completed_at,
        call_direction=item.call.direction,
        call_duration_seconds=item.call.duration_seconds,
        call_disposition=item.call.disposition or "",
        phone_number=body.phone_number or "",
        email_address=body.email_address or "",
    )
    errors = Errors()
    said = check(completion, None, datetime.now(UTC), Organisation.load().phone_region, errors)
    if said is None:
        item.refuse(errors)
        return {"key": item.key, "errors": item.errors}
    task = _store(sender, item, user, said)
    return {"key": item.key, "id": str(task.uuid), "state": "waiting", "created": True}


def _store(sender: Sender, item: Item, user: User, said: Said) -> Task:
    connection = Connection.objects.get(user=None)
    given = item.body.record if item.body else None
    record = Record.objects.get(connection=connection, crm_id=to_18(given)) if given else None
    if record is not None:
        link = linking.chosen(record, None, LinkChoice.EXPLICIT)
    else:
        matches = linking.look_up(connection, {said.phone_e164} - {""}, {said.email_address} - {""})
        link = linking.matched(TaskKind(said.kind), said.phone_e164, said.email_address, matches)
    task = Task.objects.create(
        user=user,
        kind=said.kind,
        state=TaskState.COMPLETED,
        source=TaskSource.API,
        completed_at=said.completed_at,
        subject=said.subject,
        description=said.description,
        call_direction=said.call_direction,
        call_duration_seconds=said.call_duration_seconds,
        call_disposition=said.call_disposition,
        phone_number=said.phone_number,
        phone_e164=said.phone_e164,
        email_address=said.email_address,
        record=record,
        link_choice=link.choice,
        who=link.who,
        what=link.what,
        is_orphan=link.is_orphan,
    )
    for code, detail in link.decisions:
        Decision.objects.create(task=task, at=timezone.now(), code=code, detail=detail)
    OutboxRow.objects.create(connection=connection, task=task, key=task.key, not_before=timezone.now())
    ReceivedTask.objects.create(
        sender=sender, key=item.key or "", digest=item.digest, uuid=task.uuid, task=task, user=user
    )
    transaction.on_commit(lambda: ring(connection), robust=True)
    return task


urlpatterns = [path("api/v1/tasks", tasks)]
