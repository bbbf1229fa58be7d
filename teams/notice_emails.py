"""Notices by e-mail: outside the caller's transaction, and never the caller's failure."""

import logging
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from teams.models import Notice

logger = logging.getLogger(__name__)

# Whoever sends holds a notice for so long; one that failed, or whose sender was killed, is due again afterwards.
TRY_AGAIN = timedelta(minutes=10)
# Older news helps nobody.
GIVE_UP = timedelta(days=2)
AT_ONCE = 100


def send(uuids: Collection[UUID] | None = None) -> int:
    """Send the e-mails that are due, of these notices or of all; return how many were sent.

    A mail server that fails is logged, without contents, and tried again by the next call after TRY_AGAIN.
    """
    claimed = _claim(uuids)
    if not claimed:
        return 0
    sent = 0
    server = get_connection()
    try:
        server.open()
        for notice in claimed:
            sent += _send(notice, server)
    except OSError as error:  # of which smtplib's errors are
        logger.warning("e-mails not sent (%s)", type(error).__name__, extra={"count": len(claimed) - sent})
    finally:
        server.close()
    return sent


def _claim(uuids: Collection[UUID] | None) -> list[Notice]:
    """Take what is due, each for one sender alone."""
    now = timezone.now()
    due = Notice.objects.filter(
        Q(read_at=None) | Q(on_page=False),
        email_due_at__lte=now,
        created_at__gt=now - GIVE_UP,
        user__is_active=True,
    )
    if uuids is not None:
        due = due.filter(uuid__in=uuids)
    found = list(due.select_related("user").order_by("email_due_at")[:AT_ONCE])
    later = now + TRY_AGAIN
    return [
        notice
        for notice in found
        if Notice.objects.filter(pk=notice.pk, email_due_at=notice.email_due_at).update(email_due_at=later)
    ]


def _send(notice: Notice, server: BaseEmailBackend) -> bool:
    """Send one; what the server says of this one alone doesn't keep the others."""
    message = EmailMessage(notice.title, _body(notice), to=[notice.user.email], connection=server)
    try:
        message.send()
    except (OSError, ValueError) as error:
        logger.warning("e-mail not sent (%s)", type(error).__name__, extra={"count": 1})
        return False
    now = timezone.now()
    Notice.objects.filter(pk=notice.pk).update(emailed_at=now, email_due_at=None)
    # What isn't on a page is never read there: then it is told again when its cause comes back.
    Notice.objects.filter(pk=notice.pk, on_page=False).update(read_at=Coalesce(F("read_at"), now))
    return True


def _body(notice: Notice) -> str:
    parts = [notice.text.strip(), settings.SITE_URL + notice.path if notice.path else ""]
    parts.append(
        _("What you are told, and how, is yours to choose: %(address)s")
        % {"address": settings.SITE_URL + reverse("my_notices")}
    )
    return "\n\n".join(part for part in parts if part) + "\n"
