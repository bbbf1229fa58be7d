"""The web site and the workers on this machine: `python -m playbooks.run`; Ctrl-C ends both.

For trying out and for development. In production each is a service of its own (docs/operations.md).
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from playbooks.children import Children, wait_until_interrupted
from playbooks.env_file import DEFAULT_PATH, ensure_development_file

MANAGE = [sys.executable, str(Path(__file__).resolve().parent.parent / "manage.py")]


def web_command(bind: str) -> list[str]:
    """Return the command of a web server for one machine: one process, so that SQLite has few writers."""
    return [
        *(sys.executable, "-m", "gunicorn", "playbooks.wsgi", "--bind", bind),
        *("--workers", "1", "--threads", "4", "--no-control-socket", "--graceful-timeout", "5"),
    ]


def run(bind: str) -> int:
    """Prepare the installation, then serve until a signal comes (0) or one of the two ends by itself (1)."""
    # An empty ENV_FILE means: no file, everything is in the environment.
    file = Path(os.environ.get("ENV_FILE", DEFAULT_PATH) or os.devnull)
    if ensure_development_file(file):
        print(f"{file.name} written, with new secrets.")
    with Children() as children:
        try:
            if status := subprocess.run([*MANAGE, "setup"], check=False).returncode:
                return status
            children.start("workers", [*MANAGE, "workers", "--grace", "10"], grace=20)
            children.start("web", web_command(bind))
            print(f"Playbooks: http://{bind}/manager/  (Ctrl-C ends it)")
            print("`python manage.py createsuperuser` makes the first admin.", flush=True)
            child = wait_until_interrupted(children)
        except KeyboardInterrupt:
            return 0
    print(f"The {child.name} ended by itself (status {child.exit_status}).", file=sys.stderr)
    return 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m playbooks.run", description=__doc__)
    parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="default: %(default)s")
    sys.exit(run(parser.parse_args().bind))


if __name__ == "__main__":
    main()
