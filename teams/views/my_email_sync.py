"""Settings › Email › CRM Email Sync: everyone's own switches, what is in force and why."""  # noqa: RUF002

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from teams.email_sync import State
from teams.email_sync_facts import state_of, states_of
from teams.models import MailProvider, User
from teams.pages import render_settings_page, settings_page
from teams.scoped_admin import viewer_of
from teams.switching import switch_user
from teams.views.switches import Row, choice_in, direction_in, press, row_of, seen_in


@settings_page
def my_email_sync(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    context = {
        "rows": [_row(viewer, state) for state in states_of([viewer])[viewer.pk].values()],
        "provider": MailProvider(viewer.mail_provider),
        "is_smtp": viewer.mail_provider == MailProvider.SMTP,
        "has_mailbox": viewer.mail_provider != MailProvider.NONE,
    }
    return render_settings_page(request, "settings/my_email_sync.html", _("CRM Email Sync"), context)


@settings_page
def my_email_switch(request: HttpRequest, direction: str) -> HttpResponse:
    """Set one's own switch (M15)."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("my_email_sync"))
    viewer, which = viewer_of(request), direction_in(direction)
    choice, seen = choice_in(request.POST.get("choice", "")), seen_in(request)
    return press(
        request,
        lambda: switch_user(viewer, viewer, which, choice, seen=seen),
        lambda: _row(viewer, state_of(viewer, which)),
    )


def _row(viewer: User, state: State) -> Row:
    name = state.direction.value
    url = reverse("my_email_switch", args=(name,))
    return row_of(state, viewer, key=name, url=url, back=reverse("my_email_sync"))
