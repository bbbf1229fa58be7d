"""The states and failure modes of everything that goes between Playbooks and the CRM."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class RecordKind(TextChoices):
    """The only CRM objects that are ever written to (M2)."""

    ACCOUNT = "account", _("Account")
    CONTACT = "contact", _("Contact")
    LEAD = "lead", _("Lead")
    OPPORTUNITY = "opportunity", _("Opportunity")
    CASE = "case", _("Case")

    @property
    def is_person(self) -> bool:
        return self in (RecordKind.CONTACT, RecordKind.LEAD)


class TaskKind(TextChoices):
    CALL = "call", _("Call")
    EMAIL = "email", _("E-mail")
    OTHER = "other", _("Other")


class TaskState(TextChoices):
    OPEN = "open", _("Open")
    COMPLETED = "completed", _("Completed")
    SKIPPED = "skipped", _("Skipped")


class TaskSource(TextChoices):
    """Where a task came from."""

    PLAYBOOKS = "playbooks", _("Playbooks")
    API = "api", _("the HTTP API")
    IMPORT = "import", _("an imported file")


class TaskStatus(TextChoices):
    """How a task fares, as those who hand it in are told: one word for its state here and its outbox row's."""

    OPEN = "open", _("Open")
    SKIPPED = "skipped", _("Skipped")
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    SYNCED = "synced", _("Synced")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    STOPPED = "stopped", _("Stopped by a blacklist")

    @property
    def is_final(self) -> bool:
        return self in (TaskStatus.SYNCED, TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.STOPPED)


class CallDirection(TextChoices):
    INBOUND = "inbound", _("Inbound")
    OUTBOUND = "outbound", _("Outbound")
    INTERNAL = "internal", _("Internal")


class LinkChoice(TextChoices):
    """How a completed task came by its record; only a match needs a history (M4)."""

    PLAY = "play", _("from a play")
    PAGE = "page", _("from the record's page")
    EXPLICIT = "explicit", _("chosen")
    MATCH = "match", _("matched by number or address")
    NONE = "none", _("none")


class OutboxState(TextChoices):
    PENDING = "pending", _("Waiting")
    SENDING = "sending", _("Sending")
    DONE = "done", _("Synced")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class ObjectType(TextChoices):
    """What an outbox row writes. A batch is of one connection and one object type."""

    TASK = "task", _("Task")


class AttemptOutcome(TextChoices):
    STARTED = "started", _("Started")
    WRITTEN = "written", _("Written")
    FOUND = "found", _("Found in the CRM")
    REFUSED = "refused", _("Refused")
    UNKNOWN = "unknown", _("No answer")
    LOST = "lost", _("Interrupted")


class FailureMode(TextChoices):
    """Why something was not written, by who acts next."""

    TRANSIENT = "transient", _("The CRM is busy or out of reach for a moment")
    FREE = "free", _("The CRM rolled it back with its neighbours")
    LIMIT = "limit", _("The CRM's limits are used up")
    SESSION = "session", _("The session has ended")
    CONNECTION = "connection", _("The Access User is disconnected")
    PERMISSION = "permission", _("The Access User may not do this")
    CONFIGURATION = "configuration", _("The CRM's set-up refuses this")
    DATA = "data", _("Something in the task doesn't fit")
    RELINK = "relink", _("The record was deleted, merged or converted")
    TOO_BIG = "too_big", _("The batch was too big for the org's triggers")
    DONE_ALREADY = "done_already", _("It is in the CRM already")
    OTHER = "other", _("Something that Playbooks doesn't know")

    @property
    def actor(self) -> "Actor":
        return _ACTORS[self]


class Actor(TextChoices):
    """Who acts next."""

    NOBODY = "nobody", _("Nobody: it goes on by itself")
    ADMIN = "admin", _("An admin")
    REP = "rep", _("The rep")


_ACTORS = {
    FailureMode.TRANSIENT: Actor.NOBODY,
    FailureMode.FREE: Actor.NOBODY,
    FailureMode.LIMIT: Actor.NOBODY,
    FailureMode.SESSION: Actor.NOBODY,
    FailureMode.CONNECTION: Actor.ADMIN,
    FailureMode.PERMISSION: Actor.ADMIN,
    FailureMode.CONFIGURATION: Actor.ADMIN,
    FailureMode.DATA: Actor.REP,
    FailureMode.RELINK: Actor.REP,
    FailureMode.TOO_BIG: Actor.NOBODY,
    FailureMode.DONE_ALREADY: Actor.NOBODY,
    FailureMode.OTHER: Actor.ADMIN,
}


class ConnectionState(TextChoices):
    CONNECTED = "connected", _("Connected")
    DISCONNECTED = "disconnected", _("Disconnected")


class AuthFlow(TextChoices):
    CLIENT_CREDENTIALS = "client_credentials", _("Client credentials")
    JWT = "jwt", _("JWT bearer")
    WEB_SERVER = "web_server", _("In the browser")


class ExportState(TextChoices):
    """Where the preparing of a file stands."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Being prepared")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ImportState(TextChoices):
    """Where a file of completed tasks stands."""

    CHECKING = "checking", _("Being checked")
    READY = "ready", _("Checked")
    IMPORTING = "importing", _("Being imported")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class Slot(StrEnum):
    """What Playbooks knows of a task, named without any CRM's spelling."""

    KEY = "key"
    SUBJECT = "subject"
    DESCRIPTION = "description"
    STATUS = "status"
    DAY = "day"
    OWNER = "owner"
    WHO = "who"
    WHAT = "what"
    SUBTYPE = "subtype"
    TYPE = "type"
    CALL_DIRECTION = "call_direction"
    CALL_DURATION = "call_duration"
    CALL_DISPOSITION = "call_disposition"
    CALL_OBJECT = "call_object"
    PLAY_NAME = "play_name"
    PLAY_STEP = "play_step"


SLOT_LABELS: dict[Slot, str | Promise] = {
    Slot.KEY: _("Key"),
    Slot.SUBJECT: _("Subject"),
    Slot.DESCRIPTION: _("Description, or the e-mail's text"),
    Slot.STATUS: _("Status"),
    Slot.DAY: _("Day of completion"),
    Slot.OWNER: _("Rep"),
    Slot.WHO: _("Person"),
    Slot.WHAT: _("Related record"),
    Slot.SUBTYPE: _("Call, e-mail or other (Salesforce's icon)"),
    Slot.TYPE: _("Call, e-mail or other"),
    Slot.CALL_DIRECTION: _("Call direction"),
    Slot.CALL_DURATION: _("Call duration in seconds"),
    Slot.CALL_DISPOSITION: _("Call result"),
    Slot.CALL_OBJECT: _("Phone number"),
    Slot.PLAY_NAME: _("Play Name"),
    Slot.PLAY_STEP: _("Play Step"),
}


class DecisionCode(TextChoices):
    """What was decided about a task on its way, in words that a rep understands (B2)."""

    PERSON_MATCHED = "person_matched", _("Matched by number or address to a record with a history")
    NO_HISTORY = (
        "no_history",
        _("The matching record has no history with Playbooks, so the task is unrelated"),
    )
    SEVERAL_MATCHES = "several_matches", _("Several records with a history match, so the task is unrelated")
    NO_MATCH = "no_match", _("No record matches, so the task is unrelated")
    LEAD_WITHOUT_WHAT = (
        "lead_without_what",
        _("The CRM relates a Lead to nothing else: the related record was left out"),
    )
    ACCOUNT_WITHOUT_WHAT = (
        "account_without_what",
        _("The CRM relates a Task to one record besides the person: the account was left out"),
    )
    OWNER_IS_ACCESS_USER = "owner_is_access_user", _("The rep has no CRM user: the Access User owns the Task")
    TRUNCATED = "truncated", _("A text was too long for the CRM and was shortened")
    FIELD_LEFT_OUT = "field_left_out", _("The org has no such field, or hides it: it was left out")
    VALUE_LEFT_OUT = "value_left_out", _("The org's picklist has no such value: it was left out")
    FOUND_IN_CRM = "found_in_crm", _("An earlier attempt had reached the CRM: found by its key")
    DELETED_IN_CRM = "deleted_in_crm", _("It was deleted in the CRM and is not made again")
    RETRIED_BY_HAND = "retried_by_hand", _("Retried by hand")
    CANCELLED_BY_HAND = "cancelled_by_hand", _("Cancelled by hand")
    GAVE_UP = "gave_up", _("Given up after 30 days")
    SNOOZED = "snoozed", _("Snoozed")
    SKIPPED = "skipped", _("Skipped")
    SKIP_UNDONE = "skip_undone", _("No longer skipped: the task is open again")
    COMPLETED_FOR = "completed_for", _("Completed by somebody else in the rep's name")
    CORRECTED = "corrected", _("Corrected by hand")
    ADOPTED = "adopted", _("Adopted: the orphaned phone call was given a record")
    ADOPTION_UNDONE = "adoption_undone", _("Adoption undone: the phone call is an orphan again")


class CrmUserFinding(TextChoices):
    """What looking up a user's e-mail among the CRM's users found."""

    MATCHED = "matched", _("Found by e-mail")
    CHOSEN = "chosen", _("Chosen by hand")
    NONE = "none", _("Nobody in the CRM has this e-mail")
    SEVERAL = "several", _("Several CRM users have this e-mail")
    INACTIVE = "inactive", _("The CRM user with this e-mail is deactivated")
    TAKEN = "taken", _("The CRM user with this e-mail belongs to another user here")


class DeliveryState(TextChoices):
    """Where the telling of a sender stands."""

    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    GIVEN_UP = "given_up", _("Given up")
    OVERTAKEN = "overtaken", _("Not needed: the task went on")


class WebhookError(TextChoices):
    """Why a receiver was not told."""

    ADDRESS = "address", _("The address is refused: it leads into a private network or is no web address")
    NAME = "name", _("The host name can't be resolved")
    CONNECT = "connect", _("Nobody answers at this address")
    TLS = "tls", _("The certificate or the encryption is not good")
    TIMEOUT = "timeout", _("No answer in time")
    BROKEN = "broken", _("The answer was cut off or is no HTTP")
    REDIRECT = "redirect", _("It leads on to another address, which is not followed")
    REFUSED = "refused", _("The receiver refused it")
    GONE = "gone", _("The receiver wants no more (410)")
    SECRET = "secret", _("The webhook secret can't be read: give the webhook a new one")
