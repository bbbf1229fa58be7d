"""Which column of a dialer's file is which field of a task. Pure."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from teams.scoped_admin import Text

# Named as the API names them; what each holds stands in docs/guide-managers.md, too.
FIELDS: dict[str, Text] = {
    "key": gettext_lazy("the dialer's own id of the call: the same key is imported once"),
    "kind": gettext_lazy("call, email or other; without this column all are calls"),
    "user": gettext_lazy("e-mail address or CRM user id of who did it"),
    "subject": gettext_lazy("what the CRM shows it under; a call without one is named after its number"),
    "description": gettext_lazy("notes"),
    "completed_at": gettext_lazy("when, in ISO 8601, like 2025-03-31T14:05:00+02:00"),
    "record": gettext_lazy("CRM id of the Contact, Lead, Account or Opportunity"),
    "related_record": gettext_lazy("CRM id of the Account or Opportunity beside a person"),
    "phone_number": gettext_lazy("of a call: whom it was with"),
    "email_address": gettext_lazy("of an e-mail: whom it went to"),
    "call_direction": gettext_lazy("inbound, outbound or internal"),
    "call_duration_seconds": gettext_lazy("seconds, or minutes and seconds like 2:05"),
    "call_disposition": gettext_lazy("what came of it, like Left voicemail"),
    "play": gettext_lazy("name of the play that it belongs to"),
    "play_step": gettext_lazy("name of the play's step, or its place: 1 is the first"),
}

LABELS: dict[str, Text] = {
    "key": gettext_lazy("Key"),
    "kind": gettext_lazy("Kind"),
    "user": gettext_lazy("User"),
    "subject": gettext_lazy("Subject"),
    "description": gettext_lazy("Description"),
    "completed_at": gettext_lazy("Completed at"),
    "record": gettext_lazy("Record"),
    "related_record": gettext_lazy("Related record"),
    "phone_number": gettext_lazy("Phone number"),
    "email_address": gettext_lazy("E-mail address"),
    "call_direction": gettext_lazy("Direction of the call"),
    "call_duration_seconds": gettext_lazy("Duration of the call"),
    "call_disposition": gettext_lazy("Result of the call"),
    "play": gettext_lazy("Play"),
    "play_step": gettext_lazy("Step of the play"),
}

# What dialers call them; upper and lower case, spaces, hyphens, dots and underscores don't count.
ALIASES: dict[str, tuple[str, ...]] = {
    "key": ("call id", "callid", "call sid", "call uuid", "uuid", "id", "unique id", "external id", "reference"),
    "kind": ("type", "activity type", "task type", "channel"),
    "user": ("agent", "agent email", "user email", "email of user", "rep", "rep email", "owner", "owner id", "user id",
             "agent id", "caller", "made by", "assigned to"),
    "subject": ("title", "call subject", "task subject"),
    "description": ("notes", "note", "comments", "comment", "call notes", "call summary", "summary", "body"),
    "completed_at": ("date", "time", "date time", "datetime", "timestamp", "call time", "call date", "started at",
                     "start time", "call start", "call started at", "ended at", "end time", "completed", "created at"),
    "record": ("record id", "crm id", "salesforce id", "sfdc id", "contact id", "lead id", "who id", "whoid",
               "contact or lead id"),
    "related_record": ("related record id", "what id", "whatid", "account id", "opportunity id", "related to id"),
    "phone_number": ("phone", "number", "to number", "dialed number", "dialled number", "destination", "to",
                     "customer number", "contact number", "remote number"),
    "email_address": ("email", "e mail", "recipient", "to email", "contact email", "to address"),
    "call_direction": ("direction", "call type", "inbound outbound"),
    "call_duration_seconds": ("duration", "call duration", "talk time", "duration seconds", "duration in seconds",
                              "length", "call length", "duration sec"),
    "call_disposition": ("disposition", "call result", "result", "outcome", "call outcome", "call status"),
    "play": ("play name", "cadence", "sequence", "campaign"),
    "play_step": ("play step name", "step", "step name", "cadence step", "sequence step"),
}  # fmt: skip


def plain(heading: str) -> str:
    """Return a heading without what doesn't count."""
    words = "".join(char if char.isalnum() else " " for char in heading.casefold())
    return " ".join(words.split())


_BY_NAME = {plain(name): name for name in FIELDS}
_BY_ALIAS = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


# Lines without a key that say the same here are one task; without a time their notes count, too.
_SAME = (
    "user", "kind", "completed_at", "phone_number", "email_address", "subject", "record", "call_duration_seconds",
    "play", "play_step",
)  # fmt: skip


def mark(mapping: Sequence[str], cells: Sequence[str]) -> object:
    """Return what tells a line from others of its file as it is written: its key, or without one what it says.

    Across files the key counts that import_lines.py makes of such a line, however it is written.
    """
    said = dict(zip(mapping, cells, strict=False))
    if key := said.get("key"):
        return key
    notes = "" if said.get("completed_at") else said.get("description", "")
    return (*(said.get(name, "").casefold() for name in _SAME), notes)


def mapping_of(headings: Sequence[str]) -> list[str]:
    """Return for each column the field that it is taken for, "" for none; a field's own name goes before an alias."""
    mapped = [_BY_NAME.get(plain(heading), "") for heading in headings]
    for place, heading in enumerate(headings):
        field = _BY_ALIAS.get(plain(heading), "")
        if not mapped[place] and field not in mapped:
            mapped[place] = field
    return mapped


def check_mapping(mapping: Sequence[str]) -> None:
    """Raise ValidationError for what can't be imported so: no user, or two columns for one field."""
    chosen = [field for field in mapping if field]
    if "user" not in chosen:
        raise ValidationError(
            _("No column says whose tasks these are. Choose the one with the e-mail address or CRM user id."), "no_user"
        )
    twice = [str(label) for field, label in LABELS.items() if chosen.count(field) > 1]
    if twice:
        message = _("Two columns are taken for the same: %(fields)s. Leave one of them out.")
        raise ValidationError(message % {"fields": ", ".join(twice)}, "twice")
