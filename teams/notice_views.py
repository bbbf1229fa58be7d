"""Everyone's notices: the list, and how they want to be told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from teams import notices
from teams.models import Notice, NoticeKind, User
from teams.notice_choices import Channels, choices_of, choose
from teams.pages import render_settings_page, settings_page
from teams.scoped_admin import Text, viewer_of

A_PAGE = 30

HELP: dict[NoticeKind, Text] = {
    NoticeKind.CONNECTION: _("Nothing syncs while the Access User is disconnected, and nothing is lost."),
    NoticeKind.ERRORS: _("Tasks that the CRM refuses for a reason that nobody was told of yet, or far more of them."),
    NoticeKind.FILE_READY: _("Files take a while to prepare. You needn't wait on their page."),
    NoticeKind.CRM_USERS: _("Their Tasks are owned by the Access User until a CRM user is chosen for them."),
    NoticeKind.WEBHOOKS: _("A tool that hands tasks in has taken no news of them for a day, or wants no more."),
}


@settings_page
@require_GET
def notice_list(request: HttpRequest) -> HttpResponse:
    mine = Notice.objects.visible_to(viewer_of(request)).filter(on_page=True)
    page = Paginator(mine, A_PAGE).get_page(request.GET.get("page"))
    unread = any(notice.read_at is None for notice in page) or mine.unread().exists()
    return render_settings_page(request, "notices/list.html", _("Notices"), {"notices": page, "unread": unread})


@settings_page
@require_POST
def read(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Mark one as read; `open` leads on to the page that helps."""
    viewer = viewer_of(request)
    notice = get_object_or_404(Notice.objects.visible_to(viewer), uuid=uuid)
    notices.read(viewer, [notice.uuid])
    # Ours and on this site, whoever wrote it into the row.
    if "open" in request.POST and url_has_allowed_host_and_scheme(notice.path, allowed_hosts=None):
        return HttpResponseRedirect(notice.path)
    return redirect("notices")


@settings_page
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    count = notices.read(viewer_of(request))
    text = ngettext("%d notice was marked as read.", "%d notices were marked as read.", count) % count
    messages.success(request, text)
    return redirect("notices")


@dataclass(frozen=True, slots=True)
class Row:
    """One kind on the page of choices."""

    label: Text
    help: Text
    on_page: forms.BoundField
    by_email: forms.BoundField


class ChoicesForm(forms.Form):
    """Two boxes for each kind that concerns the user."""

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.kinds = choices_of(user)
        for kind, channels in self.kinds.items():
            self.fields[f"{kind}_page"] = _box(_("on the page of notices"), channels.on_page)
            self.fields[f"{kind}_email"] = _box(_("by e-mail"), channels.by_email)

    def rows(self) -> Iterator[Row]:
        for kind in self.kinds:
            yield Row(kind.label, HELP[kind], self[f"{kind}_page"], self[f"{kind}_email"])

    def chosen(self) -> dict[NoticeKind, Channels]:
        """Return what a valid form says."""
        values = self.cleaned_data
        return {kind: Channels(values[f"{kind}_page"], values[f"{kind}_email"]) for kind in self.kinds}


def _box(label: Any, initial: bool) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, initial=initial)


@settings_page
@require_http_methods(["GET", "POST"])
def my_notices(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    form = ChoicesForm(viewer, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        choose(viewer, form.chosen())
        messages.success(request, _("Saved."))
        return redirect("my_notices")
    return render_settings_page(
        request, "notices/choices.html", _("Notices"), {"form": form, "rows": list(form.rows())}
    )
