"""A large organisation in a few seconds: rows made by the database itself, numbered, without Python touching each.

A million tasks completed evenly over the last 30 days, with their outbox rows and attempts; 5,000 users in 50 teams.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from django.db.models import Field, Model
from django.utils import timezone

from sync.enums import AttemptOutcome, AuthFlow, FailureMode, OutboxState, RecordKind, TaskKind, TaskState
from sync.models import Attempt, Connection, OutboxRow, Record, Task
from teams.models import Organisation, Role, Team, User

CODES = ("UNABLE_TO_LOCK_ROW", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "STRING_TOO_LONG", "INVALID_CROSS_REFERENCE_KEY")
RARE_CODE = "DUPLICATE_VALUE"


@dataclass(frozen=True, slots=True)
class Size:
    teams: int = 50
    users: int = 5_000
    records: int = 20_000
    tasks: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database numbers rows and writes what its models hold. `n` is the row's number, from 1."""

    numbers: str  # with %s for how many
    uuid: str
    padded: str  # n with 12 digits
    moment: str  # {share} of the last 30 days after their beginning, up to an hour ago
    true: str


_POSTGRES = Dialect(
    numbers="generate_series(1::bigint, %s) AS numbers(n)",
    uuid="md5('{salt}' || n)::uuid",
    padded="lpad(({number})::text, 12, '0')",
    moment="now() - interval '719 hours' + interval '718 hours' * ({share})",
    true="true",
)
_SQLITE = Dialect(
    numbers=(
        "(WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT %s) SELECT n FROM numbers)"
    ),
    uuid="printf('%032x', n * 31 + {salt_number})",
    padded="printf('%012d', {number})",
    moment="strftime('%Y-%m-%d %H:%M:%f', julianday('now') - 719 / 24.0 + 718 / 24.0 * ({share}))",
    true="1",
)


def fill(size: Size) -> None:
    """Make it all, in an empty database that is migrated."""
    Organisation.load()
    dialect = _POSTGRES if database.vendor == "postgresql" else _SQLITE
    made = _Made(dialect, size)
    with database.cursor() as cursor:
        if database.vendor != "postgresql":
            cursor.execute("PRAGMA synchronous=OFF")
        for model, count, expressions in made.tables():
            _insert(cursor, dialect, model, count, expressions)
        if database.vendor == "postgresql":
            # As autovacuum does by itself, a little later. On SQLite nobody does.
            cursor.execute("VACUUM ANALYZE")
    User.objects.create_user("admin@bench.example", name="Admin", role=Role.ADMIN)
    for name, teams in (("one-team", 1), ("half-of-all", size.teams // 2)):
        manager = User.objects.create_user(f"{name}@bench.example", name=name, role=Role.MANAGER)
        for team in Team.objects.order_by("pk")[:teams]:
            team.managers.add(manager)


@dataclass(frozen=True, slots=True)
class _Made:
    """What stands in each column, as SQL over n; every other column has its model's default."""

    dialect: Dialect
    size: Size

    def tables(self) -> "list[tuple[type[Model], int, Mapping[str, str]]]":
        size, count = self.size, self.size.tasks
        return [
            (Connection, 1, self._connection()),
            (Team, size.teams, {"uuid": self._uuid("team"), "name": "'Team ' || n"}),
            (User, size.users, self._user()),
            (Record, size.records, self._record()),
            (Task, count, self._task()),
            (OutboxRow, count, self._row()),
            (Attempt, count, self._attempt()),
        ]

    def _uuid(self, salt: str) -> str:
        return self.dialect.uuid.format(salt=salt, salt_number=sum(map(ord, salt)))

    def _crm_id(self, prefix: str, number: str, check: str = "AAA") -> str:
        return f"'{prefix}' || {self.dialect.padded.format(number=number)} || '{check}'"

    def _time(self) -> str:
        return self.dialect.moment.format(share=f"n / {self.size.tasks}.0")

    def _connection(self) -> Mapping[str, str]:
        return {
            "uuid": self._uuid("connection"),
            "auth_flow": f"'{AuthFlow.CLIENT_CREDENTIALS}'",
            "login_url": "'https://bench.my.salesforce.com'",
            "instance_url": "'https://bench.my.salesforce.com'",
            "org_id": "'00D000000000001AAA'",
            "access_user_id": "'005999999999999AAA'",
            "access_user_name": "'Access User'",
            "created_at": self._time(),
        }

    def _user(self) -> Mapping[str, str]:
        return {
            "uuid": self._uuid("user"),
            "email": "'rep' || n || '@bench.example'",
            "name": "'Rep ' || n",
            "team": f"n % {self.size.teams} + 1",
            "crm_user_id": self._crm_id("005", "n"),
            "is_active": self.dialect.true,
            "date_joined": self.dialect.moment.format(share="0"),
        }

    def _record(self) -> Mapping[str, str]:
        return {
            "uuid": self._uuid("record"),
            "connection": "1",
            "kind": f"'{RecordKind.CONTACT}'",
            "crm_id": self._crm_id("003", "n"),
            "name": "'Contact number ' || n",
            "created_at": self.dialect.moment.format(share="0"),
        }

    def _task(self) -> Mapping[str, str]:
        done = self._state("1", "0") + " = 1"
        return {
            "uuid": self._uuid("task"),
            "key": f"replace(CAST({self._uuid('key')} AS text), '-', '')",
            "user": self._user_of_task(),
            "kind": f"'{TaskKind.CALL}'",
            "state": f"'{TaskState.COMPLETED}'",
            "completed_at": self._time(),
            "subject": "'Call ' || n || ' about the renewal, and what follows from it'",
            "record": f"n % {self.size.records} + 1",
            "who": f"n % {self.size.records} + 1",
            "crm_id": f"CASE WHEN {done} THEN {self._crm_id('00T', 'n', 'EAA')} ELSE '' END",
            "synced_at": f"CASE WHEN {done} THEN {self._time()} END",
            "created_at": self._time(),
        }

    def _row(self) -> Mapping[str, str]:
        state = (
            f"CASE WHEN n % 200 = 0 THEN '{OutboxState.CANCELLED}' WHEN n % 100 = 1 THEN '{OutboxState.FAILED}' "
            f"WHEN n % 100 = 2 THEN '{OutboxState.PENDING}' ELSE '{OutboxState.DONE}' END"
        )
        failing = "n % 100 IN (1, 2)"
        return {
            "uuid": self._uuid("row"),
            "connection": "1",
            "task": "n",
            "user": self._user_of_task(),
            "key": f"replace(CAST({self._uuid('key')} AS text), '-', '')",
            "state": state,
            "not_before": self._time(),
            "attempts": "1",
            "first_attempt_at": self._time(),
            "failure_mode": f"CASE WHEN {failing} THEN '{FailureMode.DATA}' ELSE '' END",
            "error_code": f"CASE WHEN {failing} THEN {self._code()} ELSE '' END",
            "error_message": f"CASE WHEN {failing} THEN 'Calls need a result before they are saved.' ELSE '' END",
            "created_at": self._time(),
        }

    def _attempt(self) -> Mapping[str, str]:
        refused = "n % 100 IN (1, 2, 3)"
        return {
            "row": "n",
            "task": "n",
            "connection": "1",
            "key": f"replace(CAST({self._uuid('key')} AS text), '-', '')",
            "batch_size": "200",
            "started_at": self._time(),
            "finished_at": self._time(),
            "outcome": f"CASE WHEN {refused} THEN '{AttemptOutcome.REFUSED}' ELSE '{AttemptOutcome.WRITTEN}' END",
            "failure_mode": f"CASE WHEN {refused} THEN '{FailureMode.DATA}' ELSE '' END",
            "error_code": f"CASE WHEN {refused} THEN {self._code()} ELSE '' END",
            "error_message": f"CASE WHEN {refused} THEN 'Calls need a result before they are saved.' ELSE '' END",
            "http_status": "200",
            "request_id": "'req-' || n",
        }

    def _user_of_task(self) -> str:
        # Spread, so that a user's and a team's rows lie far apart.
        return f"(n * 7919 + n / 97) % {self.size.users} + 1"

    def _state(self, done: str, other: str) -> str:
        return f"CASE WHEN n % 200 = 0 OR n % 100 IN (1, 2) THEN {other} ELSE {done} END"

    def _code(self) -> str:
        common = " ".join(f"WHEN n % 4 = {at} THEN '{code}'" for at, code in enumerate(CODES))
        return f"CASE WHEN n <= 300 THEN '{RARE_CODE}' {common} END"


def _insert(cursor: Any, dialect: Dialect, model: type[Model], count: int, expressions: Mapping[str, str]) -> None:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]  # noqa: SLF001 - documented
    columns, values, parameters = [database.ops.quote_name("id")], ["n"], []
    for field in fields:
        columns.append(database.ops.quote_name(str(field.column)))
        if field.name in expressions:
            values.append(expressions[field.name].replace("%", "%%"))
        else:
            values.append("%s")
            parameters.append(_default(field))
    table = database.ops.quote_name(model._meta.db_table)  # noqa: SLF001
    statement = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {dialect.numbers}"
    cursor.execute(statement, [*parameters, count])
    if database.vendor == "postgresql":
        cursor.execute(f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), %s)", [count])  # noqa: SLF001


def _default(field: "Field[Any, Any]") -> Any:
    value = field.get_default() if field.has_default() or not field.null else None
    if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        value = timezone.now()
    return field.get_db_prep_save(value, database)
