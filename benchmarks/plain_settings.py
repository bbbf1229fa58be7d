"""The project's settings with Django's own admin in place of the Manager App: the baseline of benchmarks/lists.py."""

from playbooks.settings import *  # noqa: F403
from playbooks.settings import INSTALLED_APPS as _OURS
from playbooks.settings import STORAGES as _STORAGES
from playbooks.settings import TEMPLATES as _TEMPLATES

_ADMIN = "django.contrib.admin.apps.SimpleAdminConfig"  # registers nothing by itself
INSTALLED_APPS = [_ADMIN if app.endswith("ManagerAppConfig") else app for app in _OURS if not app.startswith("unfold")]
TEMPLATES = [{**_TEMPLATES[0], "DIRS": []}]
ROOT_URLCONF = "benchmarks.plain_admin"
STORAGES = {**_STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
