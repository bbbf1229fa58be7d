"""What is stored on the way between Playbooks and the CRM."""

from sync.models.adoption import Adoption
from sync.models.api_use import ApiUse
from sync.models.connection import Connection
from sync.models.crm_user import CrmUserLookup
from sync.models.export import TaskSyncExport
from sync.models.field_mapping import FieldCheck, FieldMapping
from sync.models.job import Heartbeat, JobLease
from sync.models.outbox import Attempt, LogRow, OutboxRow, Trouble
from sync.models.pending_connection import PendingConnection
from sync.models.play import Enrolment, Play, PlayStep
from sync.models.record import Record, RecordEmail, RecordName, RecordPhone
from sync.models.sender import ApiToken, ReceivedTask, Sender
from sync.models.task import Decision, Task
from sync.models.task_import import ImportedTask, ImportProblem, TaskImport
from sync.models.told_error import ToldError
from sync.models.webhook import WebhookDelivery, WebhookReceiver

__all__ = [
    "Adoption",
    "ApiToken",
    "ApiUse",
    "Attempt",
    "Connection",
    "CrmUserLookup",
    "Decision",
    "Enrolment",
    "FieldCheck",
    "FieldMapping",
    "Heartbeat",
    "ImportProblem",
    "ImportedTask",
    "JobLease",
    "LogRow",
    "OutboxRow",
    "PendingConnection",
    "Play",
    "PlayStep",
    "ReceivedTask",
    "Record",
    "RecordEmail",
    "RecordName",
    "RecordPhone",
    "Sender",
    "Task",
    "TaskImport",
    "TaskSyncExport",
    "ToldError",
    "Trouble",
    "WebhookDelivery",
    "WebhookReceiver",
]
