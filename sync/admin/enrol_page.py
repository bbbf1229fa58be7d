"""Enrolling chosen records in a play: for whom, who would get what, and then doing it."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sync import plays
from sync.enrolling import MOST_AT_ONCE, ChangedError, Plan, enrol_many, plan
from sync.models import Play, Record
from teams.models import User
from teams.pages import manager_page, render_manager_page
from teams.scoped_admin import page_of, viewer_of

# Of a plan, so many rows are shown.
MOST_SHOWN = 100


class EnrolForm(forms.Form):
    """Which play, and whose tasks they become; the records were chosen in their list."""

    records = forms.CharField(widget=forms.HiddenInput)
    play = forms.ModelChoiceField(
        Play.objects.filter(is_active=True).order_by("name"),
        label=_("Play"),
        empty_label=_("Choose a play"),
        to_field_name="uuid",
        help_text=_("Only active plays can be chosen."),
        error_messages={"invalid_choice": _("This play is not active any more. Choose another.")},
    )
    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("For"),
        required=False,
        empty_label=_("Each record's owner"),
        to_field_name="uuid",
        help_text=_("Owners are those of the CRM, as far as they are active users of your teams."),
        error_messages={"invalid_choice": _("This user is deactivated or not of your teams. Choose another.")},
    )

    def __init__(self, viewer: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = self.fields["user"]
        assert isinstance(users, forms.ModelChoiceField)
        users.queryset = User.objects.visible_to(viewer).active()

    def clean_records(self) -> list[Record]:
        keys = _keys(self.cleaned_data["records"])
        records = list(Record.objects.filter(uuid__in=keys).order_by("-pk")) if len(keys) <= MOST_AT_ONCE else []
        if not records:
            raise ValidationError(_("Choose the records anew in their list."), code="records")
        return records


def begin(request: HttpRequest, keys: Sequence[UUID]) -> HttpResponse:
    """Show the choice of a play for records that were just chosen."""
    form = EnrolForm(viewer_of(request), initial={"records": ",".join(str(key) for key in keys)})
    return _render(request, form, len(keys))


@manager_page("sync.view_record", "sync.add_enrolment")
def enrol(request: HttpRequest) -> HttpResponse:
    """Show what would happen, and do it once it was seen. By GET (`?records=`, UUIDs) the choice begins."""
    viewer = viewer_of(request)
    if request.method != "POST":
        wished = Record.objects.filter(uuid__in=_keys(request.GET.get("records", ""))[:MOST_AT_ONCE])
        keys = list(wished.values_list("uuid", flat=True))
        return begin(request, keys) if keys else HttpResponseRedirect(reverse("admin:sync_record_changelist"))
    form = EnrolForm(viewer, request.POST)
    chosen = len(_keys(request.POST.get("records", "")))
    if not form.is_valid():
        return _render(request, form, chosen)
    wanted = (form.cleaned_data["play"], form.cleaned_data["records"], form.cleaned_data["user"], viewer)
    expected = request.POST.get("expected", "")
    try:
        if "enrol" not in request.POST or not expected:
            return _render(request, form, chosen, plan(*wanted))
        done = enrol_many(*wanted, expected=expected)
    except ValidationError as error:
        form.add_error(None, error)  # it names the fields
        return _render(request, form, chosen)
    except ChangedError as changed:
        text = _now("Nothing was done: the play or the records have changed meanwhile. This is what would happen now.")
        messages.warning(request, text)
        return _render(request, form, chosen, changed.plan)
    _say(request, done)
    return HttpResponseRedirect(f"{reverse('admin:sync_enrolment_changelist')}?play={done.play.uuid}&state=running")


def _keys(text: str) -> list[UUID]:
    """Return the UUIDs in a list with commas, each once; what is none is passed over."""
    keys: dict[UUID, None] = {}
    for part in text.split(","):
        with suppress(ValueError):
            keys[UUID(part)] = None
    return list(keys)


def _render(request: HttpRequest, form: EnrolForm, chosen: int, agreed: Plan | None = None) -> HttpResponse:
    context = {"form": form, "chosen": chosen, "most": MOST_SHOWN, **(_shown(agreed) if agreed else {})}
    return render_manager_page(request, "admin/sync/enrol.html", _("Enrol in a play"), context)


def _shown(agreed: Plan) -> dict[str, Any]:
    """Return what the page shows of a plan: whom and how many, the first rows, and what is left out."""
    pairs = agreed.pairs[:MOST_SHOWN]
    texts = plays.filled_texts(agreed.play, agreed.steps[:1], pairs)
    counts = Counter(user for _record, user in agreed.pairs)
    return {
        "plan": agreed,
        "reps": sorted(counts.items(), key=lambda each: (-each[1], str(each[0]))),
        "tasks": len(agreed.pairs) * len(agreed.steps),
        "rows": [
            {"record": record, "url": page_of(record), "user": user, "subject": filled[0][0]}
            for (record, user), filled in zip(pairs, texts, strict=True)
        ],
        "more_rows": len(agreed.pairs) - len(pairs),
        "left_out": [
            {"record": each.record, "url": page_of(each.record), "reason": each.reason}
            for each in agreed.left_out[:MOST_SHOWN]
        ],
        "more_left_out": max(0, len(agreed.left_out) - MOST_SHOWN),
    }


def _say(request: HttpRequest, done: Plan) -> None:
    count = len(done.enrolments)
    text = ngettext(
        "%(count)d record was enrolled in “%(play)s”.", "%(count)d records were enrolled in “%(play)s”.", count
    )
    messages.success(request, text % {"count": count, "play": done.play})
    if done.left_out:
        left = len(done.left_out)
        messages.info(request, ngettext("%d record was left out.", "%d records were left out.", left) % left)
