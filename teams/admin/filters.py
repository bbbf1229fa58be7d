"""Filters that lists share."""

import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter

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


class AccessFilter(DropdownFilter):  # type: ignore[misc]
    """Who can't log in yet: imported users have no password until they follow an invitation."""

    title = _("access")
    parameter_name = "access"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [("invited", _("invited, never logged in")), ("uninvited", _("not invited, never logged in"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("invited", "uninvited"):
            return queryset
        return queryset.filter(last_login=None, invited_at__isnull=self.value() == "uninvited")


class DayRangeFilter(RangeDateFilter):  # type: ignore[misc]
    """From one day to another, both whole, in the viewer's time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.parameter_name
        if first := _day(self.used_parameters.get(f"{name}_from")):
            queryset = queryset.filter(**{f"{name}__gte": _midnight(first)})
        if last := _day(self.used_parameters.get(f"{name}_to")):
            queryset = queryset.filter(**{f"{name}__lt": _midnight(last + datetime.timedelta(days=1))})
        return queryset


def _day(text: str | None) -> datetime.date | None:
    try:
        day = datetime.date.fromisoformat((text or "").strip())
    except ValueError:
        return None
    # The ends of the calendar have no midnight in every time zone.
    return day if 1900 <= day.year <= 2999 else None


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
