"""The pages around the apps: the start and the icon."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from teams.models import User
from teams.pages import render_settings_page


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Send managers and admins to the Manager App; reps begin with what they may set, until they have a workspace."""
    if isinstance(request.user, User) and request.user.is_staff:
        return HttpResponseRedirect(reverse("admin:index"))
    return render_settings_page(request, "home.html", _("Settings"))


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico on pages that name no icon."""
    return HttpResponseRedirect(static("playbooks/favicon.svg"))
