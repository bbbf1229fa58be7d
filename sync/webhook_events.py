"""Noting that a sender is to be told of a task's end, in the transaction that ends it; telling again; forgetting.

Whoever sets an outbox row done, failed or cancelled for good notes it here. `sync/webhooks.py` does the telling.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from sync.enums import DeliveryState
from sync.models import OutboxRow, ReceivedTask, Sender, WebhookDelivery, WebhookReceiver
from sync.models.webhook import GIVE_UP_AFTER, WebhookDeliveryQuerySet

KEEP = timedelta(days=30)
_TIDY_AT_ONCE = 5000

# A received task and its sender, by primary key.
Hearer = tuple[int, int]


def hearing() -> "QuerySet[Sender]":
    """The senders that are told things."""
    gone = WebhookReceiver.objects.filter(sender=OuterRef("pk"), switched_off_at__isnull=False)
    return Sender.objects.filter(is_active=True).exclude(webhook_url="").exclude(Exists(gone))


def hearers_by_row(rows: "QuerySet[OutboxRow]") -> dict[int, Hearer | None]:
    """Return these rows' primary keys, each with whom to tell of its task.

    Part of a query that is made anyway: where nobody is told, settling costs no query more.
    """
    heard = ReceivedTask.objects.filter(task=OuterRef("task"), sender__in=hearing())
    found = rows.annotate(heard_as=Subquery(heard.values("pk")), heard_by=Subquery(heard.values("sender")))
    return {
        pk: (received, sender) if received and sender else None
        for pk, received, sender in found.values_list("pk", "heard_as", "heard_by")
    }


def hearers_of(task_pks: Iterable[int]) -> list[Hearer]:
    """Return who is to be told of these tasks."""
    found = ReceivedTask.objects.filter(task__in=list(task_pks), sender__in=hearing())
    return list(found.values_list("pk", "sender"))


def note(hearers: Iterable[Hearer], now: datetime) -> None:
    """Write down that these are to be told, each once for this end; in the caller's transaction."""
    deliveries = [
        WebhookDelivery(
            received_id=received, sender_id=sender, final_at=now, not_before=now, give_up_at=now + GIVE_UP_AFTER
        )
        for received, sender in hearers
    ]
    if deliveries:
        WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)


def tell_again(deliveries: WebhookDeliveryQuerySet, sender: Sender) -> int:
    """Make what waits or was given up due at once, its three days begun anew; return how many."""
    now = timezone.now()
    again = deliveries.filter(sender=sender).tellable()
    count = again.update(
        state=DeliveryState.WAITING, not_before=now, give_up_at=now + GIVE_UP_AFTER, attempts=0, settled_at=None
    )
    WebhookReceiver.objects.filter(sender=sender).update(resting_until=None)
    return count


def tidy(now: datetime) -> int:
    """Forget what was settled long ago, and give up what nobody hears any more; return how many went."""
    WebhookDelivery.objects.waiting().filter(give_up_at__lte=now).exclude(sender__in=hearing()).update(
        state=DeliveryState.GIVEN_UP, settled_at=now
    )
    old = WebhookDelivery.objects.exclude(state=DeliveryState.WAITING).filter(settled_at__lt=now - KEEP)
    total = 0
    while gone := list(old.order_by("settled_at").values_list("pk", flat=True)[:_TIDY_AT_ONCE]):
        WebhookDelivery.objects.filter(pk__in=gone).delete()
        total += len(gone)
    return total
