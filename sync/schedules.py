"""The one list of what runs when. Set by `manage.py setup` at each deploy, never at import."""

from dataclasses import dataclass

from django.utils import timezone
from django_q.models import Schedule


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One job and how many minutes lie between its runs."""

    job: str
    minutes: int


SCHEDULES = (
    Scheduled("sweep", 1),
    Scheduled("reconnect", 5),
    Scheduled("discard_unaccepted", 15),
    Scheduled("watch_errors", 5),
    Scheduled("send_notices", 5),
    Scheduled("read_schemas", 60),
    Scheduled("match_crm_users", 24 * 60),
    Scheduled("tidy", 24 * 60),
)


def set_schedules() -> None:
    """Make django-q2's schedules what the list says; those that it no longer names end."""
    for scheduled in SCHEDULES:
        Schedule.objects.update_or_create(
            name=scheduled.job,
            defaults={
                "func": f"sync.jobs.{scheduled.job}",
                "schedule_type": Schedule.MINUTES,
                "minutes": scheduled.minutes,
                "repeats": -1,
            },
            create_defaults={
                "func": f"sync.jobs.{scheduled.job}",
                "schedule_type": Schedule.MINUTES,
                "minutes": scheduled.minutes,
                "repeats": -1,
                "next_run": timezone.now(),
            },
        )
    names = [scheduled.job for scheduled in SCHEDULES]
    Schedule.objects.filter(func__startswith="sync.jobs.").exclude(name__in=names).delete()
