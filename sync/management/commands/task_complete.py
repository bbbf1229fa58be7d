import time
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from sync.completion import Completion, complete
from sync.enums import CallDirection, OutboxState, TaskKind
from sync.health import database_problem
from sync.models import OutboxRow, Task
from teams.models import User

# Which option a field of a completion comes from, where the name differs.
_OPTIONS = {
    "phone_number": "--phone",
    "email_address": "--email",
    "call_direction": "--direction",
    "call_duration_seconds": "--duration",
    "call_disposition": "--disposition",
}
_SETTLED = (OutboxState.DONE, OutboxState.FAILED, OutboxState.CANCELLED)
_LOOK_AGAIN = 0.1  # seconds


class Command(BaseCommand):
    help = _("Completes a task: an ad hoc one, or with --task an open task of a play.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL", help=_("whose task it is"))
        parser.add_argument("--actor", metavar="EMAIL", help=_("who completes it for them (default: the user)"))
        parser.add_argument("--task", metavar="UUID", help=_("an open task of theirs (default: a new, ad hoc one)"))
        parser.add_argument("--kind", choices=TaskKind.values)
        parser.add_argument("--subject")
        parser.add_argument("--description")
        parser.add_argument("--record", metavar="CRM_ID", help=_("the person, or what the task is about"))
        parser.add_argument("--related-record", metavar="CRM_ID", help=_("besides a person: an opportunity, …"))
        parser.add_argument("--phone", default="", metavar="NUMBER", help=_("of a call"))
        parser.add_argument("--email", default="", metavar="ADDRESS", help=_("of an e-mail"))
        parser.add_argument("--direction", choices=CallDirection.values, help=_("of a call"))
        parser.add_argument("--duration", type=int, metavar="SECONDS", help=_("of a call"))
        parser.add_argument("--disposition", default="", help=_("how a call ended"))
        parser.add_argument(
            "--completed-at",
            metavar="TIME",
            help=_("with its time zone, like 2025-03-31T14:05:00+02:00 (default: now)"),
        )
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS", help=_("until the CRM has it; status 1 if it hasn't")
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if problem := database_problem():
            raise CommandError(problem)
        task = _completed(options)
        self.stdout.write(_("Task %(uuid)s is completed.") % {"uuid": task.uuid})
        for decision in task.decisions.all():
            self.stdout.write(f"· {decision}")
        row = _settled(task, options["wait"])
        if row is not None and row.state == OutboxState.DONE:
            task.refresh_from_db()
            self.stdout.write(f"{row.get_state_display()}: {task.crm_id}")
        elif options["wait"]:
            raise CommandError(_why_not(row))
        else:
            self.stdout.write(_("It waits to be sent.") if row else _not_connected())


def _completed(options: dict[str, Any]) -> Task:
    """Complete the task, or raise CommandError with one line per bad option; then nothing is changed."""
    try:
        completion = Completion(
            user=_user(options["user"], "--user"),
            actor=_user(options["actor"], "--actor") if options["actor"] else None,
            task=_task(options["task"]) if options["task"] else None,
            kind=options["kind"],
            subject=options["subject"],
            description=options["description"],
            completed_at=_moment(options["completed_at"]) if options["completed_at"] else None,
            record=options["record"],
            related_record=options["related_record"],
            call_direction=options["direction"],
            call_duration_seconds=options["duration"],
            call_disposition=options["disposition"],
            phone_number=options["phone"],
            email_address=options["email"],
        )
        return complete(completion)
    except ValidationError as error:
        failure = CommandError("\n".join(_lines(error)))
    raise failure


def _lines(error: ValidationError) -> Iterable[str]:
    for field, messages in error.message_dict.items():
        option = _OPTIONS.get(field, "--" + field.replace("_", "-"))
        yield from (f"{option}: {message}" for message in messages)


def _user(email: str, option: str) -> User:
    user: User | None = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        message = _("%(option)s: There is no user with this e-mail address. The Manager App lists them all.")
        raise CommandError(message % {"option": option})
    return user


def _task(uuid: str) -> Task:
    try:
        return Task.objects.get(uuid=UUID(uuid))
    except (ValueError, Task.DoesNotExist):
        message = _("--task: There is no such task. Take the UUID from the address of its page in the Manager App.")
        failure = CommandError(message)
    raise failure


def _moment(text: str) -> Any:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(_("--completed-at: This is not a date with a time. Write 2025-03-31T14:05:00+02:00."))
    return moment


def _settled(task: Task, seconds: float) -> OutboxRow | None:
    """The task's latest outbox row, once it is settled or the time is up; None when nothing is connected."""
    end = time.monotonic() + seconds
    while True:
        row = OutboxRow.objects.filter(task=task).order_by("-pk").first()
        if row is None or row.state in _SETTLED or time.monotonic() >= end:
            return row
        time.sleep(_LOOK_AGAIN)


def _why_not(row: OutboxRow | None) -> str:
    if row is None:
        return _not_connected()
    message = _("The CRM doesn't have it yet (%(state)s). Nothing is lost: it is stored.")
    lines = [message % {"state": row.get_state_display()}]
    if row.error_code:
        lines.append(f"{row.error_code}: {row.error_message}")
    elif not row.connection.may_send(timezone.now()):
        lines.append(
            _("The connection rests. %(code)s: %(message)s")
            % {"code": row.connection.error_code, "message": row.connection.error_message}
        )
    return "\n".join(lines)


def _not_connected() -> str:
    return _("It is stored, and is sent once a CRM is connected (manage.py crm_connect).")
