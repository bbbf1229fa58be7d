"""What is taken and told, as the OpenAPI document says it."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from sync.inputs import DESCRIPTION_LENGTH, DISPOSITION_LENGTH, MOST_SECONDS, SUBJECT_LENGTH

TRACK_AND_SYNC = "track_and_sync"
MOST_TASKS = 1_000
KEY_LENGTH = 255

# The enums' values, written out for the type checker (tests/sync/api/test_schemas.py holds them together).
Kind = Literal["call", "email", "track_and_sync", "other"]
Direction = Literal["inbound", "outbound", "internal"]
State = Literal["open", "skipped", "waiting", "sending", "synced", "failed", "cancelled", "stopped"]

# Visible ASCII, no space at either end: keys are compared byte by byte.
Key = Annotated[str, Field(min_length=1, max_length=KEY_LENGTH, pattern=r"^[!-~]([ -~]*[!-~])?$")]
_CRM_ID = r"^([a-zA-Z0-9]{15}|[a-zA-Z0-9]{18})?$"
_TIME: dict[str, JsonValue] = {"format": "date-time", "examples": ["2025-03-31T14:05:00+02:00"]}


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _whole(value: object) -> object:
    """60.0 is a whole number, too, as JSON goes."""
    return int(value) if type(value) is float and value.is_integer() else value


class CallIn(_Taken):
    """What is known of a call."""

    direction: Direction | None = None
    duration_seconds: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MOST_SECONDS)] | None = None
    disposition: Annotated[str, Field(max_length=DISPOSITION_LENGTH)] | None = Field(
        default=None, description="What came of it, like “Left voicemail”."
    )


class TaskIn(_Taken):
    """A task that was completed. A field that is null or empty counts as missing."""

    key: Key = Field(
        description="The sender's own key of this task: sent again with the same body it gives the same task, with "
        "another body an error. Visible ASCII characters, no space at either end."
    )
    kind: Kind = Field(
        description="track_and_sync: an e-mail that was sent through Track and Sync. It follows the blacklists, unless "
        "the sender is the Outlook plug-in, and needs email_address."
    )
    user: Annotated[str, Field(min_length=1, max_length=254)] = Field(
        description="Who did it: their e-mail address, or the id (15 or 18 characters) of their user in the CRM.",
        examples=["rosa@example.com"],
    )
    subject: Annotated[str, Field(max_length=SUBJECT_LENGTH)] | None = Field(
        default=None, description="Required, unless play_step names it."
    )
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH)] | None = None
    completed_at: str | None = Field(
        default=None,
        description="ISO 8601 with an offset, not in the future. Missing: when it was received.",
        json_schema_extra=_TIME,
    )
    record: Annotated[str, Field(pattern=_CRM_ID)] | None = Field(
        default=None,
        description="The CRM id of the Contact, Lead, Account or Opportunity. Missing: found by number or address.",
    )
    related_record: Annotated[str, Field(pattern=_CRM_ID)] | None = Field(
        default=None, description="The CRM id of the Account or Opportunity beside a person."
    )
    phone_number: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="Of a call: whom it was with.", examples=["+1 415 555 0132"]
    )
    email_address: Annotated[str, Field(max_length=254)] | None = Field(
        default=None, description="Of an e-mail: whom it went to. Required for track_and_sync."
    )
    call: CallIn | None = Field(default=None, description="Of a call.")
    play: Annotated[str, Field(max_length=150)] | None = Field(
        default=None, description="The name or id of the play that it belongs to, with play_step."
    )
    play_step: Annotated[str, Field(max_length=150)] | None = Field(
        default=None,
        description="The name of the play's step, or its place: 1 is the first. Where the record is in the play and "
        "the step is open for this user, that open task is completed.",
    )


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Its name, like call.duration_seconds. Empty: the item as a whole.")
    code: str = Field(description="For programs.")
    message: str = Field(description="For people: what is wrong, and what to do.")


class ItemOut(BaseModel):
    """What became of one task that was handed in."""

    index: int = Field(description="Its place in the list; 0 is the first.")
    key: str | None = Field(description="null when there was none that is possible.")
    id: str | None = Field(json_schema_extra={"format": "uuid"}, description="null when it was refused.")
    state: State | None = Field(description="null when it was refused.")
    created: bool = Field(description="false when it was here already, or refused.")
    errors: list[FieldError] = Field(description="Empty when it was taken.")


class AttemptOut(BaseModel):
    """One try to write a task to the CRM."""

    started_at: str = Field(json_schema_extra={"format": "date-time"})
    finished_at: str | None = Field(json_schema_extra={"format": "date-time"})
    outcome: Literal["started", "written", "found", "refused", "unknown", "lost"]
    error_code: str = Field(description="The CRM's code; empty when there was none.")
    error_message: str
    http_status: int | None
    request_id: str = Field(description="The CRM's id of the request, for its support.")


class TaskOut(BaseModel):
    """How a task fares."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    key: str
    state: State
    is_final: bool = Field(description="Whether it stays so, unless somebody acts: synced, failed, cancelled, stopped.")
    reason: str = Field(description="Why, in plain words. Times in it are UTC.")
    stopped_by: Literal["company", "user"] | None = Field(description="Whose blacklist stopped it.")
    crm_task_id: str | None
    who: str | None = Field(description="The CRM id of the person it was linked to (WhoId).")
    what: str | None = Field(description="The CRM id of what else it was linked to (WhatId).")
    is_orphaned: bool = Field(description="A call that no record was found for. It waits to be adopted.")
    completed_at: str | None = Field(json_schema_extra={"format": "date-time"})
    received_at: str = Field(json_schema_extra={"format": "date-time"})
    next_try_at: str | None = Field(json_schema_extra={"format": "date-time"})
    attempts: list[AttemptOut] = Field(description="The last 20, the oldest first.")


class TaskPage(BaseModel):
    """Some of the tasks, in the order in which they were received."""

    items: list[TaskOut]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class ProblemOut(BaseModel):
    """What is wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="For programs.")
    detail: str = Field(description="For people.")
    errors: list[FieldError] = Field(default=[], description="By field, where fields are wrong.")


class TaskQuery(BaseModel):
    """Which tasks are told."""

    key: str | None = Field(default=None, min_length=1, max_length=KEY_LENGTH)
    state: State | None = None
    user: str | None = Field(default=None, max_length=254, description="E-mail address or CRM user id.")
    since: str | None = Field(
        default=None,
        description="Received at that time or later: ISO 8601 with an offset (+ is %2B).",
        json_schema_extra=_TIME,
    )
    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")
