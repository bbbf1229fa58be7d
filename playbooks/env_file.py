"""A .env with secrets of its own, for whoever has none yet: `python -m playbooks.env_file`.

Needs no Django settings: it is what they are read from.
"""

import argparse
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

DEFAULT_PATH = Path(__file__).resolve().parent.parent / ".env"


def new_secrets() -> dict[str, str]:
    """Return a new SECRET_KEY and ENCRYPTION_KEYS, without characters that a shell would read."""
    return {"SECRET_KEY": secrets.token_urlsafe(50), "ENCRYPTION_KEYS": Fernet.generate_key().decode()}


def write_env_file(path: Path, values: Mapping[str, str], comment: str = "") -> bool:
    """Write `values` to `path`, readable by its owner alone. False when a file is there: it stays."""
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f"{name}={value}" for name, value in values.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Made with its final mode, so that nobody can read it even for a moment.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return True


def ensure_development_file(path: Path = DEFAULT_PATH) -> bool:
    """Write a .env for this machine alone when there is none. True when it was written."""
    return write_env_file(
        path,
        {"ENVIRONMENT": "development", **new_secrets()},
        "Written with new secrets, for this machine alone. .env.example explains every variable.\n"
        "Keep ENCRYPTION_KEYS: without them the stored Salesforce tokens can't be read.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m playbooks.env_file", description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=DEFAULT_PATH, help="the file to write (default: .env)")
    parser.add_argument("--print-secrets", action="store_true", help="print new secrets instead of writing")
    options = parser.parse_args()
    if options.print_secrets:
        print(*(f"{name}={value}" for name, value in new_secrets().items()), sep="\n")
    elif ensure_development_file(options.path):
        print(f"{options.path.name} written, with new secrets.")


if __name__ == "__main__":
    main()
