"""The pages around the apps: the start and the icon."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import reverse

from teams.models import User


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Send managers and admins to the Manager App, reps to their tasks."""
    is_staff = isinstance(request.user, User) and request.user.is_staff
    return HttpResponseRedirect(reverse("admin:index" if is_staff else "my_tasks"))


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico on pages that name no icon."""
    return HttpResponseRedirect(static("playbooks/favicon.svg"))
