"""JSON as plain data: no key twice, no number that JSON has not or nobody can keep, no half characters, not too deep.

Promises: what is refused carries the path of the field at fault, in this project's words. Text that is in order is
read once, at full speed; only what is refused is looked through again, for the place.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tenure.resources.problems import Problem, path_of
from tenure.resources.value_words import shortened

DEPTH_MAX = 100

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_WHOLE = re.compile(r"-?[0-9]+")
_WORDS = {
    "Expecting value": "a value is missing",
    "Expecting property name": "a key in double quotes is missing",
    "Expecting ':'": "a colon is missing",
    "Expecting ','": "a comma or the end is missing",
    "Illegal trailing comma": "a comma stands before the end",
    "Invalid control character": "a control character in a string must be escaped",
    "Invalid \\": "this escape is none of JSON's",
    "Unterminated string": "a string does not end",
    "Extra data": "something follows the end",
}
"""What the standard library's reader says, by how it begins, and ours."""


class JsonRefused(ValueError):  # noqa: N818
    """The text is no plain JSON; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def load_json(text: str) -> Any:
    """The value that `text` is. Raises JsonRefused with NotJson, DuplicateKey, TooDeep or NotUtf8."""
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise JsonRefused(_first_fault(text, error.pos, _syntax(error))) from None
    except (ValueError, RecursionError):
        raise JsonRefused(_first_fault(text, len(text))) from None
    if _deeper_than(content, DEPTH_MAX) or ("\\ud" in text.lower() and not _is_text(content)):
        raise JsonRefused(_first_fault(text, len(text)))
    return content


def path_at_end(text: str) -> str:
    """The field in which a text breaks off."""
    return _first_fault(text, len(text)).path


def words_of(error: Exception) -> str:
    """What the standard library's reader says of a text that is no JSON, in our words and with the place."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {_syntax(error)}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8 text"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "a number in it is too large"


def _syntax(error: json.JSONDecodeError) -> str:
    return next((ours for theirs, ours in _WORDS.items() if error.msg.startswith(theirs)), "cannot be read")


class _Suspect(ValueError):  # noqa: N818
    """Something is wrong; the second look says what and where."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Suspect
    return found


def _no_constant(_name: str) -> NoReturn:
    raise _Suspect


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Suspect
    return number


def _is_text(content: Any) -> bool:
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _deeper_than(content: Any, levels: int) -> bool:
    layer: list[Any] = [content]
    for _ in range(levels):
        layer = [inner for node in layer for inner in _containers(node)]
        if not layer:
            return False
    return True


def _containers(node: Any) -> list[Any]:
    members = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [member for member in members if isinstance(member, dict | list)]


@dataclass(slots=True)
class _Walk:
    """Where a second look stands: a step for each open mapping (None before its key) or list, and the keys seen."""

    steps: list[str | int | None] = field(default_factory=list)
    keys: list[set[str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return path_of(step for step in self.steps if step is not None)

    def take(self, word: str) -> Problem | None:
        """Go on by one token; the problem that it is, if it is one."""
        if word in ("{", "["):
            if len(self.steps) == DEPTH_MAX:
                return Problem("TooDeep", f"nested deeper than {DEPTH_MAX} levels", self.path)
            self.steps.append(None if word == "{" else 0)
            self.keys.append(set())
        elif word in ("}", "]"):
            del self.steps[-1:], self.keys[-1:]
        elif word == ",":
            if self.steps:
                step = self.steps[-1]
                self.steps[-1] = step + 1 if isinstance(step, int) else None
        elif word != ":":
            return self._scalar(word)
        return None

    def _scalar(self, word: str) -> Problem | None:
        if not word.startswith('"'):
            wrong = _number_wrong(word)
            return Problem("NotJson", wrong, self.path) if wrong else None
        text: str = json.loads(word, strict=False)
        is_key = bool(self.steps) and self.steps[-1] is None
        if is_key:
            self.steps[-1] = text
        if not _is_text(text):
            return Problem("NotUtf8", "a string holds half of a surrogate pair, which is no text", self.path)
        if is_key:
            if text in self.keys[-1]:
                return Problem("DuplicateKey", f"the key {shortened(text)} appears twice in one mapping", self.path)
            self.keys[-1].add(text)
        return None


def _number_wrong(word: str) -> str:
    if word in ("NaN", "Infinity", "-Infinity"):
        return f"{word} is no number in JSON"
    whole = _WHOLE.fullmatch(word) is not None
    try:
        too_large = int(word) is None if whole else math.isinf(float(word))
    except ValueError:
        too_large = whole  # of more digits than anybody converts; else it is a word and no number
    return f"the number {shortened(word)} is too large" if too_large else ""


def _first_fault(text: str, end: int, words: str = "cannot be read") -> Problem:
    """The first thing that this reader refuses before `end`, or that the syntax breaks there."""
    walk = _Walk()
    for token in _TOKEN.finditer(text):
        if token.end() > end:
            break
        if problem := walk.take(token[0]):
            return problem
    before = text[:end]
    return Problem("NotJson", words, walk.path, line=before.count("\n") + 1, column=end - before.rfind("\n"))
