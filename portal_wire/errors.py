"""Every error that crosses a wire, as problem+json (RFC 9457) on it and as one class at both ends.

A `detail` says what was expected and what came, in words a doctor can act on. It never carries patient data,
file names, tokens or paths.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar


class PortalError(Exception):
    """Raise a subclass; `portal_wire.http_server` answers it, `portal_wire.http_client` raises it again."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.retry_after_s = retry_after_s

    def to_problem(self, request_id: str) -> dict[str, Any]:
        """The RFC 9457 body (`type` is left out: about:blank), and our code and request_id."""
        return {
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id,
        }


class BadRequest(PortalError):
    status, default_code = 400, "bad_request"


class Unauthenticated(PortalError):
    status, default_code = 401, "unauthenticated"


class Forbidden(PortalError):
    status, default_code = 403, "forbidden"


class NotFound(PortalError):
    status, default_code = 404, "not_found"


class MethodNotAllowed(PortalError):
    status, default_code = 405, "method_not_allowed"


class Conflict(PortalError):
    status, default_code = 409, "conflict"


class TooLarge(PortalError):
    status, default_code = 413, "too_large"


class UnsupportedMedia(PortalError):
    status, default_code = 415, "unsupported_media"


class Unprocessable(PortalError):
    status, default_code = 422, "unprocessable"


class TooManyRequests(PortalError):
    status, default_code = 429, "too_many_requests"


class Internal(PortalError):
    status, default_code = 500, "internal"


class Unavailable(PortalError):
    status, default_code = 503, "unavailable"


class StorageFull(PortalError):
    status, default_code = 507, "storage_full"


BY_STATUS: dict[int, type[PortalError]] = {error.status: error for error in PortalError.__subclasses__()}


def from_status(status: int, detail: str, *, code: str | None = None, retry_after_s: int | None = None) -> PortalError:
    """The error class of an HTTP status; an unknown 4xx is a BadRequest, an unknown 5xx is Unavailable (502, 504)."""
    kind = BY_STATUS.get(status, BadRequest if status < 500 else Unavailable)
    return kind(detail, code=code, retry_after_s=retry_after_s)


def from_problem(status: int, body: object, headers: Mapping[str, str]) -> PortalError:
    """The error that the other end raised, rebuilt from its answer; tolerates a body that is no problem+json."""
    fields = body if isinstance(body, dict) else {}
    detail = fields.get("detail") or fields.get("error") or f"The service answered with status {status}."
    wait, code = headers.get("Retry-After", ""), fields.get("code")
    retry_after_s = int(wait) if wait.isdigit() else None
    return from_status(status, str(detail), code=code and str(code), retry_after_s=retry_after_s)
