"""Retrying and cancelling by hand, for every page that offers it: as far as the viewer may see, and saying how many."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync import outbox
from sync.models import OutboxRow
from teams.scoped_admin import viewer_of, within_scope

# More at once would hold the outbox's lock for too long.
MOST_AT_ONCE = 1000


def retry(request: HttpRequest, rows: QuerySet[OutboxRow]) -> None:
    """Make rows due at once, as far as the viewer may see them, and say how many."""
    viewer = viewer_of(request)
    count = outbox.retry_now(within_scope(rows, viewer)[:MOST_AT_ONCE], viewer)
    if count:
        text = ngettext("%d task goes out at once.", "%d tasks go out at once.", count) % count
        messages.success(request, text)
    else:
        messages.info(request, _("There was nothing to retry: only what waits or failed can be retried."))


def cancel(request: HttpRequest, rows: QuerySet[OutboxRow]) -> None:
    """Give rows up, as far as the viewer may see them, and say how many."""
    viewer = viewer_of(request)
    count = outbox.cancel(within_scope(rows, viewer)[:MOST_AT_ONCE], viewer)
    if count:
        text = ngettext("%d task was cancelled.", "%d tasks were cancelled.", count) % count
        messages.success(request, text)
    else:
        messages.info(
            request,
            _("There was nothing to cancel: what is being sent, or may stand in the CRM already, can't be cancelled."),
        )
