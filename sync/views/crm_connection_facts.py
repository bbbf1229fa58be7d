"""What the Connection page shows, ready for its templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.browser_app import callback_url, missing_settings
from sync.crm.base import ObjectAccess, TaskSchema, Usage
from sync.enums import ConnectionState, FailureMode, Slot
from sync.findings import Finding, findings
from sync.models import Connection

SLOT_LABELS = {
    Slot.KEY: gettext_lazy("key field (without it, a lost answer costs minutes instead of seconds)"),
    Slot.PLAY_NAME: gettext_lazy("Play Name"),
    Slot.PLAY_STEP: gettext_lazy("Play Step"),
    Slot.SUBTYPE: gettext_lazy("subtype (call or e-mail)"),
    Slot.TYPE: gettext_lazy("type"),
    Slot.CALL_DIRECTION: gettext_lazy("call direction"),
    Slot.CALL_DURATION: gettext_lazy("call duration"),
    Slot.CALL_DISPOSITION: gettext_lazy("call result"),
    Slot.CALL_OBJECT: gettext_lazy("call object"),
}
_DEFAULT_PORTS = (":443", ":80")


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What an Access User may do: one row an object, the Task's fields, and what is missing."""

    objects: Sequence[ObjectAccess]
    task_fields: Sequence[str]
    missing_task_fields: Sequence[str]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Facts:
    """The connection, in words. `share` is the part of the day's API calls that is used up, in percent."""

    tone: str
    state: str
    is_on_purpose: bool
    pause: str
    share: int | None
    usage: str
    lacks: Sequence[str] | None
    access: AccessFacts | None


@dataclass(frozen=True, slots=True)
class AppFacts:
    """What must be there before anybody is sent to Salesforce. `elsewhere`: where to open the page instead."""

    callback_url: str
    missing: Sequence[tuple[str, str]]
    elsewhere: str

    @property
    def is_ready(self) -> bool:
        return not self.missing and not self.elsewhere


def facts_of(connection: Connection, now: datetime) -> Facts:
    """Return what is shown of a connection."""
    usage, schema = connection.usage, connection.task_schema
    is_up = connection.state == ConnectionState.CONNECTED
    is_on_purpose = connection.disconnected_by_id is not None
    state = _("Disconnected on purpose") if is_on_purpose else connection.get_state_display()
    objects = [ObjectAccess.from_json(each) for each in connection.access or ()]
    return Facts(
        tone="good" if is_up else "bad",
        state=state,
        is_on_purpose=is_on_purpose,
        pause=_pause(connection, now),
        share=min(100, round(100 * usage.used / usage.limit)) if usage and usage.limit else None,
        usage=usage_words(usage) if usage else "",
        lacks=_lacks(schema) if schema else None,
        access=access_facts(objects, schema) if schema and objects else None,
    )


def access_facts(objects: Sequence[ObjectAccess], schema: TaskSchema) -> AccessFacts:
    """Return what an Access User may do; the Task is the last of `objects`."""
    task = next((each for each in objects if each.name == "Task"), None)
    return AccessFacts(
        objects=objects,
        task_fields=task.writable_fields if task else (),
        missing_task_fields=task.missing_fields if task else (),
        findings=findings(objects, schema),
    )


def usage_words(usage: Usage) -> str:
    """Return how much of the day's API calls is used up."""
    return _("%(used)s of %(limit)s, of the whole org") % {
        "used": number_format(usage.used, force_grouping=True),
        "limit": number_format(usage.limit, force_grouping=True),
    }


def app_facts(host: str) -> AppFacts:
    """Return what is needed for connecting in the browser; `host` is the one that the page was opened under."""
    elsewhere = settings.SITE_URL if is_elsewhere(host) else ""
    return AppFacts(callback_url(), missing_settings(), elsewhere)


def is_elsewhere(host: str) -> bool:
    """Whether Salesforce would send the browser back to another host, where nobody is logged in."""
    return _bare(host) != _bare(urlsplit(settings.SITE_URL).netloc)


def _bare(host: str) -> str:
    for port in _DEFAULT_PORTS:
        host = host.removesuffix(port)
    return host.lower()


def _pause(connection: Connection, now: datetime) -> str:
    if connection.paused_until is None or connection.paused_until <= now or not connection.pause_mode:
        return ""
    return str(FailureMode(connection.pause_mode).label)


def _lacks(schema: TaskSchema) -> list[str]:
    missing = list(schema.missing)
    if not schema.has_key and Slot.KEY not in missing:
        missing.insert(0, Slot.KEY)
    return [str(SLOT_LABELS.get(slot, slot)) for slot in missing]
