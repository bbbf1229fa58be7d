import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from sync import webhook_process
from sync.companion import Companion
from sync.supervisor import Patience, Supervisor, read_beats

# Each part shows a sign of life every five seconds, and may wait twenty for SQLite's one writer. With the time to end
# and to start a cluster, a hang is over within a minute.
PATIENCE = 35
MANAGE = Path(__file__).resolve().parents[3] / "manage.py"


class Command(BaseCommand):
    help = _("Runs the workers, and starts them anew when they hang or die. SIGTERM and Ctrl-C stop them.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--grace",
            type=float,
            default=settings.SYNC_HTTP_TIMEOUT + 5,
            metavar="SECONDS",
            help=_("how long running jobs may take to end when the workers are asked to stop (default: %(default)s)"),
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE,
            metavar="SECONDS",
            help=_("for how long a part of the cluster may show no sign of life (default: %(default)s)"),
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        command = [sys.executable, str(MANAGE), "qcluster"]
        patience = Patience(hang=options["patience"], stop=options["grace"])
        records = Path(settings.VAR_DIR) / "clusters"
        Supervisor(command, records, patience, _webhooks(records, options["patience"])).run()


def _webhooks(records: Path, patience: float) -> Companion:
    """The process that tells senders by webhook: apart from the workers, so that nothing waits for a receiver."""
    return Companion(
        "Webhook process",
        [sys.executable, str(MANAGE), "webhooks"],
        records,
        grace=webhook_process.GRACE + 3,
        patience=patience,
        last_beat=lambda name: read_beats(name).get(webhook_process.HEARTBEAT),
    )
