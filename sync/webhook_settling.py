"""Writing down what receivers of webhooks said: what is told, when the rest is tried again, and whom to warn."""

import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.enums import DeliveryState, TaskStatus, WebhookError
from sync.models import Sender, WebhookDelivery, WebhookReceiver
from sync.webhook_address import Network
from sync.webhook_http import Reply
from teams import notices
from teams.models import NoticeKind, User

_uniform = random.SystemRandom().uniform

# A receiver that takes nothing for so long is the admins' business.
FAILING_AFTER = timedelta(days=1)
# What waited through an outage of that length is due at once when it is over.
OUTAGE = timedelta(minutes=1)

LONGEST_REST = timedelta(minutes=15)
_LONGEST_DELAY = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery, ready to be sent."""

    delivery: int
    event: str
    status: TaskStatus
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    parcel: Parcel
    reply: Reply


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What one receiver is to be told now, and what sending needs to know. `token` holds the receiver."""

    receiver: int
    token: uuid.UUID
    url: str
    secrets: tuple[str, ...]
    networks: tuple[Network, ...]
    parcels: tuple[Parcel, ...]


def settle(claim: Claim, outcomes: Sequence[Outcome]) -> None:
    """Write down what became of a claim, and give the receiver back; nothing when somebody else has taken it over."""
    now = timezone.now()
    with transaction.atomic():
        held = WebhookReceiver.objects.held(claim.token).select_for_update(of=("self",))
        lean = held.select_related("sender").defer("former_secret", "sender__webhook_secret")
        receiver = lean.filter(pk=claim.receiver).first()
        if receiver is None:
            return
        _settle_deliveries(outcomes, now)
        refused = [each.reply for each in outcomes if each.reply.error]
        if any(each.reply.error is None for each in outcomes):
            _passed(receiver, now)
        if refused:
            _failed(receiver, refused[0], now)
        receiver.lease_token = receiver.lease_until = None
        receiver.save(update_fields=_RECEIVER_FIELDS)


_RECEIVER_FIELDS = [
    "lease_token",
    "lease_until",
    "resting_until",
    "failures",
    "failing_since",
    "delivered_at",
    "http_status",
    "error",
    "told_at",
    "switched_off_at",
]


def _settle_deliveries(outcomes: Sequence[Outcome], now: datetime) -> None:
    groups: dict[tuple[TaskStatus, int | None], list[int]] = defaultdict(list)
    for each in outcomes:
        if each.reply.error is None:
            groups[each.parcel.status, each.reply.status].append(each.parcel.delivery)
    for (status, http_status), pks in groups.items():
        WebhookDelivery.objects.filter(pk__in=pks).update(
            state=DeliveryState.DELIVERED,
            settled_at=now,
            attempts=F("attempts") + 1,
            status=status,
            http_status=http_status,
            error="",
        )
    for each in outcomes:
        if each.reply.error is not None:
            _settle_refused(each, now)


def _settle_refused(outcome: Outcome, now: datetime) -> None:
    delivery = WebhookDelivery.objects.filter(pk=outcome.parcel.delivery)
    attempts, give_up_at = delivery.values_list("attempts", "give_up_at").get()
    is_over = now >= give_up_at
    delivery.update(
        state=DeliveryState.GIVEN_UP if is_over else DeliveryState.WAITING,
        settled_at=now if is_over else None,
        attempts=F("attempts") + 1,
        not_before=now + _jittered(delay(attempts + 1)),
        status=outcome.parcel.status,
        http_status=outcome.reply.status,
        error=outcome.reply.error,
    )


def delay(attempts: int) -> timedelta:
    """Return how long a delivery waits after so many failed attempts: 5 s, 20 s, 80 s … 2 hours."""
    return min(_LONGEST_DELAY, timedelta(seconds=5 * 4 ** min(attempts - 1, 8)))


def rest(failures: int) -> timedelta:
    """Return how long a receiver rests after so many failures in a row: 2 s, 4 s, 8 s … 15 minutes."""
    return min(LONGEST_REST, timedelta(seconds=2 ** min(failures, 12)))


def _jittered(wait: timedelta) -> timedelta:
    return wait * _uniform(0.75, 1.25)


def _passed(receiver: WebhookReceiver, now: datetime) -> None:
    if receiver.failing_since and now - receiver.failing_since > OUTAGE:
        waiting = WebhookDelivery.objects.waiting().filter(sender=receiver.sender_id)
        waiting.filter(not_before__gt=now).update(not_before=now)
    if receiver.told_at:
        notices.end(NoticeKind.WEBHOOKS, [_cause(receiver.sender)])
    receiver.failures, receiver.error, receiver.http_status = 0, "", None
    receiver.failing_since = receiver.resting_until = receiver.told_at = None
    receiver.delivered_at = now


def _failed(receiver: WebhookReceiver, reply: Reply, now: datetime) -> None:
    receiver.failures += 1
    receiver.failing_since = receiver.failing_since or now
    receiver.resting_until = now + _jittered(rest(receiver.failures))
    receiver.error, receiver.http_status = reply.error or "", reply.status
    if reply.error == WebhookError.GONE:
        receiver.switched_off_at = now
        waiting = WebhookDelivery.objects.waiting().filter(sender=receiver.sender_id)
        waiting.update(state=DeliveryState.GIVEN_UP, settled_at=now)
        title = _("The webhook of %(name)s is switched off: its receiver wants no more")
        _tell(receiver, title, now)
    elif receiver.told_at is None and now - receiver.failing_since >= FAILING_AFTER:
        _tell(receiver, _("The webhook of %(name)s has failed for a day"), now)


def _tell(receiver: WebhookReceiver, title: str, now: datetime) -> None:
    sender = receiver.sender
    text = _("It said: %(words)s. What it doesn't take is tried for three days, then given up.")
    notices.tell(
        User.objects.admins(),
        NoticeKind.WEBHOOKS,
        title=title % {"name": sender.name},
        text=text % {"words": words_of(receiver.error, receiver.http_status)},
        path=reverse("api_sender", args=[sender.uuid]),
        key=_cause(sender),
    )
    receiver.told_at = now


def _cause(sender: Sender) -> str:
    return f"webhook {sender.uuid}"


def words_of(error: str, http_status: int | None) -> str:
    """Say what went wrong; empty when nothing did."""
    if not error:
        return ""
    label = WebhookError(error).label
    if http_status and error != WebhookError.GONE:
        return _("%(words)s (HTTP %(status)d)") % {"words": label, "status": http_status}
    return str(label)


def begin_anew(sender: Sender) -> None:
    """Forget how the receiver answered: its address has changed, or it is switched on again."""
    receiver, _made = WebhookReceiver.objects.defer("former_secret").get_or_create(sender=sender)
    WebhookReceiver.objects.filter(pk=receiver.pk).update(
        resting_until=None,
        failures=0,
        failing_since=None,
        http_status=None,
        error="",
        told_at=None,
        switched_off_at=None,
    )
    notices.end(NoticeKind.WEBHOOKS, [_cause(sender)])
