"""Query parameters and delete options, read once and strictly: what is not understood is refused, not ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request

from tenure.server.admission import FieldValidation
from tenure.server.authorization import Identity
from tenure.server.refusals import bad_parameter
from tenure.store import Propagation

_WARNINGS_MAX = 20
_WARNING_CHARACTERS_MAX = 200
_QUOTED_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete, and on which preconditions."""

    propagation: Propagation
    uid: str | None
    version: str | None
    dry_run: bool


def identity_of(request: Request) -> Identity:
    """Who asks, as the gate found out."""
    return cast(Identity, request.state.identity)


def is_true(query: Mapping[str, str], name: str) -> bool:
    """A boolean parameter. Raises 400 for other words."""
    value = query.get(name, "").lower()
    if value in ("", "0", "false"):
        return False
    if value in ("1", "true"):
        return True
    raise bad_parameter(name, f"{name}={_quoted(value)} is neither true nor false", "write true or false")


def integer_of(query: Mapping[str, str], name: str) -> int:
    """A parameter that is a count; 0 when absent. Raises 400."""
    value = query.get(name, "")
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise bad_parameter(name, f"{name}={_quoted(value)} is no count", "write a whole number, such as 500")
    return int(value)


def version_of(query: Mapping[str, str]) -> int | None:
    """resourceVersion; None when absent or 0, which both mean "whatever is now". Raises 400."""
    version = integer_of(query, "resourceVersion")
    return version or None


def dry_run_of(query: Any) -> bool:
    """dryRun=All. Raises 400 for any other value."""
    values = set(query.getlist("dryRun"))
    if values - {"All"}:
        said = _quoted(", ".join(sorted(values)))
        raise bad_parameter("dryRun", f"dryRun={said}: All is the only value", "write All, or leave it out")
    return bool(values)


def field_validation_of(query: Mapping[str, str]) -> FieldValidation:
    """fieldValidation; unknown fields are errors unless another level is asked for. Raises 400."""
    value = query.get("fieldValidation") or "Strict"
    if value not in ("Strict", "Warn", "Ignore"):
        said = f"fieldValidation={_quoted(value)} is no level"
        raise bad_parameter("fieldValidation", said, "write Strict, Warn or Ignore")
    return cast(FieldValidation, value)


def deletion_of(query: Any, body: dict[str, Any]) -> DeleteOptions:
    """Delete options from the body and the query. Raises 400."""
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy")
    if propagation is None:
        orphans = body.get("orphanDependents", query.get("orphanDependents"))
        propagation = "Orphan" if orphans in (True, "true") else "Background"
    if propagation not in ("Background", "Foreground", "Orphan"):
        said = f"propagationPolicy={_quoted(propagation)} is no policy"
        raise bad_parameter("propagationPolicy", said, "write Background, Foreground or Orphan")
    preconditions = body.get("preconditions") or {}
    if not isinstance(preconditions, dict):
        step = "write preconditions: {uid: ..., resourceVersion: ...}"
        raise bad_parameter("preconditions", "preconditions is no object", step)
    uid, version = preconditions.get("uid"), preconditions.get("resourceVersion")
    for name, value in (("uid", uid), ("resourceVersion", version)):
        if not (value is None or isinstance(value, str)):
            raise bad_parameter(f"preconditions.{name}", f"preconditions.{name} is no text", "write it in quotes")
    wishes = body.get("dryRun") or []
    if wishes not in ([], ["All"]):
        raise bad_parameter("dryRun", "dryRun: All is the only value", 'write ["All"], or leave it out')
    return DeleteOptions(cast(Propagation, propagation), uid, version, dry_run_of(query) or bool(wishes))


def warnings_of(warnings: Sequence[str]) -> dict[str, str]:
    """Warnings as the header that kubectl prints."""
    if not warnings:
        return {}
    quoted = (_header_text(text) for text in warnings[:_WARNINGS_MAX])
    return {"Warning": ", ".join(f'299 - "{text}"' for text in quoted)}


def _quoted(value: object) -> str:
    """What was sent, as far as a person reads it."""
    text = str(value)
    return text if len(text) <= _QUOTED_CHARACTERS_MAX else text[:_QUOTED_CHARACTERS_MAX] + "..."


def _header_text(text: str) -> str:
    """Any text as a quoted string of a header: field names may hold line ends and letters that headers may not."""
    escaped = text[:_WARNING_CHARACTERS_MAX].encode("unicode_escape").decode("ascii")
    return escaped.replace("\\", "\\\\").replace('"', '\\"')
