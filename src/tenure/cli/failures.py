"""Every way in which a command says no, and how it reads: what is wrong, where, what to do next."""

import errno
import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Any

from tenure.cli import exit_codes
from tenure.cli.typed import typed, typed_where_quoted


class Failure(Exception):  # noqa: N818
    """A command cannot give what was asked. `exit_code` is the command's; `reason` is a stable code."""

    def __init__(
        self,
        message: str,
        *,
        exit_code: int,
        reason: str,
        next_step: str = "",
        causes: Iterable[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.reason = reason
        self.next_step = next_step
        self.causes = tuple(causes)

    @property
    def step(self) -> str:
        """What to do next: what was said of this very failure, else what the table of reasons says of its sort."""
        if self.next_step or self.causes:
            return self.next_step
        from tenure.resources.reasons import next_step

        return next_step(self.reason)

    def to_json(self) -> dict[str, Any]:
        """A Status of the API's shape, with the exit code and the next step beside it."""
        status: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Status",
            "status": "Failure",
            "reason": self.reason,
            "message": self.message,
            "exitCode": self.exit_code,
        }
        if self.step:
            status["nextStep"] = typed(self.step)
        if self.causes:
            status["details"] = {"causes": [_typed(cause) for cause in self.causes]}
        return status

    def to_text(self) -> str:
        """For people: one line what, then each cause with its place and its next step."""
        lines = [f"error: {typed_where_quoted(self.message)}  [{self.reason}]"]
        for cause in self.causes:
            if (cause["code"], cause["message"]) == (self.reason, self.message):
                continue  # said already; JSON has its field too
            lines.append(f"  ✗ {_where(cause)}{typed_where_quoted(cause['message'])}  [{cause['code']}]")
            if cause.get("nextStep"):
                lines.append(f"    → {typed(cause['nextStep'])}")
        if self.step:
            lines.append(f"  → {typed(self.step)}")
        return "\n".join(lines)


def _typed(cause: dict[str, Any]) -> dict[str, Any]:
    return cause | {"nextStep": typed(cause["nextStep"])} if "nextStep" in cause else cause


def usage(message: str, next_step: str = "", reason: str = "Usage") -> Failure:
    """The command line itself is wrong."""
    return Failure(message, exit_code=exit_codes.USAGE, reason=reason, next_step=next_step)


def not_found(message: str, next_step: str = "") -> Failure:
    """No such object, kind or file."""
    return Failure(message, exit_code=exit_codes.NOT_FOUND, reason="NotFound", next_step=next_step)


def conflict(message: str, reason: str = "Conflict", next_step: str = "") -> Failure:
    """Somebody else was first."""
    return Failure(message, exit_code=exit_codes.CONFLICT, reason=reason, next_step=next_step)


def unverifiable(message: str, reason: str = "Unverifiable", next_step: str = "") -> Failure:
    """Nobody can say."""
    return Failure(message, exit_code=exit_codes.UNVERIFIABLE, reason=reason, next_step=next_step)


DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""Told at a write, which knows no name."""
_DISK_FAILING = (errno.EIO, errno.ESTALE)


def failure_of(error: BaseException, tokens: Sequence[str]) -> Failure:
    """The failure that an exception means at the face; what nobody foresaw is our own fault."""
    if isinstance(error, Failure):
        return error
    module = type(error).__module__
    if module.startswith("cyclopts"):
        from tenure.cli.command_line import failure_of_line

        return failure_of_line(error, tokens)
    # Looked up by name, so that a mistyped command costs no import of the client.
    if module == "tenure.client.errors":
        return _of_the_door(error)
    if module == "tenure.resources.problems":
        return _of_problems(error)
    if module == "tenure.sdk.outcomes":
        return _of_the_sdk(error)
    if isinstance(error, OSError) and error.errno in (*DISK_FULL, *_DISK_FAILING):
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{(error.strerror or str(error)).lower()}"
        return unverifiable(message, "DiskFull" if error.errno in DISK_FULL else "DiskFailing")
    if isinstance(error, OSError) and error.filename is not None:
        message = f"{error.filename}: {(error.strerror or str(error)).lower()}"
        missing = isinstance(error, FileNotFoundError)
        code = exit_codes.NOT_FOUND if missing else exit_codes.USAGE
        return Failure(message, exit_code=code, reason="FileNotFound" if missing else "FileUnreadable")
    if os.environ.get("TENURE_DEBUG"):
        traceback.print_exception(error)
    return Failure(
        f"a fault of Tenure itself: {type(error).__name__}: {error}",
        exit_code=exit_codes.OUR_FAULT,
        reason="InternalError",
        next_step="repeat it with TENURE_DEBUG=1 and report what it prints",
    )


def show(failure: Failure, *, as_json: bool) -> None:
    """Print a failure where failures belong."""
    text = json.dumps(failure.to_json(), indent=2, ensure_ascii=False) if as_json else failure.to_text()
    print(text, file=sys.stderr)


def wants_json(tokens: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, judged without parsing it, since parsing may be what failed."""
    for index, token in enumerate(tokens):
        if token == "--":
            return False
        if token in ("-ojson", "-o=json", "--output=json"):
            return True
        if token in ("-o", "--output") and tokens[index + 1 : index + 2] == ["json"]:
            return True
    return False


def _where(cause: dict[str, Any]) -> str:
    source = cause.get("source", "")
    place = f"{source}:{cause['line']}" if source and cause.get("line") else source
    line = f"line {cause['line']}" if not source and cause.get("line") else ""
    parts = [place or line, cause.get("object", ""), cause.get("path", "")]
    text = " ".join(part for part in parts if part)
    return f"{text}: " if text else ""


def _of_problems(error: BaseException) -> Failure:
    problems = error.problems  # type: ignore[attr-defined]
    causes = [problem.to_json() for problem in problems]
    sources = sorted({problem.source for problem in problems if problem.source})
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    where = f" in {', '.join(sources)}" if sources else ""
    reason = problems[0].code if len({p.code for p in problems}) == 1 else "Invalid"
    return Failure(f"{count}{where}; nothing was sent", exit_code=exit_codes.USAGE, reason=reason, causes=causes)


_DOOR_CODES = {
    "NotFound": exit_codes.NOT_FOUND,
    "Conflict": exit_codes.CONFLICT,
    "AlreadyExists": exit_codes.CONFLICT,
    "Gone": exit_codes.CONFLICT,
    "WaitTimeout": exit_codes.NO,
    "Unreachable": exit_codes.UNVERIFIABLE,
    "Unreadable": exit_codes.UNVERIFIABLE,
    "NoConnection": exit_codes.UNVERIFIABLE,
    "Refusing": exit_codes.UNVERIFIABLE,
    "TooBusy": exit_codes.UNVERIFIABLE,
}
# Reasons of the door whose next step the table of reasons knows under another name.
_STEP_OF = {
    "Unreachable": "ServerUnreachable",
    "ServiceUnavailable": "Unreachable",
}


def _of_the_door(error: BaseException) -> Failure:
    from tenure.resources.reasons import next_step

    status: int = error.code  # type: ignore[attr-defined]
    reason: str = error.reason  # type: ignore[attr-defined]
    code = _DOOR_CODES.get(type(error).__name__)
    if code is None:
        code = exit_codes.OUR_FAULT if status >= 500 else exit_codes.USAGE
    message = str(error)
    causes = [_cause(c) for c in error.causes]  # type: ignore[attr-defined]
    if causes and " is invalid: " in message and all(c["path"] and c["message"] in message for c in causes):
        message = message.partition(" is invalid: ")[0] + " is invalid"
    step = "" if causes else next_step(_STEP_OF.get(reason, reason))
    if len(causes) == 1 and message.removeprefix(f"{causes[0]['path']}: ").startswith(causes[0]["message"]):
        message, step = causes[0]["message"], causes[0].get("nextStep", "") if causes[0]["code"] == reason else ""
    if code == exit_codes.NOT_FOUND:
        step = step or _find_it(message)
    return Failure(message, exit_code=code, reason=reason, next_step=step, causes=causes)


_SDK_CODES = {
    "NotAccepted": exit_codes.CONFLICT,
    "NothingToAccept": exit_codes.INFEASIBLE,
    "CommissioningFailed": exit_codes.NO,
    "ContractOver": exit_codes.NO,
    "NoEndpoint": exit_codes.UNVERIFIABLE,
}
# What a user must bring first, and what is simply not there.
_SDK_REASONS = {
    "OfferNotFound": exit_codes.NOT_FOUND,
    "ReferenceNotFound": exit_codes.NOT_FOUND,
    "ModelNotFetched": exit_codes.NOT_FOUND,
    "RuntimeUnavailable": exit_codes.NOT_FOUND,
    "PolicyForbids": exit_codes.INFEASIBLE,
    "LocationUnknown": exit_codes.INFEASIBLE,
    "TrialFailed": exit_codes.UNVERIFIABLE,
}


def _of_the_sdk(error: BaseException) -> Failure:
    reason: str = error.reason  # type: ignore[attr-defined]
    code = _SDK_REASONS.get(reason) or _SDK_CODES.get(type(error).__name__, exit_codes.UNVERIFIABLE)
    step: str = error.next_step  # type: ignore[attr-defined]
    message = str(error)
    # Conditions carry the next step behind their words.
    if step and message.endswith(step):
        message = message[: -len(step)].rstrip("; ") or reason
    return Failure(message, exit_code=code, reason=reason, next_step=step)


def _cause(cause: Any) -> dict[str, Any]:
    # A Status of Kubernetes has no place for code and next step, so every host writes them behind its words.
    from tenure.resources.reasons import next_step

    message, _, step = cause.message.partition("; see `")
    if cause.next_step:
        message, step = cause.message.removesuffix(f"; {cause.next_step}"), cause.next_step
    elif step:
        step = f"see `{step}"
    elif known := next_step(cause.reason):  # a step that the host worded for this very value stays in its words
        message, step = cause.message.removesuffix(f"; {known}"), known
    message = message.removesuffix(f" [{cause.reason}]")
    found = {"code": cause.reason, "message": message, "path": cause.field}
    return found | ({"nextStep": step} if step else {})


def _find_it(message: str) -> str:
    if message.startswith("namespaces "):
        return "create it: apply a manifest of kind Namespace"
    plural = message.partition(" ")[0].partition(".")[0]
    return f"`tenure get {plural}` lists what there is" if plural.islower() else "`tenure get KIND` lists what there is"
