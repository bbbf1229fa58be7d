"""Salesforce's users by e-mail: how they are asked for, within the length of an address, and how they are read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sync.crm.base import CrmUser
from teams.crm_ids import to_18

# A query travels in the address, which Salesforce takes up to 16,384 bytes long together with the headers.
_MOST_BYTES = 11_000
_FIELDS = ("Id", "Name", "Email", "Username", "IsActive")


def queries(emails: Iterable[str], most: int) -> Iterator[str]:
    """Give the queries for all of `emails`, at most `most` in each, in their order.

    Two hundred addresses of up to 40 characters fit into one.
    """
    batch: list[str] = []
    size = 0
    for email in emails:
        literal = _literal(email)
        length = len(quote(literal, safe="")) + 3
        if batch and (len(batch) == most or size + length > _MOST_BYTES):
            yield _query(batch)
            batch, size = [], 0
        batch.append(literal)
        size += length
    if batch:
        yield _query(batch)


def user_of(row: Mapping[str, Any]) -> CrmUser:
    """Read one row; KeyError, TypeError or ValueError for one that is no user."""
    return CrmUser(
        crm_id=to_18(row["Id"]),
        name=str(row["Name"] or row["Username"]),
        email=str(row["Email"]).lower(),
        username=str(row["Username"]),
        is_active=row["IsActive"] is True,
    )


def _query(literals: Sequence[str]) -> str:
    return f"SELECT {', '.join(_FIELDS)} FROM User WHERE Email IN ({','.join(literals)})"  # noqa: S608 - quoted below


def _literal(email: str) -> str:
    """SOQL's text: a quote and a backslash are escaped; nothing else ends or changes it."""
    if not email.isprintable():
        raise ValueError("An e-mail address holds no control characters.")
    escaped = email.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
