"""The pages around the apps: the start, logging in and out, the icon."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from teams.models import User
from teams.pages import render_settings_page

if TYPE_CHECKING:
    from django.contrib.auth.forms import AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


class LogInForm(AuthenticationForm):
    """E-mail and password. Reps may log in, too; where they may go is another question."""

    error_messages = {
        "invalid_login": _("E-mail and password don't fit together, or the user is deactivated."),
        "inactive": _("E-mail and password don't fit together, or the user is deactivated."),
    }

    def confirm_login_allowed(self, user: Any) -> None:
        """Who is active may log in: the backend has asked that already."""


class LogIn(LoginView):
    """One log-in for all. Takes the place of the admin's own, which would turn reps away."""

    form_class = LogInForm
    template_name = "admin/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and request.method == "GET":
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self) -> str:
        # The start knows where everybody belongs; a rep sent to the Manager App would come back here for ever.
        return super().get_success_url() if getattr(self.request.user, "is_staff", False) else reverse("home")

    def get_default_redirect_url(self) -> str:
        return reverse("home")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {
            **admin.site.each_context(self.request),
            **context,
            "title": _("Log in"),
            "app_path": self.request.get_full_path(),
            REDIRECT_FIELD_NAME: self.get_redirect_url(),
        }


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Send managers and admins to the Manager App; reps begin with what they may set, until they have a workspace."""
    if isinstance(request.user, User) and request.user.is_staff:
        return HttpResponseRedirect(reverse("admin:index"))
    return render_settings_page(request, "home.html", _("Settings"))


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico on pages that name no icon."""
    return HttpResponseRedirect(static("playbooks/favicon.svg"))
