"""The queue's schedules and failed jobs, for admins to look at: what runs when is the code's to say (schedules.py)."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from teams.scoped_admin import Called, ReadOnlyAdmin, Text

# Their own pages could run any function and show pickled arguments.
for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class QueueAdmin(ReadOnlyAdmin):
    """The queue calls its jobs tasks; here a task is a rep's."""

    called: tuple[Text, Text]  # one, many

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"opts": Called(self.opts, *self.called), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found: Any = super().get_changelist_instance(request)
        found.opts = Called(found.opts, *self.called)
        return found


@admin.register(Schedule)
class ScheduleAdmin(QueueAdmin):
    called = (_("schedule"), _("Schedules"))
    lead = _("What the workers do by themselves, and when. It comes with the version; nobody changes it.")
    list_display = ("name", "func", "schedule_type", "minutes", "next_run")
    fields = ("name", "func", "schedule_type", "minutes", "cron", "next_run", "repeats")
    sortable_by = ()
    ordering = ("name",)
    when_empty = _("Schedules are set by manage.py setup.")


@admin.register(Failure)
class FailureAdmin(QueueAdmin):
    """The traceback stands in the log, where it is filtered; here is what failed and when."""

    called = (_("failed job"), _("Failed jobs"))
    lead = _("Background jobs that ended with an error. No task is lost: each minute looks for what is due.")
    list_display = ("func", "started", "stopped", "attempt_count")
    fields = ("func", "name", "started", "stopped", "attempt_count")
    hidden_fields = ("args", "kwargs", "result")
    sortable_by = ()
    ordering = ("-stopped",)
    when_empty = _("No job has failed lately.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("args", "kwargs", "result")
