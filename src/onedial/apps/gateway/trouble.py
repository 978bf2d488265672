"""Errors as OpenAI clients expect them: a status, and one object that says what was found and what to do."""

from __future__ import annotations

from typing import Any

from onedial.core.errors import BudgetExhausted, ConfigError, ModelError, OnedialError, QueryError, TargetUnreachable

STATUS: dict[type[OnedialError], tuple[int, str]] = {
    TargetUnreachable: (400, "invalid_request_error"),
    QueryError: (400, "invalid_request_error"),
    ConfigError: (400, "invalid_request_error"),
    BudgetExhausted: (402, "insufficient_quota"),
    ModelError: (502, "api_error"),
}


class Refused(Exception):
    """A request that ends in an error of the protocol itself.

    Attributes:
        status: Of the response.
        kind: The error's `type`.
        code: The error's `code`, or None.
        retry_after_s: Whole seconds after which it may go well, or None.
    """

    def __init__(
        self, status: int, message: str, kind: str = "invalid_request_error", code: str | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.code, self.retry_after_s = status, kind, code, retry_after_s


def described(error: Exception) -> tuple[int, dict[str, Any]]:
    """Status and body of an error."""
    if isinstance(error, Refused):
        return error.status, _body(str(error), error.kind, error.code)
    for kind, (status, name) in STATUS.items():
        if isinstance(error, kind):
            return status, _body(str(error), name, None)
    return 500, _body("an internal error; the log says more.", "api_error", None)


def _body(message: str, kind: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
