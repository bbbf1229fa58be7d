"""What Salesforce's errors usually mean, and where they are mended (M25). Pure; a second CRM brings its own table."""

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.enums import Actor, FailureMode

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Remedy:
    """In plain words; `where` is a path in Salesforce's set-up, empty when it isn't mended there."""

    meaning: Text
    remedy: Text
    where: Text = ""


_OBJECT_MANAGER = "Setup › Object Manager › Activity"
_PERMISSIONS = "Setup › Permission Sets"
_NOBODY = _("Nobody has to do anything: Playbooks tries again by itself.")
_REP_OPENS = _("The rep, or their manager, corrects it on the task's page.")

_REMEDIES: dict[str, Remedy] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Remedy(
        _("A validation rule of your org refuses the Task. The message is the rule's own, as your org wrote it."),
        _("Find the rule with this message, and let it except Tasks that Playbooks writes (or the Access User)."),
        f"{_OBJECT_MANAGER} › Validation Rules",
    ),
    "REQUIRED_FIELD_MISSING": Remedy(
        _("Your org requires a field of each Task that Playbooks doesn't fill. The message names it."),
        _("Make the field optional, or give it a default value."),
        f"{_OBJECT_MANAGER} › Fields & Relationships",
    ),
    "INSUFFICIENT_ACCESS_OR_READONLY": Remedy(
        _("The Access User may not edit this Task or the record that it belongs to."),
        _("Give the Access User a permission set with Edit Tasks, and with access to the records of your reps."),
        _PERMISSIONS,
    ),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Remedy(
        _("The Access User may not see the record, or the owner, that the Task refers to."),
        _("Share the records with the Access User (View All on their object), and check that the owner is active."),
        "Setup › Sharing Settings",
    ),
    "TXN_SECURITY_NO_ACCESS": Remedy(
        _("A transaction security policy of your org stops the Access User."),
        _("Except the Access User from the policy."),
        "Setup › Transaction Security Policies",
    ),
    "INACTIVE_OWNER_OR_USER": Remedy(
        _("The rep's user in the CRM was deactivated, so that it can't own the Task."),
        _("Activate that user, or choose another CRM user on the rep's page here; then retry."),
        "Setup › Users",
    ),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Remedy(
        _("An Apex trigger of your org fails when the Task is saved. The message begins with the trigger's name."),
        _("Have whoever looks after that trigger mend it, or let it leave out Tasks that the Access User writes."),
        "Setup › Apex Triggers",
    ),
    "CANNOT_EXECUTE_FLOW_TRIGGER": Remedy(
        _("A flow of your org fails when the Task is saved. The message names it."),
        _("Have whoever looks after that flow mend it, or let it leave out Tasks that the Access User writes."),
        "Setup › Flows",
    ),
    "INVALID_CROSS_REFERENCE_KEY": Remedy(
        _("The record that the Task refers to is not there, or is of a kind that a Task can't be related to."),
        _("Open the task, see which record it is linked to, and check in the CRM whether that record still exists."),
    ),
    "ENTITY_IS_DELETED": Remedy(
        _("The record that the Task refers to was deleted or merged in the CRM."),
        _("Restore the record from the recycle bin. A record that was merged or converted is followed by itself."),
        _("Recycle Bin"),
    ),
    "CANNOT_UPDATE_CONVERTED_LEAD": Remedy(
        _("The lead was converted, and Salesforce lets nobody write to a converted lead."),
        _("Nobody has to do anything yet: Playbooks follows the lead to its contact."),
    ),
    "STRING_TOO_LONG": Remedy(
        _(
            "A text is longer than its field in the CRM. Playbooks shortens subject and description; your org's own "
            "fields may be shorter than the standard."
        ),
        _("Make the field that the message names longer, or let the rep enter a shorter text."),
        f"{_OBJECT_MANAGER} › Fields & Relationships",
    ),
    "FIELD_INTEGRITY_EXCEPTION": Remedy(
        _("Two values of the Task contradict each other, or a record can't be related as it was asked for."),
        _("Read the message: it names the field. Let the rep choose another record, then retry."),
    ),
    "MALFORMED_ID": Remedy(
        _("An id that was sent is no id of this CRM."),
        _("Check the CRM user id on the rep's page, and the record that the task is linked to."),
    ),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Remedy(
        _("A picklist of your org doesn't take the value, and it is restricted to those that are listed."),
        _("Add the value to the picklist, or lift its restriction."),
        f"{_OBJECT_MANAGER} › Fields & Relationships",
    ),
    "INVALID_FIELD": Remedy(
        _("A field that Playbooks fills was removed, renamed or hidden from the Access User."),
        _(
            "Make the field visible to the Access User again. Playbooks reads the org's fields anew each hour, and "
            "leaves out optional fields that are gone."
        ),
        f"{_OBJECT_MANAGER} › Fields & Relationships › Set Field-Level Security",
    ),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Remedy(
        _("The Access User may read a field that Playbooks fills, but not write to it."),
        _("Give the Access User edit access to the field that the message names."),
        _PERMISSIONS,
    ),
    "INVALID_TYPE": Remedy(
        _("The Access User doesn't see the Task object, or another object that it needs."),
        _("Give the Access User access to Activities and to the objects that your reps work with."),
        _PERMISSIONS,
    ),
    "NOT_FOUND": Remedy(
        _("The key field that Playbooks finds its Tasks by was removed or hidden."),
        _("Restore the key field, or make it visible to the Access User."),
        f"{_OBJECT_MANAGER} › Fields & Relationships",
    ),
    "DUPLICATES_DETECTED": Remedy(
        _("A duplicate rule of your org takes the Task for one that is there already."),
        _("Let the rule allow what the Access User writes. Playbooks writes each task once, by its key."),
        "Setup › Duplicate Rules",
    ),
    "DUPLICATE_VALUE": Remedy(
        _("A unique field of your org already has this value on another Task."),
        _("Find the field in the message, and make it not unique, or leave it to Playbooks alone."),
        f"{_OBJECT_MANAGER} › Fields & Relationships",
    ),
    "UNABLE_TO_LOCK_ROW": Remedy(_("Something else in your org was saving the same record in that moment."), _NOBODY),
    "STORAGE_LIMIT_EXCEEDED": Remedy(
        _("Your org's storage is full, so that nothing can be saved in it."),
        _("Free storage, or buy more. Until then Playbooks waits."),
        "Setup › Storage Usage",
    ),
    "RECORD_NOT_FOUND": Remedy(
        _("The CRM has no record with this id, or the Access User may not see it."),
        _("Check the id on the task's page, or share the record with the Access User."),
        "Setup › Sharing Settings",
    ),
    "NO_CLOSED_STATUS": Remedy(
        _("No status of a Task counts as closed, so that a completed task can't be written."),
        _("Mark at least one status as closed."),
        "Setup › Picklist Value Sets › Task Status",
    ),
    "PLAYBOOKS_ERROR": Remedy(
        _("Playbooks could not put this task into the CRM's form. That is a mistake of ours, not of your org."),
        _("Tell whoever runs Playbooks; the site's log of that time says where it happened. Nothing is lost."),
    ),
}
_REMEDIES["INSUFFICIENT_ACCESS"] = _REMEDIES["INSUFFICIENT_ACCESS_OR_READONLY"]

_LIMIT_OF_DAY = Remedy(
    _("Your org has used up its API calls of the last 24 hours. All integrations of the org share them."),
    _(
        "Nobody has to do anything: Playbooks goes on when calls are free again. If it happens often, see which "
        "integration uses most of them, or buy more."
    ),
    "Setup › System Overview",
)
_LIMIT_OF_MOMENT = Remedy(
    _("Too many long requests ran in your org at the same time."), _NOBODY, "Setup › System Overview"
)

# What Playbooks itself found or met: the CRM has said none of these.
_OURS = {
    *("RECORD_NOT_FOUND", "NO_CLOSED_STATUS", "NO_KEY_FIELD", "PLAYBOOKS_ERROR", "UNREADABLE_ANSWER", "TOO_MANY_PAGES"),
    *("CONNECT_TIMEOUT", "REDIRECTED", "UNREACHABLE", "TLS_FAILED", "PROXY_FAILED", "TIMEOUT", "CONNECTION_LOST"),
    *("TOKEN_NOT_RENEWED", "DISCONNECTED", "OTHER_ORG", "UNREADABLE_KEY", "UNTRUSTED_INSTANCE"),
}

_BY_MODE: dict[FailureMode, Remedy] = {
    FailureMode.TRANSIENT: Remedy(_("The CRM was busy or out of reach for a moment."), _NOBODY),
    FailureMode.FREE: Remedy(_("It was rolled back together with other Tasks of the same call."), _NOBODY),
    FailureMode.LIMIT: _LIMIT_OF_DAY,
    FailureMode.SESSION: Remedy(_("The Access User's session had ended."), _NOBODY),
    FailureMode.CONNECTION: Remedy(
        _("The CRM doesn't let the Access User in."),
        _("An admin connects it again under Settings › CRM › Connection."),
        "Setup › Users",
    ),
    FailureMode.PERMISSION: Remedy(
        _("The Access User lacks a right that this needs."),
        _("Give the Access User the right that the message names, in a permission set."),
        _PERMISSIONS,
    ),
    FailureMode.CONFIGURATION: Remedy(
        _("Something in your org's set-up refuses the Task."),
        _("Look up the code and the message in your org's set-up of Activities."),
        _OBJECT_MANAGER,
    ),
    FailureMode.DATA: Remedy(_("The CRM doesn't take a value of this task."), _REP_OPENS),
    FailureMode.RELINK: Remedy(
        _("The record that the task belongs to was deleted, merged or converted in the CRM."),
        _("Restore it, or let the rep choose another record."),
    ),
    FailureMode.TOO_BIG: Remedy(
        _("Your org's own triggers can't cope with so many Tasks at once, and with this one not even alone."),
        _("Have whoever looks after the triggers named in the message make them work on many rows at once."),
        "Setup › Apex Triggers",
    ),
    FailureMode.DONE_ALREADY: Remedy(_("It stands in the CRM already."), _NOBODY),
    FailureMode.OTHER: Remedy(
        _("Playbooks doesn't know this error. Its words are the CRM's own."),
        _("Show the code and the message to your Salesforce admin. One task of this kind is tried each hour."),
    ),
}

_CONCURRENT = re.compile(r"concurrent", re.IGNORECASE)


def speaker(code: str) -> Text:
    """Return a heading that tells whose words a code and its message are."""
    return _("Playbooks says") if code in _OURS else _("The CRM says")


def remedy_for(mode: str, code: str, message: str) -> Remedy:
    """Return what an error usually means and where it is mended: by its code, else by its failure mode.

    An automation's error that passes by itself (a locked row in a trigger) is told as that.
    """
    if mode == FailureMode.LIMIT and code != "STORAGE_LIMIT_EXCEEDED":
        return _LIMIT_OF_MOMENT if _CONCURRENT.search(message) else _LIMIT_OF_DAY
    known = _REMEDIES.get(code) or _by_prefix(code)
    general = _BY_MODE[FailureMode(mode) if mode in FailureMode.values else FailureMode.OTHER]
    if known is None:
        return general
    # The same code in another mode than its own: a trigger that only met a locked row, or too many rows.
    nests = code.startswith("CANNOT_") and mode in (FailureMode.TRANSIENT, FailureMode.TOO_BIG)
    return general if nests else known


def actor_of(mode: str) -> Actor:
    """Return who acts next."""
    return FailureMode(mode).actor if mode in FailureMode.values else Actor.ADMIN


def _by_prefix(code: str) -> Remedy | None:
    return next(
        (_REMEDIES[prefix] for prefix in ("INSUFFICIENT_ACCESS", "INVALID_FIELD") if code.startswith(prefix)), None
    )
