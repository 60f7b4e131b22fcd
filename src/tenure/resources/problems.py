"""What is wrong with a document: a stable code, where, in words, and what to do; and how a model's errors become that.

Promises: every error of a manifest at once, each with the path a user would write (`spec.objectives.timeToFirstToken`).
Refuses: to print; faces do that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenure.resources.many_problems import first_errors, models_in
from tenure.resources.reasons import next_step
from tenure.resources.spelling import did_you_mean
from tenure.resources.value_words import value_words

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_CODES = {"extra_forbidden": "UnknownField", "missing": "MissingField"}
_KEY_CHARACTERS_MAX = 400
PROBLEMS_MAX = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. `line` and `column` count from 1; 0 where the text has no such place."""

    code: str
    message: str
    path: str = ""
    next_step: str = ""
    source: str = ""
    line: int = 0
    column: int = 0
    object_name: str = ""

    def to_json(self) -> dict[str, Any]:
        """As faces answer in JSON: code, message, and of the rest what is known."""
        known = {
            "code": self.code,
            "message": self.message,
            "path": self.path,
            "nextStep": self.next_step,
            "source": self.source,
            "line": self.line,
            "column": self.column,
            "object": self.object_name,
        }
        return {key: value for key, value in known.items() if value or key in ("code", "message")}


class ProblemsFound(ValueError):  # noqa: N818
    """The documents cannot be used; `problems` are all the reasons, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path}: {p.message}" if p.path else p.message for p in self.problems))


def problems_of(
    error: ValidationError, model: type[BaseModel], content: Any, kind_name: str, *, strict: bool = False
) -> list[Problem]:
    """Every error of `model` about `content` as problems; `kind_name` is the kind in lower case, for `explain`.

    Nobody reads more than PROBLEMS_MAX of one document; of those beyond, the number is told. `strict` is how `content`
    was validated.
    """
    found: dict[tuple[str, str], Problem] = {}
    details = first_errors(error, model, content, strict=strict)[:PROBLEMS_MAX]
    for detail in details:
        sort = detail["type"]
        path = path_text(content, detail["loc"], keep_last=sort == "missing")
        code = _CODES.get(sort) or (sort if sort[:1].isupper() else "InvalidValue")
        message, step = _words(code, sort, detail, model)
        step = step or _explained(next_step(code), kind_name, path, code)
        found.setdefault((path, message), Problem(code, message, path, step))
    problems = list(found.values())
    if error.error_count() > len(details):
        and_ = "and " if problems else ""
        more = f"{and_}{error.error_count() - len(details)} more problems in the same document"
        problems.append(Problem("InvalidValue", more, next_step="correct these first"))
    return problems


def path_text(content: Any, location: tuple[int | str, ...], *, keep_last: bool = False) -> str:
    """A pydantic location as a path of the document, `spec.members[2].cores`; names of union members are left out.

    `keep_last` keeps the last step although the document does not have it, because that is what is missing.
    """
    steps: list[int | str] = []
    for index, step in enumerate(location):
        if isinstance(step, int):
            steps.append(step)
            content = content[step] if isinstance(content, list) and step < len(content) else None
            continue
        inside = isinstance(content, Mapping) and step in content
        if not inside and not (keep_last and index == len(location) - 1):
            continue
        if step == "[key]":
            continue
        steps.append(step)
        content = content.get(step) if isinstance(content, Mapping) else None
    return path_of(steps)


def path_of(steps: Iterable[int | str]) -> str:
    """Keys and places in lists as a path, `spec.members[2].cores`; a key that nobody would have written is cut."""
    text = ""
    for step in steps:
        text = path_within(text, step)
    return text


def path_within(path: str, step: int | str) -> str:
    """One step further than `path`, as path_of says it. Half of a surrogate pair in a key is shown by its escape."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    name = step[:_KEY_CHARACTERS_MAX] or '""'  # a key may be empty, its path may not: that would be all of it
    if not name.isascii():
        name = name.encode(errors="backslashreplace").decode()
    return f"{path}.{name}" if path else name


def fields_at(model: type[BaseModel], location: Iterable[int | str]) -> list[str]:
    """The wire names that may stand at this place of `model`, sorted; empty where any key may."""
    current: list[Any] = [model]
    for step in location:
        if isinstance(step, int):
            continue
        current = [inner for one in current for inner in models_in(_annotation(one, step))]
    return sorted({field.alias or name for one in current for name, field in one.model_fields.items()})


def _words(code: str, sort: str, detail: Any, model: type[BaseModel]) -> tuple[str, str]:
    """The message, and a next step where one is better than the table's."""
    location: tuple[int | str, ...] = detail["loc"]
    if code == "UnknownField":
        known = fields_at(model, location[:-1])
        meant = did_you_mean(str(location[-1]), known)
        if meant:
            return f"unknown field; did you mean {meant}?", f"write {meant}"
        some = ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
        return (f"unknown field; known here: {some}" if known else "unknown field"), ""
    if code == "MissingField":
        return "is required", ""
    if not sort[:1].isupper():
        return value_words(sort, detail.get("ctx", {}), detail.get("input")), ""
    message = str(detail["msg"])
    step = str(detail.get("ctx", {}).get("step", ""))
    return message.removesuffix(f"; {step}"), step


def _explained(step: str, kind_name: str, path: str, code: str) -> str:
    """The table's next step with KIND.path filled in."""
    parent = path.rpartition(".")[0] if code == "UnknownField" else path
    inside = "".join(part.partition("[")[0] + "." for part in parent.split(".")).strip(".")
    place = f"{kind_name}.{inside}" if inside else kind_name
    return step.replace("KIND.path", place).replace("explain KIND", f"explain {place}").replace("KIND", kind_name)


def _annotation(model: Any, step: str) -> Any:
    for name, field in model.model_fields.items():
        if step in (field.alias, name):
            return field.annotation
    return None
