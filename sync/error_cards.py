"""Equal errors once (B6): how many tasks they keep, since when, what they mean, and trying all of them again."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from sync import outbox
from sync.crm.remedies import Remedy, actor_of, remedy_for
from sync.enums import Actor, OutboxState
from sync.models import OutboxRow
from sync.models.outbox import OutboxQuerySet
from teams.models import User

# Rows in one transaction: a moment's work, so that nobody waits for its locks.
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class ErrorCard:
    """One error as one viewer sees it: `code` and `message` are the CRM's own words about one of the tasks."""

    signature: str
    mode: str
    code: str
    message: str
    tasks: int
    users: int
    given_up: int
    since: datetime
    last_at: datetime
    next_try: datetime | None  # None: nothing goes on by itself
    trouble_pk: int | None

    @property
    def remedy(self) -> Remedy:
        return remedy_for(self.mode, self.code, self.message)

    @property
    def actor(self) -> Actor:
        return actor_of(self.mode)


def cards(viewer: User, first: int = 0, most: int | None = None) -> list[ErrorCard]:
    """Return the errors of whom `viewer` may see, those that keep most tasks first: two queries."""
    return _cards(OutboxRow.objects.failing().visible_to(viewer), first, most)


def card(viewer: User, signature: str) -> ErrorCard | None:
    """Return one of them; None when nothing of it is left that `viewer` may see: two queries."""
    return next(iter(_cards(rows_of(viewer, signature), 0, 1)), None)


def _cards(rows: OutboxQuerySet, first: int, most: int | None) -> list[ErrorCard]:
    waiting = Q(state=OutboxState.PENDING)
    groups = (
        rows.order_by()
        .values("signature")
        .annotate(
            tasks=Count("pk"),
            users=Count("user", distinct=True),
            given_up=Count("pk", filter=Q(state=OutboxState.FAILED)),
            since=Min("error_since"),
            last_at=Max("error_at"),
            due_at=Min("not_before", filter=waiting),
            probe_at=Min("trouble__next_probe_at", filter=waiting),
            trouble_pk=Max("trouble"),
            sample=Max("pk"),
        )
        .order_by("-tasks", "signature")
    )
    found = list(groups[first : None if most is None else first + most])
    samples = OutboxRow.objects.only("failure_mode", "error_code", "error_message").in_bulk(
        [group["sample"] for group in found]
    )
    return [
        ErrorCard(
            signature=group["signature"],
            mode=sample.failure_mode,
            code=sample.error_code,
            message=sample.error_message,
            next_try=min((at for at in (group["due_at"], group["probe_at"]) if at), default=None),
            **{name: group[name] for name in ("tasks", "users", "given_up", "since", "last_at", "trouble_pk")},
        )
        for group in found
        # A row that passed between the two queries.
        if (sample := samples.get(group["sample"])) and sample.error_code
    ]


def count(viewer: User) -> int:
    """Return how many cards `viewer` would see."""
    failing = OutboxRow.objects.failing().visible_to(viewer)
    return failing.order_by().values("signature").distinct().count()


def rows_of(viewer: User, signature: str) -> OutboxQuerySet:
    """Return the rows that one card stands for."""
    return OutboxRow.objects.failing().visible_to(viewer).filter(signature=signature)


def retryable(viewer: User, signature: str, asked_at: datetime) -> OutboxQuerySet:
    """Return those of them that can be retried by hand, and have not failed anew since they were asked for."""
    return rows_of(viewer, signature).retryable().filter(Q(error_at=None) | Q(error_at__lte=asked_at))


def retry_all(viewer: User, signature: str, asked_at: datetime, *, after: int = 0, end: float | None = None) -> int:
    """Make a card's tasks due at once, each with a decision that says by whom; return where to go on, or 0.

    It works in chunks, by primary key from `after` on, until the monotonic clock says `end`.
    """
    rows = retryable(viewer, signature, asked_at).order_by("pk")
    while chunk := list(rows.filter(pk__gt=after).only("pk")[:CHUNK]):
        outbox.retry_now(chunk, viewer, as_backlog=True)
        after = chunk[-1].pk
        if end is not None and time.monotonic() >= end:
            return after
    return 0
