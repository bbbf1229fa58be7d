"""`python -m clients.run`: start a sandbox and run every client against it; needs node and npm."""

import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.server import start

_ROOT = Path(__file__).resolve().parent.parent
_JSFORCE = _ROOT / "clients" / "jsforce"


def main() -> int:
    """Exit status 0 when every check of every client passed, 2 when node is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("Running jsforce takes node and npm (Debian: apt-get install nodejs npm).", file=sys.stderr)
        return 2
    if not (_JSFORCE / "node_modules").is_dir():
        subprocess.run([npm, "ci", "--no-fund", "--no-audit"], cwd=_JSFORCE, check=True)
    with start() as sandbox:
        commands = (
            [sys.executable, "-m", "clients.simple_salesforce_check", sandbox.url],
            [node, str(_JSFORCE / "check.mjs"), sandbox.url],
        )
        statuses = [subprocess.run(command, cwd=_ROOT, check=False).returncode for command in commands]
    return 1 if any(statuses) else 0


if __name__ == "__main__":
    sys.exit(main())
