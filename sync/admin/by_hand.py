"""Retrying and cancelling by hand in the Manager App's lists, and asking before something is cancelled."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from sync.by_hand import MOST_AT_ONCE, cancel, retry
from sync.models import OutboxRow
from teams.scoped_admin import viewer_of, within_scope


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
