"""Filters of the list of enrolments."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from sync.enums import TaskState
from sync.models import Play, PlayStep, Task
from teams.admin import TeamFilter
from teams.scoped_admin import Text


class EnrolmentTeamFilter(TeamFilter):
    user_path = "user__"


class PlayFilter(DropdownFilter):  # type: ignore[misc]
    title = _("play")
    parameter_name = "play"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [(str(key), name) for key, name in Play.objects.order_by("name").values_list("uuid", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        play = play_of(self.value())
        return queryset.filter(play__uuid=play) if play else queryset


_STATES: dict[str, tuple[Text, Q]] = {
    "running": (_("running"), Q(ended_at=None)),
    "ended": (_("ended"), Q(ended_at__isnull=False)),
    "finished": (_("finished: every step is done or skipped"), Q(ended_at__isnull=False, ended_by=None)),
    "by_hand": (_("ended by hand"), Q(ended_by__isnull=False)),
}


class StateFilter(DropdownFilter):  # type: ignore[misc]
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [(key, label) for key, (label, _condition) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = _STATES.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class StepFilter(DropdownFilter):  # type: ignore[misc]
    """By the first step that is still open; the steps of one play, once it is chosen."""

    title = _("step that is next")
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        play = play_of(request.GET.get("play"))
        if play is None:
            return []
        steps = PlayStep.objects.filter(play__uuid=play).order_by("position")
        return [(str(step.pk), f"{number}. {step.name}") for number, step in enumerate(steps, start=1)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        still_open = Task.objects.filter(enrolment=OuterRef("pk"), state=TaskState.OPEN)
        first = still_open.order_by("step__position").values("step")[:1]
        chosen: QuerySet[Any] = queryset.alias(next_step=Subquery(first)).filter(next_step=self.value())
        return chosen


_DUE: dict[str, tuple[Text, Callable[[], Q]]] = {
    "overdue": (_("overdue"), lambda: Q(due_on__lt=timezone.localdate())),
    "today": (_("due today or overdue"), lambda: Q(due_on__lte=timezone.localdate())),
}


class DueFilter(DropdownFilter):  # type: ignore[misc]
    title = _("due")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Text]]:
        return [(key, label) for key, (label, _condition) in _DUE.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = _DUE.get(self.value() or "")
        if chosen is None:
            return queryset
        due = Task.objects.filter(chosen[1](), enrolment=OuterRef("pk"), state=TaskState.OPEN)
        return queryset.filter(Exists(due))


def play_of(value: str | None) -> uuid.UUID | None:
    """Return the UUID that an address names; None for anything else."""
    try:
        return uuid.UUID(value or "")
    except ValueError:
        return None
