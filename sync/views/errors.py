"""Errors as cards, and trying all the tasks of one again."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django_q.tasks import async_task

from sync import error_cards
from sync.models.connection import MAX_BATCH
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import viewer_of

A_PAGE = 30


@manager_page("sync.view_attempt")
@require_GET
def error_list(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    number = _page_number(request.GET.get("page", "1"))
    found = error_cards.cards(viewer, (number - 1) * A_PAGE, A_PAGE + 1)
    tasks = reverse("admin:sync_task_changelist")
    may_see_trouble = viewer.has_perm("sync.view_trouble")
    context = {
        "cards": [
            {
                "card": card,
                "tasks_url": f"{tasks}?error={card.signature}",
                "trouble_url": reverse("admin:sync_trouble_change", args=[card.trouble_pk])
                if card.trouble_pk and may_see_trouble
                else "",
            }
            for card in found[:A_PAGE]
        ],
        "number": number,
        "now": timezone.now(),
        "has_next": len(found) > A_PAGE,
        "may_retry": viewer.has_perm("sync.change_task"),
    }
    return render_manager_page(request, "task_sync/errors.html", _("Task Sync"), context)


@manager_page("sync.view_attempt", "sync.change_task")
@require_POST
def retry(request: HttpRequest, signature: str) -> HttpResponse:
    """Ask first, saying how many; then make the viewer's own due: a few at once, many in the background."""
    viewer = viewer_of(request)
    now = timezone.now()
    total = error_cards.retryable(viewer, signature, now).count()
    if not total:
        messages.info(request, _("There is nothing to retry: these tasks have passed, or are being sent just now."))
        return redirect("task_sync_errors")
    if "confirmed" not in request.POST:
        context = {
            "card": error_cards.card(viewer, signature),
            "signature": signature,
            "total": total,
            "calls": -(-total // MAX_BATCH),
        }
        return render_manager_page(request, "task_sync/retry_all.html", _("Retry all?"), context)
    if total <= error_cards.CHUNK:
        error_cards.retry_all(viewer, signature, now)
        text = ngettext("%d task goes out at once.", "%d tasks go out at once.", total) % total
    else:
        async_task("sync.jobs.retry_errors", viewer.pk, signature, now.isoformat(), save=False)
        text = _("%(count)d tasks are being retried, one after the other.") % {"count": total}
    messages.success(request, text)
    return redirect("task_sync_errors")


def _page_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise BadRequest("The page is no number") from None
    if not 1 <= number <= 100_000:
        raise BadRequest("No such page")
    return number
