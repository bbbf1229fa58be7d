"""Whether an error comes from the org's fields having changed since they were read."""

from datetime import timedelta

from django.utils import timezone

from sync import connecting, troubles
from sync.crm.base import Crm
from sync.models import Connection

# With these codes the org's set-up may have changed under us: worth reading it again, but not each time.
SCHEMA_CODES = ("INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND")
SCHEMA_SETTLES = timedelta(minutes=1)


class SchemaChangedError(Exception):
    """The org's fields are no longer those that the rows were mapped to: the rest is mapped anew."""


class SchemaWatch:
    """Reads the org's fields again when an error asks for it; `changed` once they have."""

    def __init__(self, connection: Connection, crm: Crm) -> None:
        self.connection = connection
        self.crm = crm
        self.changed = False

    def explains(self, code: str) -> bool:
        """Whether changed fields explain an error with this code; then what waits for an admin is tried at once."""
        if not code.startswith(SCHEMA_CODES):
            return False
        if self.changed:
            return True  # one reading serves all rows of an answer
        read_at = self.connection.schema_at
        if read_at and timezone.now() - read_at < SCHEMA_SETTLES:
            return False
        if connecting.read_schema(self.connection, self.crm):
            self.changed = True
            troubles.probe_at_once(self.connection)
        return self.changed
