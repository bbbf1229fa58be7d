"""The Manager App's first page: how tasks reach the CRM, and what needs somebody. Every number leads to its list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from playbooks.charts import Chart, stacked
from playbooks.durations import in_words
from sync import error_cards, figures
from sync.enums import ConnectionState
from sync.figures import DayFigures, NowFigures
from sync.models import Connection
from sync.speed import SAMPLE, STEPS, Speed, speed
from teams.models import User
from teams.scoped_admin import page_of, viewer_of

DAYS = 14


@dataclass(frozen=True, slots=True)
class Tile:
    """A number, and where it comes from; without an address there is nothing that the viewer may open."""

    number: str
    label: str
    hint: str = ""
    url: str = ""
    tone: str = ""

    @property
    def is_word(self) -> bool:
        """Words are set smaller than numbers, so that they fit."""
        return not any(character.isdigit() for character in self.number)


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table, with its column's name for narrow screens."""

    head: str
    number: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, and the same as a table for those who don't see it: `heads` name the columns of `rows`."""

    name: str
    title: str
    chart: Chart
    legend: tuple[tuple[str, str], ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the tiles and the pictures; how many queries that takes doesn't depend on how many tasks there are."""
    viewer = viewer_of(request)
    now = timezone.now()
    zone = timezone.get_current_timezone()
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    by_day = figures.of_days(viewer, days, zone)
    took = speed(viewer, now)
    context["sections"] = [
        (_("Completed today"), today_tiles(by_day[-1], figures.unasked(viewer, today, zone))),
        (_("Now"), [*now_tiles(figures.now(viewer), error_cards.count(viewer), now), *connection_tiles(viewer, now)]),
        (_("Time to the CRM"), speed_tiles(took, today)),
    ]
    context["pictures"] = [days_picture(by_day), speed_picture(took)]
    return context


def tasks_url(**filters: str) -> str:
    """Return the address of the list of tasks with these filters."""
    return f"{reverse('admin:sync_task_changelist')}?{urlencode(filters)}"


def day_url(day: date, **filters: str) -> str:
    """Return the address of the list of the tasks that were completed on a day of the viewer's zone."""
    return tasks_url(completed_at_from=day.isoformat(), completed_at_to=day.isoformat(), **filters)


def today_tiles(today: DayFigures, unasked: int) -> list[Tile]:
    """Return what became of today's tasks; the rarer ends only when there are any."""
    day = today.day
    tiles = [
        Tile(_count(today.completed), _("completed"), _("In your time zone."), day_url(day)),
        Tile(_count(today.synced - unasked), _("synced"), _("They stand in the CRM."), day_url(day, sync="synced")),
        Tile(
            _count(today.waiting),
            _("waiting"),
            _("They go out by themselves, or once an error is mended."),
            day_url(day, sync="waiting"),
        ),
        Tile(
            _count(today.failed),
            _("failed"),
            _("Given up; each page says why."),
            day_url(day, sync="failed"),
            "bad" if today.failed else "",
        ),
    ]
    if unasked:
        url = day_url(day, sync="unasked")
        tiles.append(Tile(_count(unasked), _("waiting for a connection"), _("No CRM is connected yet."), url, "warn"))
    if today.cancelled:
        tiles.append(Tile(_count(today.cancelled), _("cancelled"), _("By hand."), day_url(day, sync="cancelled")))
    return tiles


def now_tiles(figures_now: NowFigures, errors: int, now: datetime) -> list[Tile]:
    """Return what there is of all days."""
    oldest = Tile("–", _("oldest waiting"), _("Nothing waits."))
    if figures_now.oldest and figures_now.oldest_at:
        oldest = Tile(
            in_words(now - figures_now.oldest_at),
            _("oldest waiting"),
            _("Its page says what it waits for."),
            page_of(figures_now.oldest),
        )
    return [
        Tile(
            _count(errors),
            ngettext("error", "errors", errors),
            _("Equal ones once, with what mends them."),
            reverse("task_sync_errors"),
            "bad" if errors else "",
        ),
        Tile(_count(figures_now.waiting), _("waiting or being sent"), _("Of all days."), tasks_url(sync="waiting")),
        oldest,
        Tile(_count(figures_now.failed), _("failed"), _("Of all days, unless retried."), tasks_url(sync="failed")),
        Tile(
            _count(figures_now.orphans),
            _("orphaned phone calls"),
            _("In the CRM without a record: their number fits none with a history, or several."),
            tasks_url(is_orphan__exact="1"),
        ),
    ]


def connection_tiles(viewer: User, now: datetime) -> list[Tile]:
    """Return how the connection is and what it used: one query."""
    url = reverse("crm_connection") if viewer.has_perm("sync.view_connection") else ""
    connection = (
        Connection.objects.of_organisation()
        .only("state", "down_since", "paused_until", "access_user_name", "api_used", "api_limit", "api_seen_at")
        .first()
    )
    if connection is None:
        return [Tile(_("none"), _("connection"), _("No CRM is connected yet."), url, "warn")]
    state, hint, tone = _("connected"), connection.access_user_name, "good"
    if connection.state == ConnectionState.DISCONNECTED:
        state, hint, tone = _("disconnected"), _("Nothing syncs, and nothing is lost."), "bad"
    elif connection.paused_until and connection.paused_until > now:
        state, hint, tone = _("rests"), _("It goes on by itself."), "warn"
    tiles = [Tile(state, _("connection"), hint, url, tone)]
    usage = connection.usage
    if usage is not None and usage.limit:
        share = round(100 * usage.used / usage.limit)
        words = _("of %(limit)s of the whole org (%(share)d %%)") % {"limit": _count(usage.limit), "share": share}
        label = _("API calls in 24 hours")
        tiles.append(Tile(_count(usage.used), label, words, url, "warn" if share >= 80 else ""))
    return tiles


def speed_tiles(took: Speed, today: date) -> list[Tile]:
    """Return medians and 95th percentiles; they lead to the tasks that were synced in those days."""
    since = today - timedelta(days=7)
    week = tasks_url(completed_at_from=since.isoformat(), completed_at_to=today.isoformat(), sync="synced")
    yesterday = today - timedelta(days=1)
    day = tasks_url(completed_at_from=yesterday.isoformat(), completed_at_to=today.isoformat(), sync="synced")
    half, most = _("Half of them were faster."), _("19 of 20 were faster.")
    return [
        Tile(in_words(took.day_median), _("median, last 24 hours"), half, day),
        Tile(in_words(took.day_p95), _("95th percentile, last 24 hours"), most, day),
        Tile(in_words(took.week_median), _("median, last 7 days"), half, week),
        Tile(in_words(took.week_p95), _("95th percentile, last 7 days"), most, week),
    ]


def days_picture(by_day: Sequence[DayFigures]) -> Picture:
    series = (("good", _("synced"), "synced"), ("warn", _("waiting"), "waiting"), ("bad", _("failed"), "failed"))
    # A day's number, and the month where it begins: more doesn't fit below a bar.
    labels = [formats.date_format(each.day, "M" if each.day.day == 1 else "j") for each in by_day]
    values = [[getattr(each, name) for _tone, _label, name in series] for each in by_day]
    return Picture(
        name="days",
        title=_("Tasks of the last %(days)d days, by where they stand now") % {"days": len(by_day)},
        chart=stacked(labels, [tone for tone, _label, _name in series], values),
        legend=tuple((tone, label) for tone, label, _name in series),
        heads=(_("day"), _("completed"), *(label for _tone, label, _name in series)),
        rows=tuple(
            (
                formats.date_format(each.day, "DATE_FORMAT"),
                (
                    Cell(_("completed"), _count(each.completed), day_url(each.day)),
                    *(
                        Cell(label, _count(getattr(each, name)), day_url(each.day, sync=name))
                        for _tone, label, name in series
                    ),
                ),
            )
            for each in reversed(by_day)
        ),
    )


def speed_picture(took: Speed) -> Picture:
    labels = [_("≤ %(time)s") % {"time": in_words(step)} for step in STEPS]
    labels.append(_("> %(time)s") % {"time": in_words(STEPS[-1])})
    title = _("How long tasks of the last 7 days took to the CRM")
    if took.is_sample:
        title = _("How long the latest %(count)s tasks took to the CRM") % {"count": _count(SAMPLE)}
    return Picture(
        name="speed",
        title=title,
        chart=stacked(labels, ["busy"], [[count] for count in took.steps]),
        legend=(),
        heads=(_("time"), _("tasks")),
        rows=tuple(
            (label, (Cell(_("tasks"), _count(count)),)) for label, count in zip(labels, took.steps, strict=True)
        ),
    )


def _count(number: int) -> str:
    return formats.number_format(number, force_grouping=True)
