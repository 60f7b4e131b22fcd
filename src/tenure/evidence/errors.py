"""What can go wrong in this room, as one small tree. Each error has a stable code, a path and a next step."""


class EvidenceError(Exception):
    """Base of the room's errors: `code` is stable, `path` names the file or field, `next_step` what to do."""

    code = "EvidenceInvalid"

    def __init__(self, message: str, *, path: str = "", next_step: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.next_step = next_step
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        then = f"; {self.next_step}" if self.next_step else ""
        return f"{where}{self.message}{then}"


class SigningKeyError(EvidenceError):
    """A key is absent, not Ed25519, readable by others, or was never endorsed by the key before it."""

    code = "SigningKeyUnusable"


class StatementError(EvidenceError):
    """What should be stated has no canonical form or lacks a field that its predicate type requires."""

    code = "StatementInvalid"


class SignatureError(EvidenceError):
    """An envelope is malformed, or no key that the caller trusts has signed these very bytes."""

    code = "SignatureInvalid"


class NotWrittenError(EvidenceError):
    """A statement could not be made durable. The action that it records must not happen."""

    code = "EvidenceNotWritten"


class LogInUseError(EvidenceError):
    """Another process writes this log."""

    code = "EvidenceLogInUse"


class LogDamagedError(EvidenceError):
    """The log's file is not what was written: `offset` is the byte at which the first damage begins."""

    code = "EvidenceLogDamaged"

    def __init__(self, message: str, *, path: str, offset: int) -> None:
        super().__init__(
            f"damaged at byte {offset}: {message}",
            path=path,
            next_step="keep this file for inspection and restore the log from a backup; nothing was changed",
        )
        self.offset = offset


class UnknownStatementError(EvidenceError):
    """No such statement, source or contract in this log."""

    code = "EvidenceNotFound"


class BundleError(EvidenceError):
    """A file is no bundle, or cannot be read or written."""

    code = "BundleUnreadable"
