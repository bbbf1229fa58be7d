"""Reading the environment: every variable with its type, its default and what to do when it is wrong.

The variables are documented in .env.example, one for one.
"""

import os
import re
from io import StringIO
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()


def read_env_file() -> None:
    """Read the file that ENV_FILE names (by default .env beside manage.py); real variables win over it."""
    named = os.environ.get("ENV_FILE")
    if named == "":
        return
    path = Path(named or BASE_DIR / ".env")
    if named is None and not path.exists():
        return
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{path} can't be read ({type(error).__name__}). Make it readable for this process, or let ENV_FILE name "
            "another file; an empty ENV_FILE means none."
        ) from None
    env.read_env(StringIO(content))


def text(name: str, default: str = "") -> str:
    """Return a variable as it stands: django-environ would take one that begins with $ for another's name."""
    return os.environ.get(name, default)


def texts(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return comma-separated values without the blanks around them."""
    return [value.strip() for value in text(name, ",".join(default)).split(",") if value.strip()]


def required(name: str, remedy: str) -> str:
    """Return a variable that has no default; `remedy` completes the sentence "Set NAME: …"."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Set {name} in the environment or in .env: {remedy}")
    return value


def integer(name: str, default: int, least: int = 1) -> int:
    """Return a whole number of at least `least`."""
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, not {value}.")
    return value


def boolean(name: str, default: bool) -> bool:
    """Return a yes or no; anything else is refused rather than read as no."""
    raw = text(name, str(default)).strip().lower()
    if raw not in {"1", "0", "true", "false", "yes", "no", "on", "off"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}.")
    return raw in {"1", "true", "yes", "on"}


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return one of `allowed`."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def address(name: str, default: str, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """Return an address with a host and one of `schemes`, without a slash at its end; empty if by default."""
    value = text(name, default).rstrip("/")
    if not value and not default:
        return value
    try:
        parts = urlsplit(value)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        # Not quoted: it may hold a password.
        raise ImproperlyConfigured(
            f"{name} must be an address like {schemes[-1]}://HOST{'' if 'https' in schemes else ':PORT'}."
        )
    return value


def addresses(name: str) -> list[str]:
    """Return comma-separated origins: scheme and host each, by default none."""
    values = texts(name)
    for value in values:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
            raise ImproperlyConfigured(f"{name} must be origins like https://HOST, comma separated, not {value!r}.")
    return values


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return comma-separated networks like 10.1.0.0/16, by default none."""
    try:
        return [ip_network(value) for value in texts(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be networks like 10.1.0.0/16, comma separated: {error}.") from None


def api_version(name: str, default: str, least: int) -> str:
    """Return a version of the Salesforce API, like 62.0."""
    value = text(name, default)
    if not re.fullmatch(r"\d{2,3}\.0", value) or int(value.removesuffix(".0")) < least:
        raise ImproperlyConfigured(f"{name} must be a version like {default}, {least}.0 or newer, not {value!r}.")
    return value


def email(name: str, default: str) -> dict[str, Any]:
    """Return Django's settings for sending e-mail; without a default the variable is required."""
    remedy = "smtp+tls://USER:PASSWORD@HOST:587, where alerts to admins are sent; consolemail:// prints them."
    raw = text(name, default) or required(name, remedy)
    try:
        config: dict[str, Any] = env.email_url_config(raw)
    except (environ.ImproperlyConfigured, ValueError, KeyError):
        config = {}
    complete = config.get("EMAIL_HOST") and config.get("EMAIL_PORT")
    if "EMAIL_BACKEND" not in config or ("smtp" in config["EMAIL_BACKEND"] and not complete):
        raise ImproperlyConfigured(f"{name} is not an address for sending e-mail. Set {name} to {remedy}")
    return config


def encryption_keys(name: str) -> list[str]:
    """Return the Fernet keys, newest first: the first encrypts, all decrypt."""
    remedy = (
        "one or more comma-separated keys, newest first; `python -m playbooks.env_file --print-secrets` prints one."
    )
    keys = [key.strip() for key in required(name, remedy).split(",") if key.strip()]
    for position, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name}: key {position} is not a Fernet key (32 url-safe base64 bytes). "
                "`python -m playbooks.env_file --print-secrets` prints a good one."
            ) from None
    return keys


def single_sign_on() -> dict[str, Any]:
    """Return django-allauth's settings of the providers that have a client id: Google, Microsoft, both or none."""
    providers: dict[str, Any] = {}
    remedy = "the secret that belongs to the client id."
    if client := text("SSO_GOOGLE_CLIENT_ID"):
        app = {"client_id": client, "secret": required("SSO_GOOGLE_CLIENT_SECRET", remedy), "key": ""}
        providers["google"] = {"APPS": [app], "SCOPE": ["email"], "OAUTH_PKCE_ENABLED": True}
    if client := text("SSO_MICROSOFT_CLIENT_ID"):
        app = {"client_id": client, "secret": required("SSO_MICROSOFT_CLIENT_SECRET", remedy), "key": ""}
        tenant = required("SSO_MICROSOFT_TENANT", "your own directory's (tenant) id or domain.")
        if tenant.lower() in {"common", "organizations", "consumers"} or not re.fullmatch(r"[\w.-]+", tenant):
            raise ImproperlyConfigured(
                "SSO_MICROSOFT_TENANT must be your own directory's (tenant) id or domain: admins of another directory "
                "could give their users any of your addresses."
            )
        providers["microsoft"] = {"APPS": [app | {"settings": {"tenant": tenant}}], "OAUTH_PKCE_ENABLED": True}
    return providers


def _make_folder(name: str, folder: Path) -> None:
    """Make the database's folder, but not a whole path that may be a typing error."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        raise ImproperlyConfigured(f"{name}: the folder {folder} can't be made. Make it, or mend the path.") from None


def database(name: str, default: str) -> dict[str, Any]:
    """Return Django's settings for one database, with what SQLite and PostgreSQL each need to be shared."""
    raw = text(name, default)
    try:
        # Others are not even shown to django-environ, whose warning would quote the password;
        # an empty path it would take for a database in memory.
        known = raw.startswith(("sqlite:///", "postgres://", "postgresql://")) and raw != "sqlite:///"
        config: dict[str, Any] = env.db_url_config(raw) if known else {}
    except (environ.ImproperlyConfigured, ValueError, KeyError):
        config = {}
    engine = config.get("ENGINE", "") if config.get("NAME") else ""
    if engine == "django.db.backends.sqlite3":
        # Measured: WAL alone makes "database is locked" worse; with IMMEDIATE there was none.
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        if config["NAME"] != ":memory:":
            config["NAME"] = str(BASE_DIR / config["NAME"])  # wherever the process was started
            _make_folder(name, Path(config["NAME"]).parent)
    elif engine == "django.db.backends.postgresql":
        config["CONN_HEALTH_CHECKS"] = True
    else:
        raise ImproperlyConfigured(
            f"{name} must be sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME. Other databases are not tested."
        )
    # 0 would make django-q2's broker connect anew on every call (measured: 79 instead of 277 jobs a second).
    config["CONN_MAX_AGE"] = 600
    return config
