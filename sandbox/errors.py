"""The three shapes in which Salesforce reports an error."""

from collections.abc import Sequence
from typing import Any


class ApiError(Exception):
    """The whole call failed: `[{"message", "errorCode", "fields"}]` with an HTTP status."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


class RowError(Exception):
    """One row failed: `{"statusCode", "message", "fields"}` in a collection, else an ApiError."""

    def __init__(self, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.fields = tuple(fields)

    def body(self) -> dict[str, Any]:
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_api_error(self) -> ApiError:
        return ApiError(400, self.code, self.message, self.fields)


class OAuthError(Exception):
    """The token endpoint refused: HTTP 400 `{"error", "error_description"}`."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error, description)
        self.status = status
        self.error = error
        self.description = description

    def body(self) -> dict[str, str]:
        return {"error": self.error, "error_description": self.description}


def not_found() -> ApiError:
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def malformed_json(message: str) -> ApiError:
    return ApiError(400, "JSON_PARSER_ERROR", message)
