"""The project's settings with the plain view in place of the API: the baseline of benchmarks/api.py."""

from playbooks.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.plain_api"
