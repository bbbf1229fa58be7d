"""Telling senders how their tasks ended: claim what is due for one receiver, carry it there, settle the answers.

A receiver is claimed as a whole, for the length of a lease: so it is told by one process at a time, and one that
doesn't answer rests as a whole and is tried with a single delivery, whatever else waits for it. Only `claim` and
`settle` touch the database; `carry` only the network (sync/webhook_process.py runs it in threads).
"""

import json
import logging
import random
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from sync import task_answers
from sync.enums import DeliveryState, TaskStatus, WebhookError
from sync.models import ReceivedTask, Sender, WebhookDelivery, WebhookReceiver
from sync.webhook_address import AddressRefusedError, Network, Target, target
from sync.webhook_events import hearing
from sync.webhook_http import Line, Reply, new_secret, signed_headers
from teams import notices
from teams.models import NoticeKind, User

logger = logging.getLogger(__name__)
_uniform = random.SystemRandom().uniform

# Longer than a batch can last: nothing is begun after BATCH_SECONDS, and one POST takes ten seconds at most.
LEASE = timedelta(minutes=2)
BATCH_SECONDS = 10.0
BATCH = 64
# So many POSTs at once for a receiver that answers; one for a receiver that failed last.
LANES = 4
# A receiver that takes nothing for so long is the admins' business.
FAILING_AFTER = timedelta(days=1)
# What waited through an outage of that length is due at once when it is over.
OUTAGE = timedelta(minutes=1)
# After a change the old secret signs, too, for so long.
FORMER_SECRET_FOR = timedelta(days=1)

_LONGEST_DELAY = timedelta(hours=2)
_LONGEST_REST = timedelta(minutes=15)


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


def claim_due(now: datetime) -> Iterator[Claim]:
    """Take every receiver for which something is due and that is free: not resting, not in somebody's hands.

    One after the other, so that a database that goes away meanwhile leaves nobody claimed whom nobody tells.
    """
    due = WebhookDelivery.objects.due(now).filter(sender=OuterRef("pk"))
    receivers = WebhookReceiver.objects.filter(sender=OuterRef("pk"))
    free = ~Exists(receivers) | Exists(receivers.free(now))
    senders = hearing().filter(Exists(due), free).order_by("pk").values_list("pk", flat=True)
    for pk in list(senders):
        if claimed := _claim_safely(pk, now):
            yield claimed


def _claim_safely(sender_pk: int, now: datetime) -> Claim | None:
    """What nobody foresaw about one receiver mustn't keep the others."""
    try:
        with transaction.atomic():
            return _claim(sender_pk, now)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("A webhook could not be prepared.", extra={"row": sender_pk})
        WebhookReceiver.objects.filter(sender=sender_pk).update(resting_until=now + _LONGEST_REST)
        return None


def _claim(sender_pk: int, now: datetime) -> Claim | None:
    receivers = WebhookReceiver.objects.defer("former_secret")
    receiver, _made = receivers.get_or_create(sender_id=sender_pk)
    token = uuid.uuid4()
    free = WebhookReceiver.objects.free(now).filter(pk=receiver.pk)
    if not free.update(lease_token=token, lease_until=now + LEASE):
        return None
    waiting = WebhookDelivery.objects.waiting().filter(sender=sender_pk)
    if receiver.failures:
        # Not while it is well: a long backlog would be read through for each batch.
        waiting.filter(give_up_at__lte=now).update(state=DeliveryState.GIVEN_UP, settled_at=now)
    due = list(waiting.filter(not_before__lte=now).order_by("not_before", "pk")[: 1 if receiver.failures else BATCH])
    parcels = _parcels(due, now)
    held = WebhookReceiver.objects.held(token)
    if not parcels:
        held.update(lease_token=None, lease_until=None)
        return None
    try:
        url, secrets = _way(sender_pk, now)
    except (ImproperlyConfigured, ValueError):
        lost = Claim(receiver=receiver.pk, token=token, url="", secrets=(), networks=(), parcels=parcels[:1])
        settle(lost, [Outcome(parcels[0], Reply(error=WebhookError.SECRET))])
        return None
    networks = tuple(settings.WEBHOOK_PRIVATE_NETWORKS)
    return Claim(receiver=receiver.pk, token=token, url=url, secrets=secrets, networks=networks, parcels=parcels)


def _parcels(due: Sequence[WebhookDelivery], now: datetime) -> tuple[Parcel, ...]:
    """Read what is to be told as it stands now; a task that went on is told of at its next end."""
    found = task_answers.loaded(ReceivedTask.objects.filter(pk__in=[each.received_id for each in due]))
    received = {each.pk: each for each in found}
    parcels, overtaken = [], []
    for each in due:
        status = task_answers.status(received[each.received_id])
        if not status.is_final:
            overtaken.append(each.pk)
            continue
        told = {
            "type": f"task.{status.value}",
            "timestamp": each.final_at.isoformat(),
            "data": task_answers.answer(received[each.received_id]),
        }
        parcels.append(Parcel(each.pk, str(each.uuid), status, _as_json(told)))
    if overtaken:
        WebhookDelivery.objects.filter(pk__in=overtaken).update(state=DeliveryState.OVERTAKEN, settled_at=now)
    return tuple(parcels)


def _way(sender_pk: int, now: datetime) -> tuple[str, tuple[str, ...]]:
    """Return address and secrets of a sender. Raises ImproperlyConfigured when a secret can't be decrypted."""
    sender = Sender.objects.select_related("receiver").get(pk=sender_pk)
    if not sender.webhook_secret:
        raise ValueError
    receiver: WebhookReceiver | None = getattr(sender, "receiver", None)
    until = receiver.former_secret_until if receiver else None
    former = receiver.former_secret if receiver and until and until > now else ""
    return sender.webhook_url, tuple(secret for secret in (sender.webhook_secret, former) if secret)


def carry(claim: Claim) -> list[Outcome]:
    """Send a claim's parcels; what was not begun is missing from the answer. Ends at the first one that fails."""
    try:
        where = target(claim.url, claim.networks)
    except AddressRefusedError as refused:
        return [Outcome(claim.parcels[0], Reply(error=refused.kind))]
    batch = _Batch(claim, where, deque(claim.parcels), time.monotonic() + BATCH_SECONDS)
    others = [
        threading.Thread(target=batch.work, name=f"webhook lane {number}", daemon=True)
        for number in range(1, min(LANES, len(claim.parcels)))
    ]
    for thread in others:
        thread.start()
    batch.work()
    for thread in others:
        thread.join()
    return batch.outcomes


@dataclass
class _Batch:
    """Parcels that several lanes take from, each over a connection of its own."""

    claim: Claim
    where: Target
    left: deque[Parcel]
    end: float
    outcomes: list[Outcome] = field(default_factory=list)
    failed: bool = False

    def work(self) -> None:
        line = Line(self.where)
        try:
            while not self.failed and time.monotonic() < self.end:
                try:
                    parcel = self.left.popleft()
                except IndexError:
                    return
                reply = self._post(line, parcel)
                self.outcomes.append(Outcome(parcel, reply))
                if reply.error is not None:
                    self.failed = True
        finally:
            line.close()

    def _post(self, line: Line, parcel: Parcel) -> Reply:
        try:
            return line.post(_headers(parcel.event, parcel.body, self.claim.secrets), parcel.body)
        except Exception:
            # Else it would be begun anew at once, for ever.
            logger.exception("A webhook could not be sent.")
            return Reply(error=WebhookError.BROKEN)


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
    return min(_LONGEST_REST, timedelta(seconds=2 ** min(failures, 12)))


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


def _headers(event: str, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Playbooks-CRM-Sync",
        **signed_headers(event, int(time.time()), body, secrets),
    }


def _as_json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def send_test(sender: Sender) -> Reply:
    """Tell a receiver of nothing, at once, and return what it said. `text` says why when the address is refused."""
    now = timezone.now()
    try:
        where = target(sender.webhook_url, tuple(settings.WEBHOOK_PRIVATE_NETWORKS))
    except AddressRefusedError as refused:
        return Reply(error=refused.kind, text=str(refused))
    data = {"sender": sender.name, "message": "A test from Playbooks CRM Sync: no task has changed."}
    body = _as_json({"type": "webhook.test", "timestamp": now.isoformat(), "data": data})
    _url, secrets = _way(sender.pk, now)
    line = Line(where)
    try:
        reply = line.post(_headers(str(uuid.uuid4()), body, secrets), body)
    finally:
        line.close()
    if reply.error is None:
        WebhookReceiver.objects.filter(sender=sender).update(resting_until=None)
    return reply


def change_secret(sender: Sender, *, at_once: bool = False) -> str:
    """Give the webhook a new secret, and return it. The old one signs, too, for a day, unless `at_once`."""
    now = timezone.now()
    with transaction.atomic():
        receiver, _made = WebhookReceiver.objects.defer("former_secret").get_or_create(sender=sender)
        receiver.former_secret = "" if at_once else sender.webhook_secret
        receiver.former_secret_until = None if at_once else now + FORMER_SECRET_FOR
        receiver.save(update_fields=["former_secret", "former_secret_until"])
        secret = new_secret()
        Sender.objects.filter(pk=sender.pk).update(webhook_secret=secret)
    return secret


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
