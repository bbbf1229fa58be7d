#!/usr/bin/env python
"""Django's command line for Playbooks CRM Sync."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playbooks.settings")
    from django.conf import settings  # noqa: PLC0415 - after the variable is set
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    if not any(argument.startswith("--settings") for argument in sys.argv):
        try:
            _ = settings.DEBUG  # the first look reads them
        except ImproperlyConfigured as error:
            sys.exit(f"Error: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
