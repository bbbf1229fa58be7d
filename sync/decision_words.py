"""What a decision's ground is called in words, for a task's page. Pure."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sync.enums import RecordKind, Slot
from sync.models import Decision, Record
from teams.scoped_admin import Text

_SLOTS: dict[str, Text] = {
    Slot.SUBJECT: gettext_lazy("subject"),
    Slot.DESCRIPTION: gettext_lazy("description"),
    Slot.TYPE: gettext_lazy("type"),
    Slot.SUBTYPE: gettext_lazy("subtype"),
    Slot.CALL_DIRECTION: gettext_lazy("call direction"),
    Slot.CALL_DURATION: gettext_lazy("call duration"),
    Slot.CALL_DISPOSITION: gettext_lazy("call disposition"),
    Slot.CALL_OBJECT: gettext_lazy("phone number"),
    Slot.PLAY_NAME: gettext_lazy("play name"),
    Slot.PLAY_STEP: gettext_lazy("play step"),
}
_FIELDS: dict[str, Text] = {
    "subject": gettext_lazy("subject"),
    "description": gettext_lazy("description"),
    "completed_at": gettext_lazy("time of completion"),
    "call_direction": gettext_lazy("call direction"),
    "call_duration_seconds": gettext_lazy("call duration"),
    "call_disposition": gettext_lazy("call result"),
    "phone_number": gettext_lazy("phone number"),
    "email_address": gettext_lazy("e-mail address"),
    "record": gettext_lazy("record"),
    "related_record": gettext_lazy("related record"),
}
_LABELS: dict[str, Text] = {
    "from": gettext_lazy("from"),
    "to": gettext_lazy("to"),
    "until": gettext_lazy("until"),
    "reason": gettext_lazy("reason"),
    "field": gettext_lazy("field"),
}


def words(decision: Decision, people: Mapping[str, str], records: Collection[Record | None]) -> str:
    """Return the ground of a decision in one line; empty when its name says all.

    `people` are names by UUID, as far as the viewer may see them; `records` those that may be called by their name.
    """
    detail = dict(decision.detail or {})
    said: list[str] = []
    by = detail.pop("by", None)
    if by in ("phone", "email"):
        said.append(_("by phone number") if by == "phone" else _("by e-mail address"))
    elif by is not None:
        said.append(_("by %(name)s") % {"name": name_of(str(by), people)})
    for prefix in ("", "related_"):
        kind, crm_id = detail.pop(f"{prefix}kind", ""), detail.pop(f"{prefix}crm_id", None)
        if crm_id:
            said.append(_record(str(kind), str(crm_id), records))
    if (matches := detail.pop("matches", None)) is not None:
        said.append(ngettext("%(count)d record matches", "%(count)d records match", matches) % {"count": matches})
    if fields := detail.pop("fields", None):
        said.append(", ".join(str(_FIELDS.get(name, name)) for name in fields))
    if slot := detail.pop("slot", None):
        said.append(str(_SLOTS.get(slot, str(slot).replace("_", " "))))
    if "length" in detail and "limit" in detail:
        lengths = {"length": detail.pop("length"), "limit": detail.pop("limit")}
        said.append(_("%(length)s characters, where the CRM takes %(limit)s") % lengths)
    if detail.pop("why", None) == "enrolment_ended":
        said.append(_("because the play was ended for its record"))
    said += [
        f"{_LABELS.get(name, name.replace('_', ' '))}: {_value(value)}"
        for name, value in detail.items()
        if value is not None
    ]
    return ", ".join(said)


def uuids_in(decisions: Iterable[Decision]) -> set[str]:
    """Return who acted, as far as decisions name people."""
    found = {decision.detail.get("by") for decision in decisions if decision.detail}
    return {by for by in found if isinstance(by, str) and _is_uuid(by)}


def crm_ids_in(decisions: Iterable[Decision]) -> set[str]:
    """Return which records decisions name."""
    details = [decision.detail or {} for decision in decisions]
    found = {detail.get(name) for detail in details for name in ("crm_id", "related_crm_id")}
    return {crm_id for crm_id in found if isinstance(crm_id, str)} - {""}


def name_of(by: str, people: Mapping[str, str]) -> str:
    return people.get(by) or _("someone outside your teams")


def _record(kind: str, crm_id: str, records: Iterable[Record | None]) -> str:
    label = RecordKind(kind).label if kind in RecordKind.values else _("record")
    name = next((record.name for record in records if record and record.crm_id == crm_id), "")
    return f"{label} {name} ({crm_id})" if name else f"{label} {crm_id}"


def _label(name: str) -> str:
    return str(_LABELS.get(name) or name.replace("_", " "))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    day = _day(value) if isinstance(value, str) else None
    return date_format(day, "DATE_FORMAT") if day else str(value)


def _day(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
