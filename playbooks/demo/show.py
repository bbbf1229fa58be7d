"""The demo itself, once its environment is there: connect, complete, wait, print, serve."""

import shutil
import sys
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_q.models import Schedule

from playbooks.children import Children, wait_until_interrupted
from playbooks.demo.cast import Cast, Login, enrol_records, leave_open, make_people, mirror_records
from playbooks.demo.choices import choose
from playbooks.demo.installation import ROOT
from playbooks.demo.results import Completed, InCrm, Result, judge, table
from playbooks.demo.stories import STORIES
from playbooks.demo.waiting import TooLongError, answers, wait_until
from playbooks.run import web_command
from sandbox.control import SandboxControl
from sync import crm_users, error_watch, unmatched_users
from sync.completion import complete
from sync.connecting import connect
from sync.crm.package import package_zip
from sync.models import Connection, Heartbeat
from teams.models import User

_START = 60.0  # seconds that a process may take to answer
_ARRIVE = 60.0  # seconds that the tasks may take, with an idle machine far less than one


def show(children: Children, directory: Path, crm_url: str, web_port: int, *, once: bool) -> int:
    """Play the demo; return the exit status. Serves until KeyboardInterrupt, unless `once`."""
    crm = SandboxControl(crm_url)
    print(_("Preparing a database of its own and an org to connect to …"), flush=True)
    call_command("setup", verbosity=0, stdout=StringIO())
    users, logins = make_people(crm)
    choose(users)
    crm.install_package(package_zip())
    connect()
    _do_what_is_done_seldom()
    connection = Connection.objects.of_organisation().get()
    records = mirror_records(connection, crm)
    cast = Cast(users, records, enrol_records(users, records))
    print(_("Starting the workers and the web site …"), flush=True)
    _start(children, directory, web_port)
    calls_before = crm.stats()["api_calls"]
    completed = _complete(cast)
    print(_("%(count)d tasks completed. Waiting for the CRM …") % {"count": len(completed)}, flush=True)
    late = _wait(completed, children)
    seen = InCrm.read(crm)
    results = [judge(one, seen) for one in completed]
    passed = _print(results, crm.stats()["api_calls"] - calls_before, late)
    if once:
        return 0 if passed else 1
    leave_open(cast)
    error_watch.watch(timezone.now())
    _print_logins(web_port, logins, directory)
    child = wait_until_interrupted(children)
    print(_("The %(name)s ended by itself; see %(log)s") % {"name": child.name, "log": child.log}, file=sys.stderr)
    return 1


def _do_what_is_done_seldom() -> None:
    """Look up CRM users now, and let the jobs of each hour and day wait: their calls aren't those of the tasks."""
    crm_users.match(User.objects.all())
    unmatched_users.tell()
    soonest = timezone.now() + timedelta(hours=1)
    Schedule.objects.filter(minutes__gte=60).update(next_run=soonest)


def _start(children: Children, directory: Path, web_port: int) -> None:
    """Start the workers and the web server, and wait until both work."""
    began = timezone.now()
    manage = [sys.executable, str(ROOT / "manage.py")]
    children.start("workers", [*manage, "workers", "--grace", "5"], log=directory / "workers.log", grace=15)
    bind = f"127.0.0.1:{web_port}"
    children.start("web", web_command(bind), log=directory / "web.log")
    beats = Heartbeat.objects.filter(name__startswith="worker", beat_at__gte=began)
    wait_until(beats.exists, _("starting the workers"), _START, children)
    address = f"http://{bind}/manager/login/"
    wait_until(lambda: answers(address), _("starting the web server"), _START, children)


def _complete(cast: Cast) -> list[Completed]:
    completed = []
    for story in STORIES:
        completion = story.completion(cast)
        at_ms = time.time() * 1000
        completed.append(Completed(story, complete(completion), at_ms))
    return completed


def _wait(completed: list[Completed], children: Children) -> str:
    """Wait for the state that each task should have; return what went wrong, or nothing."""
    try:
        wait_until(lambda: all(one.has_arrived() for one in completed), _("sending the tasks"), _ARRIVE, children)
    except TooLongError as error:
        return str(error)
    return ""


def _print(results: list[Result], calls: int, late: str) -> bool:
    columns = shutil.get_terminal_size((160, 24)).columns
    print(f"\n{table(results, columns)}\n")
    wrong = [sentence for result in results for sentence in result.wrong] + [late] * bool(late)
    for sentence in wrong:
        print(f"✗ {sentence}")
    if not wrong:
        sentence = ngettext(
            "Every task reached the state it should have, with %(calls)d call to the CRM.",
            "Every task reached the state it should have, with %(calls)d calls to the CRM.",
            calls,
        )
        print(sentence % {"calls": calls})
    sys.stdout.flush()
    return not wrong


def _print_logins(web_port: int, logins: list[Login], directory: Path) -> None:
    lines = [_("Open:     %(url)s") % {"url": f"http://127.0.0.1:{web_port}/"}]
    lines += [_("API:      %(url)s") % {"url": f"http://127.0.0.1:{web_port}/api/v1/docs"}]
    lines += [f"{login.role.label:<8}  {login.email}  {login.password}" for login in logins]
    lines += [_("Logs:     %(logs)s") % {"logs": directory.relative_to(ROOT) / "*.log"}]
    lines += [_("E-mails:  %(mail)s") % {"mail": directory.relative_to(ROOT) / "mail"}]
    command = f"ENV_FILE={directory.relative_to(ROOT) / '.env'} .venv/bin/python manage.py api_token_create NAME"
    lines += [_("Commands: %(command)s") % {"command": command}, _("Ctrl-C ends it.")]
    print("\n" + "\n".join(lines), flush=True)
