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
