"""What pages that are no model's have in common: who may see them, and the frame around them."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from teams.scoped_admin import Text, viewer_of

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
# A task in a list, as htmx names it; its forms open in a panel.
_ROW = re.compile(r"task-([0-9a-f-]{36})")


def manager_page(*permissions: str) -> Callable[[View[P]], View[P]]:
    """Guard a page of the Manager App: strangers log in first; who lacks one of `permissions` gets 403.

    `permissions` are written "app.action_model", as the roles name them (teams/backends.py).
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            viewer = viewer_of(request)
            if not viewer.is_staff or not viewer.has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return never_cache(login_required(guarded))

    return guard


def settings_page(view: View[P]) -> View[P]:
    """Guard a page that everyone has of their own: strangers log in first."""
    return never_cache(login_required(view))


def workspace_page(view: View[P]) -> View[P]:
    """Guard a page where people work, whatever their role: strangers log in first. What it lists is the view's care.

    Where htmx asks for a part of a page after the log-in has ended, the page is loaded anew, and leads to the log-in:
    the log-in's form in the place of that part would be of no use. What was typed meanwhile is shown, to be copied.
    """
    guarded = login_required(view)

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if request.method == "POST" and (request.POST.get("description") or request.POST.get("subject")):
                return _typed_too_late(request)
            if request.headers.get("HX-Request"):
                return HttpResponse(headers={"HX-Refresh": "true"})
        return guarded(request, *args, **kwargs)

    return never_cache(answer)


def _typed_too_late(request: HttpRequest) -> HttpResponse:
    """Show what was typed into a form that came after the log-in had ended: in the form's place, or as a page."""
    typed = {"subject": request.POST.get("subject", ""), "description": request.POST.get("description", "")}
    row = _ROW.fullmatch(request.headers.get("HX-Target", ""))
    context = {"typed": typed, "login_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.path})}"}
    if request.headers.get("HX-Request") and row:
        place = {"HX-Retarget": f"#panel-{row[1]}", "HX-Reswap": "innerHTML"}
        return HttpResponse(render_to_string("workspace/typed.html", context, request), headers=place)
    return render(request, "workspace/logged_out.html", context, status=403)


def render_manager_page(
    request: HttpRequest, template: str, title: Text, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page of the Manager App; `template` extends manager/base.html and fills its block `page`."""
    values = {**admin.site.each_context(request), "title": title, **(context or {})}
    return render(request, template, values, status=status)


def render_settings_page(
    request: HttpRequest, template: str, title: Text, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page under /settings/; `template` extends settings/base.html and fills its block `page`."""
    return render(request, template, {"title": title, **(context or {})}, status=status)


def render_workspace_page(
    request: HttpRequest, template: str, title: Text, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page where people work; `template` extends workspace/base.html and fills its block `page`."""
    return render(request, template, {"title": title, **(context or {})}, status=status)


def leave_for(request: HttpRequest, url: str, name: Text) -> HttpResponse:
    """Answer a form whose way leads to another site, `name`, at `url`.

    Our pages let forms be sent to this site alone (form-action 'self'), and Chromium holds that for redirects, too.
    So this page sends the browser on; whoever has switched that off follows its link.
    """
    response = render(request, "shell/leaving.html", {"title": name, "url": url, "name": name})
    response["Refresh"] = f"0; url={url}"
    return response
