"""What the pages of senders show: how each fares, in few queries and without counting millions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, IntegerField, Max, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from sync.enums import DeliveryState
from sync.models import ApiToken, Sender, WebhookDelivery, WebhookReceiver
from sync.webhook_settling import FAILING_AFTER, words_of

SINCE = timedelta(days=30)
# Beyond that it is "more than".
COUNT_TO = 10_000
DELIVERIES = 20

_RECEIVED = """
    (SELECT COUNT(*) FROM (
        SELECT 1 FROM sync_receivedtask AS lately
        WHERE lately.sender_id = sync_sender.id AND lately.received_at >= %s LIMIT %s
    ) AS few)
"""


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word, its tone, and what it means."""

    label: str
    tone: str
    meaning: str = ""


def with_figures(now: datetime) -> "QuerySet[Sender]":
    """The senders with `tokens_usable`, `used_at` and `received_lately` (at most COUNT_TO + 1), and their receiver."""
    usable = ApiToken.objects.usable(now).filter(sender=OuterRef("pk")).order_by().values("sender")
    used = ApiToken.objects.filter(sender=OuterRef("pk")).order_by().values("sender")
    return (
        Sender.objects.defer("webhook_secret", "receiver__former_secret")
        .select_related("team", "receiver")
        .annotate(
            tokens_usable=Subquery(usable.annotate(many=Count("pk")).values("many"), output_field=IntegerField()),
            used_at=Subquery(used.annotate(last=Max("last_used_at")).values("last")),
            received_lately=RawSQL(_RECEIVED, [now - SINCE, COUNT_TO + 1]),  # noqa: S611 - values are parameters
        )
    )


def received_words(count: int) -> str:
    """Say how many tasks that is."""
    return _("more than %(count)d") % {"count": COUNT_TO} if count > COUNT_TO else str(count)


def webhook_badge(sender: Sender, now: datetime) -> Badge:
    """Say how the receiver answers."""
    receiver: WebhookReceiver | None = getattr(sender, "receiver", None)
    if not sender.webhook_url:
        return Badge(_("No webhook"), "neutral", _("Nobody is told how its tasks end."))
    if not sender.is_active:
        return Badge(_("Silent"), "neutral", _("The sender is switched off."))
    if receiver is None:
        return Badge(_("Nothing told yet"), "neutral")
    if receiver.switched_off_at:
        return Badge(_("Switched off"), "bad", _("The receiver answered 410: it wants no more."))
    words = words_of(receiver.error, receiver.http_status)
    if receiver.failing_since:
        label = _("Failing") if now - receiver.failing_since >= FAILING_AFTER else _("Not taken")
        return Badge(label, "bad" if label == _("Failing") else "warn", words)
    return Badge(_("Taken"), "good") if receiver.delivered_at else Badge(_("Nothing told yet"), "neutral")


def token_row(token: ApiToken, now: datetime) -> dict[str, Any]:
    """A token of a page: whether it is accepted, and whether there is nothing left to revoke."""
    has_ended = bool(token.revoked_at or (token.expires_at and token.expires_at <= now))
    return {"token": token, "badge": _token_badge(token, has_ended), "has_ended": has_ended}


def _token_badge(token: ApiToken, has_ended: bool) -> Badge:
    if has_ended:
        return Badge(_("Revoked") if token.revoked_at else _("Ended"), "neutral")
    return Badge(_("Accepted"), "good") if token.sender.is_active else Badge(_("Sender switched off"), "neutral")


_TONES = {
    DeliveryState.WAITING: "busy",
    DeliveryState.DELIVERED: "good",
    DeliveryState.GIVEN_UP: "bad",
    DeliveryState.OVERTAKEN: "neutral",
}


def delivery_rows(sender: Sender) -> list[dict[str, Any]]:
    """The last deliveries, newest first."""
    deliveries = WebhookDelivery.objects.filter(sender=sender).select_related("received__task")
    return [
        {
            "delivery": each,
            "key": each.received.key,
            "task": each.received.task,
            "badge": Badge(str(DeliveryState(each.state).label), _TONES[DeliveryState(each.state)]),
            "words": words_of(each.error, each.http_status),
            "can_tell_again": each.state in (DeliveryState.WAITING, DeliveryState.GIVEN_UP) and each.attempts,
        }
        for each in deliveries.order_by("-created_at", "-pk")[:DELIVERIES]
    ]
