# ruff: noqa: N818 (the names are the reasons of the API, as its users know them)
"""What can go wrong at the door, as one small tree; each error carries the host's reason, message and causes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing wrong with a request: where (`spec.objectives.timeToFirstToken.p95`), which sort, in words, what to do.

    `[reason]` and `next_step` also end the message; the step is empty where the host says none, as hosts other than
    Tenure's do.
    """

    field: str
    reason: str
    message: str
    next_step: str = ""


class ApiError(Exception):
    """The host answered and the answer is no.

    `code` is the HTTP status, `reason` the stable code of the Status object, `causes` name the fields at fault.
    """

    default_reason: ClassVar[str] = "Unknown"

    def __init__(self, message: str, *, code: int = 0, reason: str = "", causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason or self.default_reason
        self.causes = causes


class BadRequest(ApiError):
    """The request itself is malformed: not JSON, a bad selector, a wrong content type."""

    default_reason = "BadRequest"


class Unauthorized(ApiError):
    """The host does not know this token."""

    default_reason = "Unauthorized"


class Forbidden(ApiError):
    """This identity may not do that."""

    default_reason = "Forbidden"


class NotFound(ApiError):
    """No such object, namespace or kind at this host."""

    default_reason = "NotFound"


class InvalidName(NotFound):
    """No object or namespace can have that name, so none was asked for: it would have led to another place."""

    default_reason = "InvalidName"


class AlreadyExists(ApiError):
    """An object of that name is there already."""

    default_reason = "AlreadyExists"


class Conflict(ApiError):
    """The object has moved on since it was read: read again, decide again, write again."""

    default_reason = "Conflict"


class Gone(ApiError):
    """The resource version asked for is no longer in the log: list again and watch from there."""

    default_reason = "Gone"


class Invalid(ApiError):
    """The object was understood and refused; `causes` say which fields."""

    default_reason = "Invalid"


class TooLarge(ApiError):
    """The body is larger than the host takes."""

    default_reason = "RequestEntityTooLarge"


class TooBusy(ApiError):
    """The host has more work waiting than it accepts; try again shortly."""

    default_reason = "TooManyRequests"


class Refusing(ApiError):
    """The host is up and refuses this for a reason of its own, such as a full or damaged disk."""

    default_reason = "ServiceUnavailable"


class Unreachable(ApiError):
    """No answer came. `sent` says whether the request may have arrived, in which case its effect is unknown."""

    default_reason = "Unreachable"

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class NoConnection(ApiError):
    """Nothing says where the host is or who asks: no server.json, no token, no usable kubeconfig."""

    default_reason = "NoConnection"


class Unreadable(ApiError):
    """What is stored is refused by this version of the kind, which an older one or another hand wrote.

    `content` is what is there; `causes` say which fields are at fault. It can be replaced by one that is valid, and
    deleted.
    """

    default_reason = "Unreadable"

    def __init__(
        self, kind: str, content: Mapping[str, Any], causes: tuple[Cause, ...] = (), *, editable: bool = True
    ) -> None:
        found = content.get("metadata")
        self.kind = kind
        self.content = content
        self.metadata: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        self.namespace, self.name = (str(self.metadata.get(member) or "") for member in ("namespace", "name"))
        first = causes[0] if causes else Cause("", self.default_reason, "it cannot be read")
        named = f"{kind.lower()} {self.name}" + (f" -n {self.namespace}" if self.namespace else "")
        steps = f"correct it with `tenure edit {named}`, or `tenure delete {named}`"
        if not editable:
            steps = f"`tenure delete {named}` takes it away"
        where = f" in namespace {self.namespace}" if self.namespace else ""
        super().__init__(
            f"{kind.lower()} {self.name}{where} as it is stored is refused by this version: "
            f"{first.field}: {first.message} [{first.reason}]; {steps}",
            causes=causes,
        )

    @property
    def version(self) -> str:
        """Its resource version."""
        return str(self.metadata.get("resourceVersion") or "")

    @property
    def is_going(self) -> bool:
        """Whether it is being deleted."""
        return bool(self.metadata.get("deletionTimestamp"))


class WaitTimeout(ApiError):
    """The time to wait is over and the object is still not as wanted."""

    default_reason = "Timeout"


_BY_REASON: Mapping[str, type[ApiError]] = {
    kind.default_reason: kind
    for kind in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        AlreadyExists,
        Conflict,
        Gone,
        Invalid,
        TooLarge,
        TooBusy,
        Refusing,
    )
} | {"Expired": Gone}  # Kubernetes' word for it
_BY_CODE: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: Invalid,
    429: TooBusy,
    503: Refusing,
}


def error_from_status(code: int, status: Any) -> ApiError:
    """The typed error of an HTTP status code and the Status object (or whatever else) that came with it."""
    if not isinstance(status, dict) or status.get("kind") != "Status":
        text = status if isinstance(status, str) else ""
        return _BY_CODE.get(code, ApiError)(text[:500] or f"the host answered {code}", code=code)
    reason = str(status.get("reason") or "")
    details = status.get("details") or {}
    causes = tuple(
        Cause(*(str(c.get(member) or "") for member in ("field", "reason", "message", "nextStep")))
        for c in details.get("causes") or ()
    )
    code = int(status.get("code") or code)
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, ApiError)
    return kind(str(status.get("message") or reason), code=code, reason=reason, causes=causes)
