"""Every way in which the door says no: a Status object with a stable reason, the fields at fault and the next step."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenure.resources.reasons import next_step
from tenure.store import (
    FieldRefusedError,
    NamespaceTerminatingError,
    ObjectConflictError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectProtectedError,
    StoreBusyError,
    StoreError,
    StoreUnwritableError,
    VersionExpiredError,
)

RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing wrong: the field's path, a stable code, words, and what to do (else the table of reasons says)."""

    field: str
    reason: str
    message: str
    next_step: str = ""

    def to_json(self) -> dict[str, str]:
        """As Kubernetes' StatusCause, with the next step in the message."""
        step = self.next_step or next_step(self.reason)
        text = f"{self.message}; {step}" if step and step not in self.message else self.message
        return {"reason": self.reason, "message": text, "field": self.field}


class Refused(Exception):  # noqa: N818
    """Raised anywhere below a request; becomes the Status that the client reads."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        causes: Iterable[Cause] = (),
        kind: str = "",
        group: str = "",
        name: str = "",
        retry_seconds: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = tuple(causes)
        self.kind = kind
        self.group = group
        self.name = name
        self.retry_seconds = retry_seconds

    def to_status(self) -> dict[str, Any]:
        """The Status object of `v1`."""
        named = {"name": self.name, "group": self.group, "kind": self.kind}
        details: dict[str, Any] = {key: value for key, value in named.items() if value}
        if self.causes:
            details["causes"] = [cause.to_json() for cause in self.causes]
        if self.retry_seconds:
            details["retryAfterSeconds"] = self.retry_seconds
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        return {**status, "details": details} if details else status


def bad_request(message: str, *causes: Cause) -> Refused:
    """The request itself cannot be understood."""
    return Refused(400, "BadRequest", message, causes=causes)


def unsupported_media(message: str) -> Refused:
    """The body is in a form that is not taken, or one that is left out on purpose."""
    return Refused(415, "UnsupportedMediaType", message)


def invalid(kind: str, group: str, name: str, causes: Iterable[Cause]) -> Refused:
    """The object was understood and may not be."""
    causes = tuple(causes)
    qualified = f"{kind}.{group}" if group else kind
    listed = "; ".join(f"{c.field}: {c.message}" if c.field else c.message for c in causes[:10])
    message = f'{qualified} "{name}" is invalid: {listed}'
    return Refused(422, "Invalid", message, causes=causes, kind=kind, group=group, name=name)


def from_store(error: StoreError) -> Refused:
    """A refusal of the store as the door says it."""
    refused = _from_store(error)
    refused.kind, _, refused.group = getattr(error, "resource", "").partition(".")
    refused.name = getattr(error, "name", "")
    return refused


def _from_store(error: StoreError) -> Refused:
    text = str(error)
    match error:
        case ObjectNotFoundError():
            return Refused(404, "NotFound", text)
        case ObjectExistsError():
            return Refused(409, "AlreadyExists", text)
        case ObjectConflictError():
            return Refused(409, "Conflict", text)
        case NamespaceTerminatingError():
            cause = Cause("metadata.namespace", "NamespaceTerminating", "the namespace is being terminated")
            return Refused(403, "Forbidden", text, causes=[cause])
        case ObjectProtectedError():
            return Refused(403, "Forbidden", text)
        case FieldRefusedError():
            plural, _, group = error.resource.partition(".")
            return invalid(plural, group, error.name, [Cause(error.field, "InvalidValue", text)])
        case VersionExpiredError():
            return Refused(410, "Gone", f"{text}: list again and go on from there")
        case StoreBusyError():
            return Refused(429, "TooManyRequests", text, retry_seconds=RETRY_SECONDS)
        case StoreUnwritableError():
            return Refused(503, "StoreReadOnly", f"writes are refused: {text}")
    return Refused(503, "ServiceUnavailable", text)
