"""One JSON object per log line, with task, attempt and CRM request id, and without secrets or contents."""

import logging
import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from pythonjsonlogger.json import JsonFormatter

from sync.redaction import describe, describe_traceback, redact

# What `extra=` may carry into a line. An unknown name is left out and said: its value could be anything.
FIELDS = (
    "task",
    "row",
    "attempt",
    "connection",
    "crm_id",
    "crm_request_id",
    "http_status",
    "error_code",
    "duration_ms",
    "count",
    "batch_size",
    "job",
    "cluster",
)
# Django's own, harmless or heard under another name, and nobody has to be told that they are left out.
_UNHEARD = frozenset({"status_code", "request", "server_time", "taskName", "message", "asctime"})
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | _UNHEARD


def safe_line(record: logging.LogRecord) -> dict[str, Any]:
    """Return what may be told of a record, in the order in which it is told."""
    secrets = _known_secrets()
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if "status_code" in vars(record):  # Django's name for it
        extra.setdefault("http_status", vars(record)["status_code"])
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": redact(_message(record), secrets),
    }
    line |= {name: _plain(extra[name], secrets) for name in FIELDS if extra.get(name) is not None and extra[name] != ""}
    if unknown := sorted(set(extra) - set(FIELDS)):
        line["left_out"] = unknown
    # Whoever is refused (403, 404) is no failure of ours: the line says what happened, its traceback would say no more.
    refused = record.name == "django.request" and record.levelno < logging.ERROR
    if record.exc_info and record.exc_info[1] and not refused:
        line["exception"] = describe_traceback(record.exc_info[1], secrets)
    return line


class JsonLine(JsonFormatter):
    """For production: one object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: str = self.serialize_log_record(safe_line(record))
        return line


class TextLine(logging.Formatter):
    """For development: the same for human eyes."""

    def format(self, record: logging.LogRecord) -> str:
        line = safe_line(record)
        fields = " ".join(f"{name}={line[name]}" for name in (*FIELDS, "left_out") if name in line)
        message = line["message"].replace("\n", " ⏎ ")
        text = f"{line['time'][11:23]} {line['level']:<7} {line['logger']}: {message}"
        return "\n".join(part for part in (f"{text}  {fields}".rstrip(), line.get("exception")) if part)


def logging_config(level: str, style: str) -> dict[str, Any]:
    """Return Django's LOGGING for a level and a style (`json` or `text`).

    Every line takes the one way through `safe_line`. Django's own handlers are taken away: its error e-mails hold
    requests and local variables.
    """
    one_way: dict[str, Any] = {"handlers": [], "propagate": True}
    # Their debug lines hold addresses, headers and the values of SQL statements.
    talkative = ("urllib3", "requests", "simple_salesforce", "django.db.backends", "django.template", "redis")
    quiet = "INFO" if level == "DEBUG" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "playbooks.logs.JsonLine" if style == "json" else "playbooks.logs.TextLine"},
        },
        "handlers": {"line": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": level, "handlers": ["line"]},
        "loggers": {
            "django": one_way | {"level": quiet},
            "django.server": one_way | {"level": quiet},
            # In a web process gunicorn has set up its own before Django is loaded.
            "gunicorn.error": one_way | {"level": quiet},
            "gunicorn.access": one_way | {"level": quiet},
            # It tells of each job at INFO.
            "django-q": one_way | {"level": max("WARNING", quiet, key=logging.getLevelNamesMapping().__getitem__)},
            **{name: {"level": quiet} for name in talkative},
        },
    }


def _message(record: logging.LogRecord) -> str:
    """The message with its arguments; exceptions among them say no more than `describe` lets them."""
    if isinstance(record.msg, BaseException):
        return describe(record.msg)
    message = str(record.msg)
    if not record.args:
        return message
    if isinstance(record.args, dict):
        arguments: Any = {name: _argument(value) for name, value in record.args.items()}
    else:
        arguments = tuple(_argument(value) for value in record.args)
    try:
        return str(message % arguments)
    except (TypeError, ValueError, KeyError):
        # Python's own answer would print the arguments.
        return f"{message} (its arguments don't fit)"


def _argument(value: object) -> object:
    return describe(value) if isinstance(value, BaseException) else value


def _plain(value: object, secrets: list[str]) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | uuid.UUID):
        return redact(str(value), secrets)[:200]
    return type(value).__name__


def _known_secrets() -> list[str]:
    """This installation's own secrets: an opaque one is recognised by nothing else."""
    if not settings.configured:
        return []
    database = settings.DATABASES.get("default", {})
    candidates = [
        settings.SECRET_KEY,
        *settings.ENCRYPTION_KEYS,
        settings.SALESFORCE_CLIENT_SECRET,
        database.get("PASSWORD"),
        getattr(settings, "EMAIL_HOST_PASSWORD", ""),
        *(app["secret"] for provider in settings.SOCIALACCOUNT_PROVIDERS.values() for app in provider["APPS"]),
    ]
    # A password of a few letters would eat words.
    return [secret for secret in candidates if isinstance(secret, str) and len(secret) >= 8]
