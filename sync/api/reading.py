"""How a sender's tasks fare, one by its id or page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from sync import emails
from sync.api.problems import Problem, fields_of, invalid
from sync.api.receiving import unknown_user
from sync.api.schemas import TaskQuery
from sync.api.times import parsed
from sync.enums import TaskStatus
from sync.inputs import Errors
from sync.models import ReceivedTask, Sender
from sync.task_answers import answer, loaded, with_status
from teams.crm_ids import to_18

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def one(sender: Sender, received: UUID) -> dict[str, Any]:
    """Return what is told of one task. Raises Problem 404, also for another sender's."""
    found = loaded(_readable(sender).filter(uuid=received)).first()
    if found is None:
        raise Problem(404, "not_found", _("This token has handed in no task with this id."))
    return answer(found)


def page(sender: Sender, query: TaskQuery) -> dict[str, Any]:
    """Return one page in the order of receipt. Raises Problem 422 with messages by parameter."""
    errors = Errors()
    tasks = _narrowed(sender, query, errors)
    after = _after(sender, query.cursor, errors)
    if errors.by_field:
        raise invalid(fields_of(errors))
    if after is not None:
        time, pk = after
        tasks = tasks.filter(Q(received_at__gt=time) | Q(received_at=time, pk__gt=pk))
    rows = list(loaded(tasks.order_by("received_at", "pk")[: query.limit + 1]))
    shown = rows[: query.limit]
    return {
        "items": [answer(row) for row in shown],
        "next": _cursor(sender, shown[-1]) if len(rows) > query.limit else None,
    }


def _readable(sender: Sender) -> "QuerySet[ReceivedTask]":
    """The sender's own, of users who are in its team now."""
    received = ReceivedTask.objects.filter(sender=sender)
    return received if sender.team_id is None else received.filter(user__team=sender.team_id)


def _narrowed(sender: Sender, query: TaskQuery, errors: Errors) -> "QuerySet[ReceivedTask]":
    received = _readable(sender)
    if query.key is not None:
        received = received.filter(key=query.key) if "\0" not in query.key else received.none()
    if query.state:
        received = with_status(received, TaskStatus(query.state))
    if query.user is not None:
        user = sender.users().filter(_named(query.user)).order_by("pk").first()
        if user is None:
            errors.add("user", unknown_user(), "unknown")
        else:
            received = received.filter(user=user)
    if query.since is not None:
        since = parsed(query.since, "since", errors)
        received = received.filter(received_at__gte=since) if since else received
    return received


def _named(user: str) -> Q:
    if "@" in user and "\0" not in user:
        return Q(email=emails.normalised(user))
    try:
        return Q(crm_user_id=to_18(user.strip()))
    except ValueError:
        return Q(pk__in=())


def _signer(sender: Sender) -> Signer:
    return Signer(salt=f"sync.api.cursor.{sender.pk}")


def _cursor(sender: Sender, last: ReceivedTask) -> str:
    microseconds = (last.received_at - _EPOCH) // timedelta(microseconds=1)
    return _signer(sender).sign(f"{microseconds}.{last.pk}")


def _after(sender: Sender, cursor: str | None, errors: Errors) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    try:
        time, _dot, pk = _signer(sender).unsign(cursor).partition(".")
    except BadSignature:
        message = _("This is no cursor of this token's. Take `next` of the page before as it stands, or none.")
        errors.add("cursor", message, "unknown")
        return None
    return _EPOCH + timedelta(microseconds=int(time)), int(pk)
