"""What is stuck, and why: read from the database, judged by pure rules, told to operators and load balancers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_q.models import OrmQ

from sync import webhook_events
from sync.enums import ConnectionState
from sync.models import Attempt, Connection, Heartbeat, OutboxRow, Trouble, WebhookDelivery, WebhookReceiver

# A receiver that takes nothing for so long is worth a line.
FAILING_FOR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class ConnectionFacts:
    """One connection at one moment. Times are None when there is nothing to tell."""

    name: str
    state: ConnectionState
    down_since: datetime | None = None
    paused_until: datetime | None = None
    error_code: str = ""
    disconnected_by: str = ""  # who did it on purpose
    oldest_due_at: datetime | None = None
    last_attempt_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the database says. `heartbeat_at`: of any worker; `queued_since`: the oldest job that nobody took."""

    heartbeat_at: datetime | None = None
    queued_since: datetime | None = None
    connections: Sequence[ConnectionFacts] = ()
    waiting: int | None = None
    in_doubt: int | None = None
    open_troubles: int = 0
    webhooks_beat_at: datetime | None = None
    webhooks_due_since: datetime | None = None  # the oldest that could be told now
    failing_webhooks: Sequence[str] = ()  # senders whose receivers take nothing


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How old something may be before it is a problem."""

    heartbeat: timedelta
    due: timedelta
    queued: timedelta

    @classmethod
    def from_settings(cls) -> "Limits":
        """A hang is ended within a minute, so the workers may be silent for that and a little more."""
        restart = timedelta(seconds=60 + 2 * settings.SYNC_HTTP_TIMEOUT)
        return cls(heartbeat=restart, due=restart + timedelta(seconds=settings.SYNC_LEASE), queued=3 * restart)


@dataclass(frozen=True, kw_only=True)
class Health:
    """The judgement. `blocking` problems make an installation unfit to be called ready; ages are seconds."""

    problems: list[str]
    blocking: list[str]
    notices: list[str]
    heartbeat_age: float | None = None
    oldest_due_age: float | None = None
    waiting: int | None = None
    in_doubt: int | None = None
    open_troubles: int = 0
    connection: str = "none"

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def ready(self) -> bool:
        return not self.blocking


def check(*, counts: bool = True) -> Health:
    """Read and judge. Without `counts` it is cheap however many rows wait, and `waiting` and `in_doubt` stay None."""
    now = timezone.now()
    try:
        return judge(_read(now, counts), now, Limits.from_settings())
    except DatabaseError as error:
        connection.close_if_unusable_or_obsolete()
        problem = _explained(error)
    except ImproperlyConfigured as error:
        problem = str(error)
    return Health(problems=[problem], blocking=[problem], notices=[], connection="unknown")


def database_problem() -> str:
    """Say why the database can't be worked with, and the remedy; nothing when it can."""
    try:
        return "" if _is_prepared() else _not_prepared()
    except DatabaseError as error:
        return _away(error)


def _explained(error: DatabaseError) -> str:
    """A table that is missing is no database that is away."""
    try:
        return _away(error) if _is_prepared() else _not_prepared()
    except DatabaseError:
        return _away(error)


def _is_prepared() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _not_prepared() -> str:
    return _("The database is not prepared for this version: run `manage.py setup`.")


def _away(error: DatabaseError) -> str:
    message = _("The database doesn't answer (%(error)s). Does it run, and is DATABASE_URL right?")
    return message % {"error": type(error).__name__}


def judge(facts: Facts, now: datetime, limits: Limits) -> Health:
    """Return what is wrong. Rows that wait for a lost or resting connection are nobody's hang, and said as that."""
    blocking = _silent_workers(facts, now, limits)
    others = _silent_webhooks(facts, now, limits)
    notices: list[str] = [
        _("The webhook of %(name)s takes nothing; the page API says why.") % {"name": name}
        for name in facts.failing_webhooks
    ]
    for each in facts.connections:
        if each.state == ConnectionState.DISCONNECTED:
            others.append(_disconnected(each))
        elif each.paused_until and each.paused_until > now:
            notices.append(
                _("The connection of %(name)s rests until %(until)s (%(code)s).")
                % {"name": each.name, "until": _clock(each.paused_until), "code": each.error_code or "-"}
            )
        elif _stuck(each, now, limits):
            blocking.append(
                # Without a name: readyz shows it to strangers.
                _("Tasks have been due for %(seconds)d seconds, and nobody has tried to send any.")
                % {"seconds": _age(each.oldest_due_at, now)}
            )
    if not facts.connections:
        notices.append(_("No CRM is connected yet: open the page Connection, or run crm_connect."))
    if facts.open_troubles:
        notices.append(
            ngettext(
                "%(count)d kind of error waits for an admin.",
                "%(count)d kinds of errors wait for an admin.",
                facts.open_troubles,
            )
            % {"count": facts.open_troubles}
        )
    sendable = [each.oldest_due_at for each in facts.connections if each.oldest_due_at and _may_send(each, now)]
    return Health(
        problems=blocking + others,
        blocking=blocking,
        notices=notices,
        heartbeat_age=_age(facts.heartbeat_at, now),
        oldest_due_age=_age(min(sendable, default=None), now),
        waiting=facts.waiting,
        in_doubt=facts.in_doubt,
        open_troubles=facts.open_troubles,
        connection=_overall(facts.connections, now),
    )


def _silent_workers(facts: Facts, now: datetime, limits: Limits) -> list[str]:
    problems = []
    if facts.heartbeat_at is None:
        problems.append(_("No worker has shown a sign of life yet. Is `manage.py workers` running?"))
    elif now - facts.heartbeat_at > limits.heartbeat:
        problems.append(
            _("No worker has shown a sign of life for %(seconds)d seconds. Is `manage.py workers` running?")
            % {"seconds": _age(facts.heartbeat_at, now)}
        )
    if facts.queued_since and now - facts.queued_since > limits.queued:
        problems.append(
            _("The queue doesn't move: a job has waited for %(seconds)d seconds.")
            % {"seconds": _age(facts.queued_since, now)}
        )
    return problems


def _silent_webhooks(facts: Facts, now: datetime, limits: Limits) -> list[str]:
    """A backlog that is worked on is old, too: only a process without a sign of life is a problem."""
    due_since, beat_at = facts.webhooks_due_since, facts.webhooks_beat_at
    if due_since is None or now - due_since <= limits.heartbeat:
        return []
    if beat_at is not None and now - beat_at <= limits.heartbeat:
        return []
    words = _("Webhooks have been due for %(seconds)d seconds, and nobody tells them. Is `manage.py workers` running?")
    return [words % {"seconds": _age(due_since, now)}]


def _disconnected(each: ConnectionFacts) -> str:
    if each.disconnected_by:
        return _(
            "%(who)s disconnected the Access User %(name)s at %(since)s. Nothing is lost; it stays so until somebody "
            "connects it again."
        ) % {"who": each.disconnected_by, "name": each.name, "since": _clock(each.down_since)}
    return _(
        "The Access User %(name)s has been disconnected since %(since)s (%(code)s). Nothing is lost; reconnect it on "
        "the page Connection, or run crm_connect."
    ) % {
        "name": each.name,
        "since": _clock(each.down_since),
        "code": each.error_code or "-",
    }


def _may_send(each: ConnectionFacts, now: datetime) -> bool:
    return each.state == ConnectionState.CONNECTED and not (each.paused_until and each.paused_until > now)


def _stuck(each: ConnectionFacts, now: datetime, limits: Limits) -> bool:
    """A backlog that is worked on is old, too, but not stuck."""
    since = now - limits.due
    overdue = each.oldest_due_at is not None and each.oldest_due_at < since
    return overdue and (each.last_attempt_at is None or each.last_attempt_at < since)


def _overall(connections: Sequence[ConnectionFacts], now: datetime) -> str:
    if not connections:
        return "none"
    if any(each.state == ConnectionState.DISCONNECTED for each in connections):
        return "disconnected"
    return "connected" if all(_may_send(each, now) for each in connections) else "paused"


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, round((now - at).total_seconds(), 1))


def _clock(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else "-"


def _read(now: datetime, counts: bool) -> Facts:
    waiting = in_doubt = None
    if counts:
        figures = OutboxRow.objects.unsettled().aggregate(all=Count("pk"), doubt=Count("pk", filter=Q(in_doubt=True)))
        waiting, in_doubt = figures["all"], figures["doubt"]
    connections = Connection.objects.select_related("disconnected_by").order_by("pk")
    # A job that was taken is locked into the future; after that time it is handed out again.
    queued_since = OrmQ.objects.filter(lock__lte=now).aggregate(at=Min("lock"))["at"]
    beats = Heartbeat.objects.aggregate(
        workers=Max("beat_at", filter=Q(name__startswith="worker")),
        webhooks=Max("beat_at", filter=Q(name__startswith="webhooks")),
    )
    receivers = WebhookReceiver.objects.filter(sender__in=webhook_events.hearing())
    busy = receivers.exclude(pk__in=receivers.free(now))
    told = WebhookDelivery.objects.due(now).filter(sender__in=webhook_events.hearing())
    failing = receivers.filter(failing_since__lt=now - FAILING_FOR)
    return Facts(
        heartbeat_at=beats["workers"],
        webhooks_beat_at=beats["webhooks"],
        webhooks_due_since=told.exclude(sender__in=busy.values("sender")).aggregate(at=Min("not_before"))["at"],
        failing_webhooks=list(failing.order_by("sender__name").values_list("sender__name", flat=True)),
        queued_since=queued_since,
        connections=[_read_connection(each, now) for each in connections],
        waiting=waiting,
        in_doubt=in_doubt,
        open_troubles=Trouble.objects.filter(ended_at=None).count(),
    )


def _read_connection(each: Connection, now: datetime) -> ConnectionFacts:
    due = OutboxRow.objects.due(now).filter(connection=each).order_by("not_before")
    attempts = Attempt.objects.filter(connection=each).order_by("-started_at")
    return ConnectionFacts(
        name=str(each),
        state=ConnectionState(each.state),
        down_since=each.down_since,
        paused_until=each.paused_until,
        error_code=each.error_code,
        disconnected_by=str(each.disconnected_by or ""),
        oldest_due_at=due.values_list("not_before", flat=True).first(),
        last_attempt_at=attempts.values_list("started_at", flat=True).first(),
    )
