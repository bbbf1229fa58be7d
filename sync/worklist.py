"""What a person has to do, what they did, and how much of it: a few small questions, however many tasks they have."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from sync.enums import TaskState
from sync.models import RecordPhone, Task
from sync.phones import digits, e164
from teams.models import Organisation, User

PER_PAGE = 50
COUNTED = 999  # more than that is said as “999+”
LAST_PAGE = 10_000
LONGEST_SEARCH = 200
SEARCHED = 20_000  # of what was done: the latest


class Show(TextChoices):
    """The parts of the list."""

    TODAY = "today", _("Today")
    UPCOMING = "upcoming", _("Upcoming")
    COMPLETED = "completed", _("Completed")
    SKIPPED = "skipped", _("Skipped")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of tasks, and whether others stand around it."""

    tasks: list[Task]
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def of(user: User, show: Show, today: date) -> QuerySet[Task]:
    """Return a part of one's own tasks, in the order in which they are read."""
    tasks = Task.objects.filter(user=user)
    match show:
        case Show.TODAY:
            return tasks.filter(state=TaskState.OPEN, due_on__lte=today).order_by("due_on", "pk")
        case Show.UPCOMING:
            # Without a day it isn't lost: it stands at the end.
            due = tasks.filter(Q(due_on__gt=today) | Q(due_on=None), state=TaskState.OPEN)
            return due.order_by(F("due_on").asc(nulls_last=True), "pk")
        case Show.COMPLETED:
            # Not by a join: on the newest rows the index ends the search.
            done = tasks.filter(state=TaskState.COMPLETED, completed_at__isnull=False)
            return done.order_by("-completed_at", "-pk")
        case Show.SKIPPED:
            return tasks.filter(state=TaskState.SKIPPED).order_by("-due_on", "-pk")


def page(tasks: QuerySet[Task], number: int, load: Callable[[QuerySet[Task]], QuerySet[Task]]) -> Page:
    """Return a page without counting all: one task more than it shows is asked for.

    `load` says what else of its tasks is read, in a second question: the many before them are passed over unread.
    """
    number = min(max(number, 1), LAST_PAGE)
    start = (number - 1) * PER_PAGE
    pks = list(tasks.values_list("pk", flat=True)[start : start + PER_PAGE + 1])
    loaded = {task.pk: task for task in load(Task.objects.filter(pk__in=pks[:PER_PAGE]))}
    return Page([loaded[pk] for pk in pks if pk in loaded], number, len(pks) > PER_PAGE)


def counts(user: User, today: date) -> dict[Show, str]:
    """Return how many tasks each part has, in words: at most “999+”."""
    return {show: _bounded(of(user, show, today)) for show in Show}


def _bounded(tasks: QuerySet[Task]) -> str:
    count = tasks.order_by()[: COUNTED + 1].count()
    return str(count) if count <= COUNTED else f"{COUNTED}+"


def first_due(user: User, today: date, *, but: Task) -> Task | None:
    """Return what is to be done next, besides `but`."""
    return of(user, Show.TODAY, today).exclude(pk=but.pk).first()


def search(tasks: QuerySet[Task], show: Show, text: str) -> QuerySet[Task]:
    """Narrow tasks to those whose subject, record or number has `text`; of what was done, among the latest."""
    if show == Show.COMPLETED:
        latest = tasks.values("pk")[:SEARCHED]
        tasks = Task.objects.filter(pk__in=latest).order_by("-completed_at", "-pk")
    return tasks.filter(_says(text) | _has_number(text))


def is_cut(user: User, show: Show, today: date) -> bool:
    """Whether `search` looks at a part of what is done only: there is more than it looks through."""
    return show == Show.COMPLETED and bool(of(user, show, today).values("pk")[SEARCHED : SEARCHED + 1])


def searchable(text: str) -> str:
    """Return what a database can be asked for."""
    return text[:LONGEST_SEARCH].encode("utf-8", "ignore").decode().replace("\0", "").strip()


def _says(text: str) -> Q:
    return (
        Q(subject__icontains=text)
        | Q(record__name__icontains=text)
        | Q(who__name__icontains=text)
        | Q(what__name__icontains=text)
        | Q(email_address__icontains=text.lower())
    )


def _has_number(text: str) -> Q:
    """The task's number, or one of its record, however they are written; or some digits of the task's."""
    asked = Q(pk__in=())
    if number := e164(text, Organisation.load().phone_region):
        asked |= Q(record__in=RecordPhone.objects.filter(e164=number).values("record"))
    part = digits(text)
    return asked | Q(phone_e164__contains=part) if len(part) >= 4 else asked
