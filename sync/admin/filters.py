"""Filters of the lists; each offers and takes only what the viewer may see."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.contrib.filters.forms import SearchForm

from sync.enums import FailureMode, OutboxState, TaskState
from sync.models import OutboxRow, TaskImport
from teams.admin import DayRangeFilter, TeamFilter
from teams.models import User
from teams.scoped_admin import Text, viewer_of

__all__ = [
    "DayRangeFilter",
    "FailureFilter",
    "ImportFilter",
    "RowTeamFilter",
    "SyncStateFilter",
    "TaskTeamFilter",
    "UserFilter",
]

# More users than that are typed in, not chosen from a list.
MOST_OFFERED = 200
# Of a name that fits many, so many count.
MOST_NAMED = 500


class TaskTeamFilter(TeamFilter):
    user_path = "user__"


class RowTeamFilter(TeamFilter):
    user_path = "user__"


class ImportFilter(DropdownFilter):  # type: ignore[misc]
    """The tasks of one import of the viewer's; offered only to whom its page leads here."""

    title = _("import")
    parameter_name = "imported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        try:
            wanted = uuid.UUID(request.GET.get(self.parameter_name, ""))
        except ValueError:
            return []
        mine = TaskImport.objects.visible_to(viewer_of(request)).filter(uuid=wanted)
        return [(str(key), name) for key, name in mine.values_list("uuid", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = [key for key, _name in self.lookup_choices]
        return queryset.filter(imported__task_import__uuid=self.value()) if self.value() in known else queryset


class UserFilter(DropdownFilter):  # type: ignore[misc]
    """The viewer's users to choose from; where they are many, a field for a name or an e-mail instead."""

    title = _("user")
    parameter_name = "user"
    user_path = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.users = User.objects.visible_to(viewer_of(request))
        offered = list(self.users.only("uuid", "name", "email")[: MOST_OFFERED + 1])
        self.are_many = len(offered) > MOST_OFFERED
        # A filter that offers nothing is not shown at all.
        return [("", "")] if self.are_many else [(str(user.uuid), str(user)) for user in offered]

    def choices(self, changelist: Any) -> Iterator[Any]:
        if not self.are_many:
            yield from super().choices(changelist)
            return
        label = gettext("By user (name or e-mail)")
        yield {"form": SearchForm(name=self.parameter_name, label=label, data={self.parameter_name: self.value()})}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        words = (self.value() or "").strip()
        if not words:
            return queryset
        named = self._users_named(words)
        return queryset if named is None else queryset.filter(**{f"{self.user_path}__in": named})

    def _users_named(self, words: str) -> list[int] | None:
        """Return pks; None for a UUID that is no user of the viewer's, as in a link from before."""
        try:
            chosen = uuid.UUID(words)
        except ValueError:
            like = self.users.filter(Q(name__icontains=words) | Q(email__icontains=words))
            return list(like.order_by().values_list("pk", flat=True)[:MOST_NAMED])
        return list(self.users.filter(uuid=chosen).order_by().values_list("pk", flat=True)) or None


_SYNC_STATES: dict[str, tuple[Text, Callable[[], Q]]] = {
    "waiting": (_("waiting or sending"), lambda: Q(pk__in=OutboxRow.objects.unsettled().values("task"))),
    "admin": (
        _("waiting for an admin"),
        lambda: Q(pk__in=OutboxRow.objects.unsettled().filter(trouble__isnull=False).values("task")),
    ),
    "failed": (
        _("failed"),
        lambda: Q(pk__in=OutboxRow.objects.newest().undone(OutboxState.FAILED).values("task")),
    ),
    "synced": (_("synced"), lambda: Q(pk__in=OutboxRow.objects.newest().filter(state=OutboxState.DONE).values("task"))),
    "cancelled": (
        _("cancelled"),
        lambda: Q(pk__in=OutboxRow.objects.newest().undone(OutboxState.CANCELLED).values("task")),
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
