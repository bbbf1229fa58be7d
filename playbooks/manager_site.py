"""The Manager App's site: django-unfold's, but who may not enter is told so instead of being asked to log in again."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
else:
    from unfold.sites import UnfoldAdminSite as AdminSite

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class ManagerSite(AdminSite):
    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Guard a page: strangers log in first, and whoever is logged in without being a manager gets 403."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def refused(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            return guarded(request, *args, **kwargs)

        return cast(View, refused)
