"""Filters that lists share."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from teams.models import Team
from teams.scoped_admin import Text, viewer_of


class TeamFilter(DropdownFilter):  # type: ignore[misc]
    """The viewer's teams; `user_path` leads from the list's model to the user."""

    title = _("team")
    parameter_name = "team"
    user_path = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        teams = Team.objects.visible_to(viewer_of(request))
        return [(str(team.uuid), team.name) for team in teams]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = dict(self.lookup_choices)
        if self.value() not in chosen:
            return queryset
        return queryset.filter(**{f"{self.user_path}team__uuid": self.value()})


class CrmUserFilter(DropdownFilter):  # type: ignore[misc]
    title = _("CRM user")
    parameter_name = "crm_user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [("known", _("known")), ("missing", _("missing: the Access User owns the Tasks"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("known", "missing"):
            return queryset
        return queryset.filter(crm_user_id__isnull=self.value() == "missing")
