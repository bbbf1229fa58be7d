from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from sync.webhook_process import Dispatcher


class Command(BaseCommand):
    help = _("Tells senders by webhook how their tasks ended. `manage.py workers` runs it; SIGTERM and Ctrl-C stop it.")

    def handle(self, *_args: Any, **_options: Any) -> None:
        dispatcher = Dispatcher()
        dispatcher.obey_signals()
        dispatcher.run()
