"""The page My tasks: what is due, what comes, and what is done with where it stands on its way to the CRM."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from teams.pages import render_workspace_page, workspace_page


@workspace_page
def my_tasks(request: HttpRequest) -> HttpResponse:
    return render_workspace_page(request, "my_tasks/page.html", _("My tasks"))
