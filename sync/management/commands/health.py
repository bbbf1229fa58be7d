import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from sync.health import Health, check


class Command(BaseCommand):
    help = _("Says whether tasks reach the CRM, and if not, why. Exit status 0: yes; 1: no.")
    requires_system_checks = []  # it answers also when the rest doesn't

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help=_("print one JSON object"))

    def handle(self, *_args: Any, **options: Any) -> None:
        health = check()
        if options["json"]:
            self.stdout.write(json.dumps({"ok": health.ok, **asdict(health)}))
        else:
            self.stdout.write("\n".join(as_text(health)))
        if not health.ok:
            sys.exit(1)


def as_text(health: Health) -> list[str]:
    """Return the lines that an operator reads: the judgement, its reasons, the figures."""
    figures = {
        _("connection"): health.connection,
        _("last sign of life"): _seconds(health.heartbeat_age),
        _("oldest due task"): _seconds(health.oldest_due_age),
        _("waiting"): _number(health.waiting),
        _("outcome unknown"): _number(health.in_doubt),
    }
    return [
        _("Healthy.") if health.ok else _("Not healthy."),
        *(f"  ! {problem}" for problem in health.problems),
        *(f"  · {notice}" for notice in health.notices),
        *(f"{name}: {value}" for name, value in figures.items()),
    ]


def _seconds(age: float | None) -> str:
    return "-" if age is None else _("%(seconds)g seconds ago") % {"seconds": age}


def _number(count: int | None) -> str:
    return "-" if count is None else str(count)
