"""The object types of a fresh org."""

from sandbox.objects.activity import task, task_status
from sandbox.objects.org import organization, user
from sandbox.objects.people import contact, lead
from sandbox.objects.records import account, case, opportunity
from sandbox.schema import Schema


def standard_schema() -> Schema:
    """A new Schema; nothing in it is shared with another one."""
    types = (account, contact, lead, opportunity, case, task, task_status, user, organization)
    return Schema(make() for make in types)
