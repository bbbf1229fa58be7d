"""Filters of the lists; each offers and takes only what the viewer may see."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from sync.enums import FailureMode, OutboxState, TaskState
from sync.models import OutboxRow
from teams.admin import DayRangeFilter, TeamFilter
from teams.models import User
from teams.scoped_admin import Text, viewer_of

__all__ = [
    "DayRangeFilter",
    "FailureFilter",
    "RowTeamFilter",
    "RowUserFilter",
    "SyncStateFilter",
    "TaskTeamFilter",
    "UserFilter",
]


class TaskTeamFilter(TeamFilter):
    user_path = "user__"


class RowTeamFilter(TeamFilter):
    user_path = "task__user__"


class UserFilter(DropdownFilter):  # type: ignore[misc]
    title = _("user")
    parameter_name = "user"
    user_path = "user__"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        users = User.objects.visible_to(viewer_of(request)).only("uuid", "name", "email")
        return [(str(user.uuid), str(user)) for user in users]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(**{f"{self.user_path}uuid": self.value()})


class RowUserFilter(UserFilter):
    user_path = "task__user__"


_SYNC_STATES: dict[str, tuple[Text, Callable[[], Q]]] = {
    "waiting": (_("waiting or sending"), lambda: Q(pk__in=OutboxRow.objects.unsettled().values("task"))),
    "admin": (
        _("waiting for an admin"),
        lambda: Q(pk__in=OutboxRow.objects.unsettled().filter(trouble__isnull=False).values("task")),
    ),
    "failed": (
        _("failed"),
        lambda: Q(pk__in=OutboxRow.objects.newest().filter(state=OutboxState.FAILED).values("task")),
    ),
    "synced": (_("synced"), lambda: Q(pk__in=OutboxRow.objects.newest().filter(state=OutboxState.DONE).values("task"))),
    "cancelled": (
        _("cancelled"),
        lambda: Q(pk__in=OutboxRow.objects.newest().filter(state=OutboxState.CANCELLED).values("task")),
    ),
    "unasked": (
        _("waiting for a connection"),
        lambda: Q(state=TaskState.COMPLETED, outbox_rows=None),
    ),
}


class SyncStateFilter(DropdownFilter):  # type: ignore[misc]
    title = _("sync state")
    parameter_name = "sync"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [(key, label) for key, (label, _condition) in _SYNC_STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = _SYNC_STATES.get(self.value() or "")
        return queryset.filter(chosen[1]()) if chosen else queryset


class FailureFilter(DropdownFilter):  # type: ignore[misc]
    """Tasks whose newest row failed or waits in this mode."""

    title = _("failure mode")
    parameter_name = "failure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [(mode.value, mode.label) for mode in FailureMode]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in FailureMode.values:
            return queryset
        rows = OutboxRow.objects.newest().filter(
            failure_mode=self.value(), state__in=[OutboxState.PENDING, OutboxState.FAILED]
        )
        return queryset.filter(pk__in=rows.values("task"))
