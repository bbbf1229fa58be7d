"""Users and teams as django-import-export reads and writes them: what a file may set, and what it never holds."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource

from teams import audit, team_rows, user_rows
from teams.acting_admin import take_turn
from teams.audit_words import in_words
from teams.csv_text import ROW
from teams.models import Team, User
from teams.team_rows import TeamRows
from teams.user_rows import UserRows

MOST_SHOWN = 100


class PreviewedResource(ModelResource):  # type: ignore[misc]
    """Rows are read and judged by our own rules; the result carries a preview and the problems, of bounded length.

    Nothing is saved unless every row is right: whoever imports asks for a roll-back on validation errors.
    """

    def __init__(self, viewer: User | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.viewer = viewer
        self.preview: list[dict[str, Any]] = []
        self.problems: list[dict[str, str]] = []
        self.values: dict[str, Any] = {}
        self.changes: audit.Changes = {}

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> Any:
        """Say what is wrong with a row; what nobody foresaw stays loud."""
        result = super().import_row(row, instance_loader, **kwargs)
        if result.errors:
            raise result.errors[0].error
        if result.validation_error and len(self.problems) < MOST_SHOWN:
            for column, messages in result.validation_error.message_dict.items():
                self.problems += [{"line": row[ROW], "column": column, "text": text} for text in messages]
        return result

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Leave rows alone that change nothing."""
        return not self.changes

    def after_import_row(self, row: Any, row_result: Any, **kwargs: Any) -> None:
        if self.changes and len(self.preview) < MOST_SHOWN:
            words = [str(change) for change in in_words(self._meta.model, self.changes)]
            self.preview.append({"is_new": row_result.is_new(), "name": row_result.object_repr, "changes": words})

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        result.preview, result.problems = self.preview, self.problems[:MOST_SHOWN]


class UserResource(PreviewedResource):
    email = Field(column_name="email", attribute="email")
    name = Field(column_name="name", attribute="name")
    role = Field(column_name="role", attribute="role")
    team = Field(column_name="team", attribute="team")
    crm_user_id = Field(column_name="crm_user_id", attribute="crm_user_id")
    mail_provider = Field(column_name="mail_provider", attribute="mail_provider")
    time_zone = Field(column_name="time_zone", attribute="time_zone")
    active = Field(column_name="active", attribute="is_active")

    class Meta:
        model = User
        fields = user_rows.COLUMNS
        export_order = user_rows.COLUMNS
        import_id_fields = ("email",)
        use_bulk = True
        batch_size = 500
        use_transactions = True
        skip_diff = True

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        assert self.viewer is not None
        if not kwargs.get("dry_run"):
            take_turn(self.viewer)
        self.rows = UserRows.load(self.viewer)
        self.made: list[tuple[Any, audit.Changes]] = []
        self.changed: list[tuple[Any, audit.Changes]] = []

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        self.values, self.changes = {}, {}
        self.values = self.rows.read(row)

    def get_instance(self, instance_loader: Any, row: Any) -> User | None:
        return self.rows.users.get(self.values["email"])

    def init_instance(self, row: Any = None) -> User:
        user = User()
        user.set_unusable_password()  # they choose one at the link of an invitation
        return user

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        is_new = instance.pk is None
        before = {name: "" if is_new else getattr(instance, name) for name in self.values}
        self.changes = {
            name: (_text(before[name]), _text(value)) for name, value in self.values.items() if before[name] != value
        }
        for name, value in self.values.items():
            setattr(instance, name, value)
        if self.changes:
            (self.made if is_new else self.changed).append((instance, self.changes))

    def bulk_create(self, using_transactions: bool, dry_run: bool, *args: Any, **kwargs: Any) -> None:
        if dry_run:  # our own rules have said all that there is to say
            self.create_instances.clear()
            return
        super().bulk_create(using_transactions, dry_run, *args, **kwargs)

    def bulk_update(
        self, using_transactions: bool, dry_run: bool, raise_errors: bool, batch_size: Any = None, result: Any = None
    ) -> None:
        """Write what has changed, a statement each: for thousands of rows Django's own bulk_update takes a minute."""
        instances: list[User] = list(self.update_instances)
        self.update_instances.clear()
        if dry_run:
            return
        names = {id(instance): list(changes) for instance, changes in self.changed}
        try:
            for instance in instances:
                values = {name: getattr(instance, name) for name in names[id(instance)]}
                User.objects.filter(pk=instance.pk).update(**values)
        except IntegrityError as error:  # somebody took an e-mail or a CRM user id meanwhile
            self.handle_import_error(result, error, raise_errors)

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        super().after_import(dataset, result, **kwargs)
        if not kwargs.get("dry_run") and not result.has_errors() and not result.has_validation_errors():
            audit.note_all(self.viewer, self.made, created=True)
            audit.note_all(self.viewer, self.changed)

    def dehydrate_team(self, user: User) -> str:
        return user.team.name if user.team else ""

    def dehydrate_active(self, user: User) -> str:
        return "yes" if user.is_active else "no"


class TeamResource(PreviewedResource):
    name = Field(column_name="name", attribute="name")
    managers = Field(column_name="managers", attribute="managers")

    class Meta:
        model = Team
        fields = team_rows.COLUMNS
        export_order = team_rows.COLUMNS
        import_id_fields = ("name",)
        use_transactions = True
        skip_diff = True

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        self.rows = TeamRows.load()

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        self.values, self.changes = {}, {}
        self.values = self.rows.read(row)

    def get_instance(self, instance_loader: Any, row: Any) -> Team | None:
        return self.rows.teams.get(self.values["name"].lower())

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        is_new = instance.pk is None
        managers = [] if is_new else list(instance.managers.all())
        wanted = self.values.get("managers", managers)
        changes = {
            "name": ("" if is_new else instance.name, self.values["name"]),
            "managers": (_names(managers), _names(wanted)),
        }
        self.changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
        instance.name = self.values["name"]

    def save_m2m(self, instance: Any, row: Any, **kwargs: Any) -> None:
        if "managers" in self.values:
            instance.managers.set(self.values["managers"])

    def dehydrate_managers(self, team: Any) -> str:
        return "; ".join(sorted(manager.email for manager in team.managers.all()))


def _names(users: Iterable[User]) -> str:
    return ", ".join(sorted(user.email for user in users)) or ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)
