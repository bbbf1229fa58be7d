"""Task and the statuses it may have."""

from sandbox.objects import fields as f
from sandbox.schema import Field, SObjectType

KEY_FIELD = "Playbooks_Key__c"
STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
CLOSED_STATUSES = frozenset({"Completed"})


def shared_activities() -> Field:
    """The field that exists only while Shared Activities are on: one lead, or up to 50 contacts."""
    return f.make("TaskWhoIds", "junctionIdList", filterable=False, sortable=False, references=("Contact", "Lead"))


def task() -> SObjectType:
    return f.sobject(
        "Task",
        "00T",
        f.identity(),
        f.reference("WhoId", "Contact|Lead", label="Name ID"),
        f.reference("WhatId", "Account|Case|Opportunity", label="Related To ID"),
        f.picklist("Subject", "Call|Email|Send Letter|Send Quote|Other", kind="combobox", length=255),
        f.day("ActivityDate", label="Due Date Only"),
        f.picklist("Status", "|".join(STATUSES), "Not Started", nillable=False, restricted=True, length=255),
        f.picklist("Priority", "High|Normal|Low", "Normal", nillable=False, restricted=True, length=255),
        f.checkbox("IsHighPriority", **f.READ_ONLY),
        f.owner("Group|User"),
        f.long_text("Description"),
        f.picklist("Type", "Call|Email|Meeting|Task|Other"),
        f.reference("AccountId", "Account", **f.READ_ONLY),
        f.checkbox("IsClosed", **f.READ_ONLY),
        f.checkbox("IsArchived", **f.READ_ONLY),
        f.integer("CallDurationInSeconds", label="Call Duration"),
        f.picklist("CallType", "Internal|Inbound|Outbound", restricted=True, length=40),
        f.text("CallDisposition", 255, label="Call Result"),
        f.text("CallObject", 255, label="Call Object Identifier"),
        f.moment("ReminderDateTime"),
        f.checkbox("IsReminderSet"),
        f.picklist("TaskSubtype", "Task|Email|Call|List Email|Cadence", "Task", restricted=True, updateable=False),
        f.moment("CompletedDateTime", **f.READ_ONLY),
        f.audit(),
        f.text(KEY_FIELD, 64, external_id=True, unique=True, id_lookup=True),
        f.text("Play_Name__c"),
        f.text("Play_Step__c"),
    )


def task_status() -> SObjectType:
    return f.sobject(
        "TaskStatus",
        "01S",
        f.identity(),
        f.text("MasterLabel", 255, name_field=True, **f.READ_ONLY),
        f.text("ApiName", 255, **f.READ_ONLY),
        f.integer("SortOrder", **f.READ_ONLY),
        f.checkbox("IsDefault", **f.READ_ONLY),
        f.checkbox("IsClosed", **f.READ_ONLY),
        f.audit(),
        label="Task Status Value",
        createable=False,
        updateable=False,
        deletable=False,
    )
