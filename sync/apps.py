from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = _("CRM sync")

    def ready(self) -> None:
        from sync import audited, broker, checks, job_results, long_jobs  # noqa: F401, PLC0415 - they register themselves
