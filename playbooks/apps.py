from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class PlaybooksConfig(AppConfig):
    name = "playbooks"


class ManagerAppConfig(admin_apps.AdminConfig):
    """Django's admin, with our site in place of its own."""

    default = False
    default_site = "playbooks.manager_site.ManagerSite"
