"""Retrying and cancelling by hand: for the lists' actions and for a task's own buttons."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sync import outbox
from sync.models import OutboxRow
from teams.scoped_admin import viewer_of, within_scope

# More at once would hold the outbox's lock for too long.
MOST_AT_ONCE = 1000


class ByHand:
    """Actions *retry now* and *cancel* for a list of tasks or outbox rows; both ask for sync.change_task."""

    actions: Any = ("retry_now", "cancel")
    list_disable_select_all = True

    def rows_of(self, queryset: QuerySet[Any]) -> QuerySet[OutboxRow]:
        """Return the outbox rows that the chosen entries stand for."""
        raise NotImplementedError

    def has_by_hand_permission(self, request: HttpRequest) -> bool:
        return viewer_of(request).has_perm("sync.change_task")

    @admin.action(description=_("Retry now"), permissions=["by_hand"])
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        retry(request, self.rows_of(queryset))

    @admin.action(description=_("Cancel"), permissions=["by_hand"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        rows = self.rows_of(queryset)
        if "confirmed" not in request.POST:
            return confirm_cancel(self, request, rows, "changelist")
        cancel(request, rows)
        return None


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


def confirm_cancel(model_admin: Any, request: HttpRequest, rows: QuerySet[OutboxRow], back: str) -> HttpResponse:
    """Ask before cancelling: it can't be undone. `back` names the admin page that *keep* leads to."""
    cancellable = OutboxRow.objects.cancellable().filter(pk__in=within_scope(rows, viewer_of(request)).values("pk"))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Cancel?"),
        "opts": model_admin.opts,
        "count": cancellable[:MOST_AT_ONCE].count(),
        "chosen": request.POST.getlist("_selected_action"),
        "back": back,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/sync/cancel_confirmation.html", context)
