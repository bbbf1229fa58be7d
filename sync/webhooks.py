"""Telling senders how their tasks ended: claim what is due for one receiver, and carry it there.

A receiver is claimed as a whole, for the length of a lease: so it is told by one process at a time, and one that
doesn't answer rests as a whole and is tried with a single delivery, whatever else waits for it. Only `claim_due` and
`settle` (sync/webhook_settling.py) touch the database; `carry` only the network (sync/webhook_process.py runs it in
threads).
"""

import json
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from sync import task_answers
from sync.enums import DeliveryState, WebhookError
from sync.models import ReceivedTask, Sender, WebhookDelivery, WebhookReceiver
from sync.webhook_address import AddressRefusedError, Target, target
from sync.webhook_events import hearing
from sync.webhook_http import Line, Reply, new_secret, signed_headers
from sync.webhook_settling import LONGEST_REST, Claim, Outcome, Parcel, settle

logger = logging.getLogger(__name__)

# Longer than a batch can last: nothing is begun after BATCH_SECONDS, and one POST takes ten seconds at most.
LEASE = timedelta(minutes=2)
BATCH_SECONDS = 10.0
BATCH = 64
# So many POSTs at once for a receiver that answers; one for a receiver that failed last.
LANES = 4
# After a change the old secret signs, too, for so long.
FORMER_SECRET_FOR = timedelta(days=1)


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
        WebhookReceiver.objects.filter(sender=sender_pk).update(resting_until=now + LONGEST_REST)
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
