"""Every way in which the door says no: a Status object with a stable reason, the fields at fault and the next step."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenure.resources.reasons import next_step
from tenure.store import (
    FieldRefusedError,
    NamespaceNotFoundError,
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
    """One thing wrong: where, a stable code, words, and what to do (else the table of reasons says).

    `field` is a path in the body, or the name of a query parameter or a header; empty where it is the body or the
    request as a whole, or where the host is in trouble and no field of the request is at fault.
    """

    field: str
    reason: str
    message: str
    next_step: str = ""

    def to_json(self) -> dict[str, str]:
        """As Kubernetes' StatusCause. kubectl prints `field: message` alone, so code and step stand there too."""
        step = self.next_step or next_step(self.reason)
        text = f"{self.message} [{self.reason}]"
        if step and step not in self.message:
            text += f"; {step}"
        return {"reason": self.reason, "message": text, "field": self.field, "nextStep": step}


class Refused(Exception):  # noqa: N818
    """Raised anywhere below a request; becomes the Status that the client reads. None is without a cause."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        cause: Cause,
        *more: Cause,
        kind: str = "",
        group: str = "",
        name: str = "",
        retry_seconds: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = (cause, *more)
        self.kind = kind
        self.group = group
        self.name = name
        self.retry_seconds = retry_seconds

    def to_status(self) -> dict[str, Any]:
        """The Status object of `v1`."""
        named = {"name": self.name, "group": self.group, "kind": self.kind}
        details: dict[str, Any] = {key: value for key, value in named.items() if value}
        details["causes"] = [cause.to_json() for cause in self.causes]
        if self.retry_seconds:
            details["retryAfterSeconds"] = self.retry_seconds
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
            "details": details,
        }


def refused(code: int, reason: str, message: str, field: str = "", step: str = "") -> Refused:
    """A refusal whose one cause is what the message says; without `step` the table of reasons has it."""
    return Refused(code, reason, message, Cause(field, reason, message, step))


def bad_request(cause: Cause) -> Refused:
    """The request itself cannot be understood. Of such a Status kubectl prints the message alone: it holds all."""
    return Refused(400, "BadRequest", cause.to_json()["message"], cause)


def bad_body(cause: Cause) -> Refused:
    """The body cannot be read, at this field of it."""
    words = cause.to_json()["message"]
    return Refused(400, "BadRequest", f"{cause.field}: {words}" if cause.field else words, cause)


def bad_parameter(name: str, message: str, step: str) -> Refused:
    """A query parameter, or an option in the body of a deletion, is not one that is known."""
    return bad_request(Cause(name, "InvalidValue", message, step))


def unsupported_media(message: str, step: str) -> Refused:
    """The body is in a form that is not taken, or one that is left out on purpose."""
    return refused(415, "UnsupportedMediaType", message, "Content-Type", step)


def invalid(kind: str, group: str, name: str, causes: Iterable[Cause]) -> Refused:
    """The object was understood and may not be. There is at least one cause."""
    causes = tuple(causes)
    qualified = f"{kind}.{group}" if group else kind
    listed = "; ".join(f"{c.field}: {c.message}" if c.field else c.message for c in causes[:10])
    message = f'{qualified} "{name}" is invalid: {listed}'
    return Refused(422, "Invalid", message, *causes, kind=kind, group=group, name=name)


def not_found(resource: str, name: str) -> Refused:
    """No object of this name; `resource` is `plural.group`."""
    plural, _, group = resource.partition(".")
    message = f'{resource} "{name}" not found'
    cause = Cause("metadata.name", "NotFound", message, f"`tenure get {plural}` lists what there is")
    return Refused(404, "NotFound", message, cause, kind=plural, group=group, name=name)


def from_store(error: StoreError, version_field: str = "resourceVersion") -> Refused:
    """A refusal of the store as the door says it. `version_field`: the parameter that named the version read at."""
    found = _from_store(error, version_field)
    found.kind, _, found.group = getattr(error, "resource", "").partition(".")
    found.name = getattr(error, "name", "")
    return found


def _from_store(error: StoreError, version_field: str) -> Refused:
    text = str(error)
    match error:
        case NamespaceNotFoundError():
            step = "create it: apply a manifest of kind Namespace"
            return refused(404, "NotFound", text, "metadata.namespace", step)
        case ObjectNotFoundError():
            return not_found(error.resource, error.name)
        case ObjectExistsError():
            return refused(409, "AlreadyExists", text, "metadata.name")
        case ObjectConflictError():
            return refused(409, "Conflict", text, error.field)
        case NamespaceTerminatingError():
            cause = Cause("metadata.namespace", "NamespaceTerminating", "the namespace is being terminated")
            return Refused(403, "Forbidden", text, cause)
        case ObjectProtectedError():
            return refused(403, "Forbidden", text, "metadata.name", "delete what is in it instead")
        case FieldRefusedError():
            plural, _, group = error.resource.partition(".")
            cause = Cause(error.field, "InvalidValue", text, error.next_step)
            return invalid(plural, group, error.name, [cause])
        case VersionExpiredError():
            return refused(410, "Gone", f"{text}: list again and go on from there", version_field)
        case StoreBusyError():
            busy = refused(429, "TooManyRequests", text)
            busy.retry_seconds = RETRY_SECONDS
            return busy
        case StoreUnwritableError():
            return refused(503, "StoreReadOnly", f"writes are refused: {text}")
    return refused(503, "ServiceUnavailable", text, step="`tenure doctor` says why")
