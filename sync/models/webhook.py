"""What senders are to be told of their tasks by webhook, and how their receivers answer."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sync.encryption import EncryptedTextField
from sync.enums import DeliveryState, TaskStatus, WebhookError
from sync.models.sender import ReceivedTask, Sender

# For so long what a receiver doesn't take is tried again.
GIVE_UP_AFTER = timedelta(days=3)


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def waiting(self) -> Self:
        return self.filter(state=DeliveryState.WAITING)

    def due(self, now: datetime) -> Self:
        return self.waiting().filter(not_before__lte=now)

    def given_up(self) -> Self:
        return self.filter(state=DeliveryState.GIVEN_UP)

    def tellable(self) -> Self:
        """What can be told again by hand: what was given up, and what waits."""
        return self.filter(state__in=(DeliveryState.WAITING, DeliveryState.GIVEN_UP))


class WebhookDelivery(models.Model):
    """One thing to tell: a task that was handed in came to its end. Told at least once, under one id, in no order.

    What is told is read when it is sent, so the newest state is told; a task that goes on meanwhile is not told of
    until it comes to its next end.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    received = models.ForeignKey(ReceivedTask, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    final_at = models.DateTimeField(editable=False)
    state = models.CharField(_("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    not_before = models.DateTimeField(_("next try"))
    give_up_at = models.DateTimeField(_("given up at"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # What the last attempt told, and what became of it.
    status = models.CharField(_("told"), max_length=10, choices=TaskStatus.choices, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=20, choices=WebhookError.choices, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["received", "final_at"], name="webhook_once_per_end")]
        indexes = [
            models.Index(
                fields=["sender", "not_before", "id"], condition=Q(state=DeliveryState.WAITING), name="webhook_due"
            ),
            models.Index(fields=["sender", "-created_at", "-id"], name="webhook_newest"),
            models.Index(fields=["settled_at"], condition=~Q(state=DeliveryState.WAITING), name="webhook_settled"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)


class WebhookReceiverQuerySet(models.QuerySet["WebhookReceiver"]):
    def free(self, now: datetime) -> Self:
        """Neither switched off, nor resting, nor in somebody's hands."""
        return self.filter(
            Q(resting_until=None) | Q(resting_until__lte=now),
            Q(lease_until=None) | Q(lease_until__lte=now),
            switched_off_at=None,
        )

    def held(self, token: uuid.UUID) -> Self:
        return self.filter(lease_token=token)


class WebhookReceiver(models.Model):
    """How a sender's receiver answers: written by machines. It rests as a whole, so a dead one costs one try a time."""

    sender = models.OneToOneField(Sender, on_delete=models.CASCADE, related_name="receiver")
    # Whoever tells it things holds it until then; others leave it alone.
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    resting_until = models.DateTimeField(_("rests until"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("last delivered at"), null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=20, choices=WebhookError.choices, blank=True)
    told_at = models.DateTimeField(_("admins told at"), null=True, blank=True)
    # The receiver answered 410 Gone: it wants no more.
    switched_off_at = models.DateTimeField(_("switched off at"), null=True, blank=True)
    # Still signs beside the new one for a while after a change.
    former_secret = EncryptedTextField(blank=True, editable=False)
    former_secret_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = WebhookReceiverQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook receiver")
        verbose_name_plural = _("webhook receivers")

    def __str__(self) -> str:
        return str(self.sender)
