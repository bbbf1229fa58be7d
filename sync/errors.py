"""Errors that say who acts next."""

from dataclasses import dataclass

from sync.enums import FailureMode


class SyncError(Exception):
    """The family of everything that can go wrong on the way to the CRM."""


class NotConnectedError(SyncError):
    """No connection is set up, or its settings are wrong; the message says which and the remedy."""


class CrmError(SyncError):
    """A call to the CRM that failed as a whole.

    `code` and `message` are the CRM's own words (ours, in capitals, when it gave none). `outcome_unknown` says
    that the CRM may have carried it out: time-outs, resets, 5xx, unreadable answers. `str()` holds the code only,
    because a CRM's message may quote what was sent.
    """

    def __init__(
        self,
        mode: FailureMode,
        code: str,
        message: str,
        *,
        http_status: int | None = None,
        request_id: str = "",
        outcome_unknown: bool = False,
        fields: tuple[str, ...] = (),
    ) -> None:
        super().__init__(code)
        self.mode = mode
        self.code = code
        self.message = message
        self.http_status = http_status
        self.request_id = request_id
        self.outcome_unknown = outcome_unknown
        self.fields = fields


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row of a batch was refused, in the CRM's own words."""

    mode: FailureMode
    code: str
    message: str
    fields: tuple[str, ...] = ()
