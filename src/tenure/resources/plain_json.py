"""JSON as plain data: no key twice, no number that JSON has not or nobody can keep, no half characters, not too deep.

Promises: what is refused carries the path of the field at fault, in this project's words. Text that is in order is
read once, at full speed; only what is refused is looked through again, for the place, and no further than TOKENS_MAX:
beyond it the place is a line and a column where the reader knows them, and no path.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from tenure.resources.problems import Problem, path_of
from tenure.resources.value_words import shortened

DEPTH_MAX = 100
TOKENS_MAX = 50_000
"""Looked through for the place of a fault: a few hundredths of a second's work, and more than any manifest has."""

# No way back into a string, nor from its missing end: each character is looked at once, whatever the text is.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}\[\],:]|[^ \t\n\r{}\[\],:"]++', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?")
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
_TOO_DEEP = Problem("TooDeep", f"nested deeper than {DEPTH_MAX} levels")
_HALF = Problem("NotUtf8", "a string holds half of a surrogate pair, which is no text")
_TOO_LARGE = Problem("NotJson", "a number in it is too large")


class JsonRefused(ValueError):  # noqa: N818
    """The text is no plain JSON; `problem` says where and why, and in words the error does."""

    def __init__(self, problem: Problem) -> None:
        place = f"line {problem.line}, column {problem.column}: " if problem.line else ""
        super().__init__(f"{place}{problem.message}")
        self.problem = problem


def load_json(text: str) -> Any:
    """The value that `text` is. Raises JsonRefused with NotJson, DuplicateKey, TooDeep or NotUtf8."""
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise JsonRefused(_broken(text, error)) from None
    except JsonRefused as suspected:
        raise JsonRefused(_placed(text, suspected.problem)) from None
    except RecursionError:
        raise JsonRefused(_placed(text, _TOO_DEEP)) from None
    except ValueError:  # an integer of more digits than anybody converts
        raise JsonRefused(_placed(text, _TOO_LARGE)) from None
    if _deeper_than(content, DEPTH_MAX):
        raise JsonRefused(_placed(text, _TOO_DEEP))
    if "\\ud" in text.lower() and not _is_text(content):
        raise JsonRefused(_placed(text, _HALF))
    return content


def path_at_end(text: str) -> str:
    """The field in which a text breaks off, whatever else is wrong before; empty where that is beyond TOKENS_MAX."""
    walk = _Walk()
    for number, token in enumerate(_TOKEN.finditer(text)):
        if number == TOKENS_MAX:
            return ""
        problem = walk.take(token[0])
        if problem and problem.code == "TooDeep":
            break
    return walk.path


def _syntax(error: json.JSONDecodeError) -> str:
    return next((ours for theirs, ours in _WORDS.items() if error.msg.startswith(theirs)), "cannot be read")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused(Problem("DuplicateKey", "a key appears twice in one mapping"))
    return found


def _no_constant(name: str) -> NoReturn:
    raise JsonRefused(Problem("NotJson", f"{name} is no number in JSON"))


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise JsonRefused(_TOO_LARGE)
    return number


def _is_text(content: Any) -> bool:
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _deeper_than(content: Any, levels: int) -> bool:
    layer: list[Any] = [content] if isinstance(content, dict | list) else []
    for _ in range(levels):
        inside = [member for node in layer for member in (node.values() if isinstance(node, dict) else node)]
        layer = [member for member in inside if isinstance(member, dict | list)]
        if not layer:
            return False
    return True


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
                return replace(_TOO_DEEP, path=self.path)
            self.steps.append(None if word == "{" else 0)
            self.keys.append(set())
        elif word in ("}", "]"):
            del self.steps[-1:], self.keys[-1:]
        elif word == ",":
            if self.steps:
                step = self.steps[-1]
                self.steps[-1] = step + 1 if isinstance(step, int) else None
        elif word.startswith('"'):
            return self._string(word)
        elif word != ":" and (wrong := _word_wrong(word)):
            return Problem("NotJson", wrong, self.path)
        return None

    def _string(self, word: str) -> Problem | None:
        try:
            text: str = json.loads(word, strict=False)
        except json.JSONDecodeError as error:
            return Problem("NotJson", _syntax(error), self.path)
        is_key = bool(self.steps) and self.steps[-1] is None
        if is_key:
            self.steps[-1] = text
        if not text.isascii() and not _is_text(text):
            return replace(_HALF, path=self.path)
        if is_key:
            if text in self.keys[-1]:
                return Problem("DuplicateKey", f"the key {shortened(text)} appears twice in one mapping", self.path)
            self.keys[-1].add(text)
        return None


def _word_wrong(word: str) -> str:
    """What is wrong with a word outside quotes; empty where JSON has it and it can be kept."""
    if word in ("true", "false", "null"):
        return ""
    if word in ("NaN", "Infinity", "-Infinity"):
        return f"{word} is no number in JSON"
    number = _NUMBER.fullmatch(word)
    if number is None:
        return f"{shortened(word)} is no value of JSON"
    return "" if _can_be_kept(word, whole=number.lastindex is None) else f"the number {shortened(word)} is too large"


def _can_be_kept(number: str, *, whole: bool) -> bool:
    if not whole:
        return math.isfinite(float(number))
    try:
        int(number)
    except ValueError:  # of more digits than anybody converts
        return False
    return True


def _broken(text: str, error: json.JSONDecodeError) -> Problem:
    """The first thing that this reader refuses before the syntax breaks, or that it does."""
    walk = _Walk()
    for token in _tokens(text):
        if token is None:
            walk = _Walk()
        elif token.end() > error.pos:
            break
        elif problem := walk.take(token[0]):
            return _at(problem, text, token.start())
    return _at(Problem("NotJson", _syntax(error), walk.path), text, error.pos)


def _placed(text: str, suspected: Problem) -> Problem:
    """The first thing that this reader refuses; what is suspected, where that is not found in time."""
    walk = _Walk()
    for token in _tokens(text):
        if token is None:
            break
        if problem := walk.take(token[0]):
            return _at(problem, text, token.start())
    return replace(suspected, message=f"{suspected.message}; in which field is not sought in so long a text")


def _tokens(text: str) -> Iterator[re.Match[str] | None]:
    """The tokens of a text, and None for all beyond TOKENS_MAX."""
    for number, token in enumerate(_TOKEN.finditer(text)):
        if number == TOKENS_MAX:
            yield None
            return
        yield token


def _at(problem: Problem, text: str, position: int) -> Problem:
    return replace(problem, line=text.count("\n", 0, position) + 1, column=position - text.rfind("\n", 0, position))
