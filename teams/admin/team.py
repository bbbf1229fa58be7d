"""Teams and their members."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from teams import team_rows
from teams.admin.csv_import import CsvImport, PeopleCsv
from teams.models import Team
from teams.resources import TeamResource
from teams.scoped_admin import LinkedByUuid, ScopedAdmin, link


class TeamList(LinkedByUuid):
    """A list whose links lead to the team's members."""

    def url_for_result(self, result: Any) -> str:
        return reverse("team", args=(result.uuid,))


class TeamCsv(PeopleCsv):
    columns = team_rows.COLUMNS
    required = team_rows.REQUIRED


@admin.register(Team)
class TeamAdmin(CsvImport, ScopedAdmin):
    resource_classes = (TeamResource,)
    formats = (TeamCsv,)
    file_name = "teams.csv"
    import_help = _(
        "One team a line, known by its name: a team that is there already gets the managers of the file, others are "
        "added, and none is deleted. Managers are e-mails, separated by semicolons; an empty cell leaves a team "
        "without any."
    )
    lead = _("Who works together, and whose managers see and mend their tasks. Open a team to switch its users' mail.")
    list_display = ("name", "manager_names", "member_count")
    ordering = ("name",)  # the model's own is lost where members are counted
    search_fields = ("name",)
    search_help_text = _("Name")
    when_empty = _("Teams tie reps to the managers who see their tasks.")
    fields = ("name", "managers", "members_link")
    readonly_fields = ("members_link",)
    autocomplete_fields = ("managers",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        active = Count("members", filter=Q(members__is_active=True), distinct=True)
        teams: QuerySet[Any] = super().get_queryset(request).annotate(active_members=active)
        return teams.prefetch_related("managers")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return TeamList

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields if obj else ("name", "managers")

    @admin.display(description=_("managers"))
    def manager_names(self, team: Team) -> str:
        return ", ".join(str(manager) for manager in team.managers.all()) or "-"

    @admin.display(description=_("active members"))
    def member_count(self, team: Any) -> int:
        return int(team.active_members)

    @admin.display(description=_("active members"))
    def members_link(self, team: Any) -> str:
        return link(reverse("team", args=(team.uuid,)), _("Members and their CRM Email Sync"))
