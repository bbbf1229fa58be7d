"""The project's settings, with an environment of the tests' own: no .env of the machine is read."""

import os

os.environ.update(
    ENV_FILE="",
    ENVIRONMENT="development",
    SECRET_KEY="only-for-tests-" + "x" * 50,
    ENCRYPTION_KEYS="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", "sqlite:///var/test.sqlite3"),
    EMAIL_URL="memorymail://",
    LOG_FORMAT="json",
    QUEUE_REDIS_URL=os.environ.get("TEST_REDIS_URL", ""),
)

from playbooks.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Static files are found where they lie: nothing is collected for the tests.
WHITENOISE_AUTOREFRESH = True
