from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TeamsConfig(AppConfig):
    name = "teams"
    verbose_name = _("People")

    def ready(self) -> None:
        from teams import audited  # noqa: F401, PLC0415 - it registers itself
