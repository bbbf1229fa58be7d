"""One call of the REST API on its way through, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import ApiError, malformed_json, not_found
from sandbox.org import Org
from sandbox.schema import SObjectType
from sandbox.store import Transaction
from sandbox.writes import Writer


class Page(str):
    """HTML for a browser."""

    __slots__ = ()


@dataclass(slots=True)
class Response:
    """`body` is put into JSON, unless it is a Page; None is an empty body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """`path` holds the decoded segments after `/services/data/vNN.0/`."""

    org: Org
    transaction: Transaction
    user_id: str
    method: str
    version: str
    path: list[str]
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}"

    def writer(self, rows: int = 1) -> Writer:
        return Writer(self.org, self.transaction, self.user_id, rows)

    def sobject(self, name: str) -> SObjectType:
        sobject = self.org.schema.find(name)
        if sobject is None:
            raise not_found()
        return sobject

    def json_object(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise malformed_json("The HTTP entity body is required, but this request has no entity body.")
        return self.body

    def allow(self, *methods: str) -> None:
        """Refuse any other HTTP method."""
        if self.method not in methods:
            message = f"HTTP Method '{self.method}' not allowed. Allowed are {','.join(methods)}"
            raise ApiError(405, "METHOD_NOT_ALLOWED", message)


def refuse_conditions(headers: Mapping[str, Any]) -> None:
    """Refuse conditional requests: to carry one out whatever its condition says would be a wrong answer."""
    for name in headers:
        if name.lower() in ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since"):
            raise ApiError(400, "INVALID_INPUT", f"The header '{name}' is not supported")


def record_url(call: Call, sobject: str, record: str) -> str:
    return f"{call.base}/sobjects/{sobject}/{record}"
