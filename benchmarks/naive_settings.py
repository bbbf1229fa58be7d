"""The project's settings with a queue as most people configure it: a failed or lost job runs again after a while."""

from playbooks import settings
from playbooks.settings import *  # noqa: F403

Q_CLUSTER = {
    **settings.Q_CLUSTER,
    "workers": 2,
    "timeout": 8,
    "retry": 10,
    "queue_limit": 4,
    "max_attempts": 0,
    "ack_failures": False,
    "log_level": "CRITICAL",
}
# The system checks refuse these settings, which is why we measure them.
SILENCED_SYSTEM_CHECKS = ["sync.E002", "sync.E003", "sync.E004", "sync.E006"]
