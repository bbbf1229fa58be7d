from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BlacklistConfig(AppConfig):
    name = "blacklist"
    verbose_name = _("Blacklists")

    def ready(self) -> None:
        from blacklist import audited  # noqa: F401, PLC0415 - it registers itself
