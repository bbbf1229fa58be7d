"""Telling those responsible of errors that are new or growing: once a cause, and never a flood."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.enums import Actor, FailureMode, OutboxState
from sync.models import OutboxRow, ToldError
from teams import notices
from teams.models import NoticeKind, Role, Team, User

# It grows when it keeps twice as many tasks as when it was told, and no less than that.
GREW_TO = 10
# An error that comes and goes is news again when it was gone for so long.
FORGOTTEN_AFTER = timedelta(days=1)
# More causes than that at once are one notice.
MOST_AT_ONCE = 3
ALL_AT_ONCE = "several"
# Of the CRM's words, which may quote a whole description; the page of errors has them all.
MOST_WORDS = 300

# What goes on by itself is nobody's news, unless it was given up.
_BY_ITSELF = [mode for mode in FailureMode if mode.actor == Actor.NOBODY]

# A cause and a team; None stands for all teams together.
Place = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of one cause in one place, with a row that shows it."""

    tasks: int
    sample: int


def watch(now: datetime) -> int:
    """Compare the errors with what was told of them; return how many notices were given."""
    seen = _seen()
    with transaction.atomic():
        told = {(each.signature, each.team_id): each.tasks for each in ToldError.objects.select_for_update()}
        new = news({place: each.tasks for place, each in seen.items()}, told)
        _remember(seen, told, new, now)
        _end(seen, now)
        return _tell(seen, new)


def news(seen: Mapping[Place, int], told: Mapping[Place, int]) -> set[Place]:
    """Return what is worth telling: what was never told, or keeps at least twice as many tasks by now."""
    return {
        place for place, tasks in seen.items() if place not in told or (tasks >= GREW_TO and tasks >= 2 * told[place])
    }


def _seen() -> dict[Place, Seen]:
    """Return the errors that need someone, by team and for all teams: one query."""
    rows = OutboxRow.objects.failing().filter(Q(state=OutboxState.FAILED) | ~Q(failure_mode__in=_BY_ITSELF))
    groups = rows.order_by().values_list("signature", "user__team").annotate(tasks=Count("pk"), sample=Max("pk"))
    seen: dict[Place, Seen] = {}
    for signature, team, tasks, sample in groups:
        everywhere = seen.get((signature, None), Seen(0, 0))
        seen[signature, None] = Seen(everywhere.tasks + tasks, max(everywhere.sample, sample))
        if team is not None:
            seen[signature, team] = Seen(tasks, sample)
    return seen


def _remember(seen: Mapping[Place, Seen], told: Mapping[Place, int], new: Iterable[Place], now: datetime) -> None:
    """Keep what is told now, and what is still there; forget what was gone for long."""
    ToldError.objects.filter(signature__in={signature for signature, _team in seen}).update(seen_at=now)
    ToldError.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
    first = []
    for signature, team in new:
        tasks = seen[signature, team].tasks
        if (signature, team) in told:
            ToldError.objects.filter(signature=signature, team=team).update(tasks=tasks)
        else:
            first.append(ToldError(signature=signature, team_id=team, tasks=tasks, seen_at=now))
    ToldError.objects.bulk_create(first)


def _end(seen: Mapping[Place, Seen], now: datetime) -> None:
    """Whoever has not read of an error that is gone needs to no more."""
    gone = ToldError.objects.filter(seen_at__lt=now).values_list("signature", flat=True).distinct()
    notices.end(NoticeKind.ERRORS, list(gone) if seen else [*gone, ALL_AT_ONCE])


@dataclass(frozen=True, slots=True)
class _News:
    """What one audience is told: causes, and what there is of each for it."""

    users: list[User]
    causes: dict[str, Seen]


def _audiences(seen: Mapping[Place, Seen], new: set[Place]) -> Iterator[_News]:
    """Say who is told of what: admins of everything, managers of what their teams meet."""
    of_admins = {signature: seen[signature, None] for signature, team in new if team is None}
    if of_admins:
        yield _News(list(User.objects.admins()), of_admins)
    causes = {signature for signature, _team in new}
    by_manager: dict[User, dict[str, Seen]] = defaultdict(dict)
    fresh: dict[User, set[str]] = defaultdict(set)
    managers = _managers({team for _signature, team in seen if team is not None})
    for (signature, team), each in seen.items():
        for manager in managers.get(team, ()) if signature in causes else ():
            before = by_manager[manager].get(signature, Seen(0, 0))
            by_manager[manager][signature] = Seen(before.tasks + each.tasks, max(before.sample, each.sample))
            if (signature, team) in new:
                fresh[manager].add(signature)
    for manager, signatures in fresh.items():
        yield _News([manager], {signature: by_manager[manager][signature] for signature in signatures})


def _managers(teams: set[int]) -> dict[int | None, list[User]]:
    """Return the managers of each team; admins are told of everything anyway."""
    found = Team.objects.filter(pk__in=teams).prefetch_related("managers")
    return {team.pk: [user for user in team.managers.all() if user.role == Role.MANAGER] for team in found}


def _tell(seen: Mapping[Place, Seen], new: set[Place]) -> int:
    audiences = list(_audiences(seen, new))
    pks = {each.sample for audience in audiences for each in audience.causes.values()}
    samples = OutboxRow.objects.only("error_code", "error_message").in_bulk(pks)
    total = 0
    for each in audiences:
        if len(each.causes) > MOST_AT_ONCE:
            total += _tell_together(each.users, len(each.causes))
            continue
        for signature, cause in sorted(each.causes.items()):
            if row := samples.get(cause.sample):
                total += _tell_one(each.users, signature, row, cause.tasks)
    return total


def _tell_one(users: list[User], signature: str, row: OutboxRow, tasks: int) -> int:
    title = ngettext("The CRM refuses %(count)d task: %(code)s", "The CRM refuses %(count)d tasks: %(code)s", tasks) % {
        "count": tasks,
        "code": row.error_code,
    }
    path = f"{reverse('task_sync_errors')}#error-{signature}"
    words = Truncator(row.error_message).chars(MOST_WORDS)
    return notices.tell(users, NoticeKind.ERRORS, title=title, text=words, path=path, key=signature)


def _tell_together(users: list[User], causes: int) -> int:
    title = _("The CRM refuses tasks for %(count)d reasons that are new or growing") % {"count": causes}
    text = _("The page of errors says what each means, and who can mend it.")
    path = reverse("task_sync_errors")
    return notices.tell(users, NoticeKind.ERRORS, title=title, text=text, path=path, key=ALL_AT_ONCE)
