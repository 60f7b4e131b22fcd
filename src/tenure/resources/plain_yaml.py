"""YAML as plain data and nothing else: built from parser events, so that nothing is constructed, expanded or guessed.

Scalars resolve as in YAML 1.2's JSON schema with core's spellings of null and booleans: `NO`, dates, `017`, `0x10`,
`1:30` and `1_000` stay the text they are. Duplicate keys, anchors, aliases, merge keys and tags are refused.
Source: YAML 1.2.2, chapters 10.2 and 10.3.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Self

import yaml

from tenure.resources.plain_json import DEPTH_MAX
from tenure.resources.problems import Problem, path_of, path_within
from tenure.resources.value_words import shortened

# libyaml reads a megabyte of manifest in well under a second; the parser written in Python takes ten times that.
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)

PATHS_CHARACTERS_MAX = 32 << 20
"""Of all paths whose lines are noted: ten times what a manifest of the largest size has."""

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,39})")
# A float has a point or an exponent: an integer too long to be one is no float either, for it would lose its end.
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)|(0|[1-9][0-9]*)(?=[eE]))([eE][-+]?[0-9]+)?")


class YamlRefused(ValueError):  # noqa: N818
    """The text is not plain YAML; `problem` says where and why. What follows in the same document was not read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self._problem = problem
        self._steps: list[int | str] = []

    def within(self, step: int | str) -> Self:
        """The same, of what stands in this key or place of a list: told on the way out, so that reading keeps none."""
        self._steps.insert(0, step)
        return self

    @property
    def problem(self) -> Problem:
        """What is wrong, with the path of the field that was being read."""
        return replace(self._problem, path=path_of(self._steps))


def load_documents(text: str) -> Iterator[tuple[Any, int]]:
    """Each document of `text` with the line (from 1) on which it starts. Raises YamlRefused at the first fault."""
    events = _events(text)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            first = next(events)
            yield _node(events, first, 0), first.start_mark.line + 1


def scalar(text: str) -> Any:
    """What an unquoted scalar means: null, a boolean, a decimal number, or its own text."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def field_lines(text: str, line: int | None) -> dict[str, int]:
    """The line of every field, by its path (`spec.members[2].cores`), of the document that starts on `line`, or of all.

    Only asked for once something is wrong. What cannot be read any more has no lines, nor has what stands deeper than
    DEPTH_MAX or beyond PATHS_CHARACTERS_MAX.
    """
    lines = _Lines()
    events = _events(text)
    try:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                first = next(events)
                wanted = line is None or first.start_mark.line + 1 == line
                if not wanted:
                    continue
                lines.note(events, first, "", 0)
                if line is not None:
                    break
    except (YamlRefused, _Enough):
        pass
    return lines.found


class _Enough(Exception):  # noqa: N818
    """No further line is sought."""


class _Lines:
    """The lines found, and how many characters of paths are still taken: of deep fields with long keys there are more
    than memory has."""

    def __init__(self) -> None:
        self.found: dict[str, int] = {}
        self._left = PATHS_CHARACTERS_MAX

    def note(self, events: Iterator[Any], event: Any, path: str, depth: int) -> None:
        """The lines of this node, at `path`, and of all inside it."""
        self._note(path, event)
        if isinstance(event, yaml.SequenceStartEvent):
            index = 0
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                self._inside(events, item, path_within(path, index), depth)
                index += 1
        elif isinstance(event, yaml.MappingStartEvent):
            while not isinstance(key := next(events), yaml.MappingEndEvent):
                below = path_within(path, getattr(key, "value", ""))
                self._note(below, key)
                self._inside(events, next(events), below, depth)

    def _inside(self, events: Iterator[Any], event: Any, path: str, depth: int) -> None:
        if depth == DEPTH_MAX:
            raise _Enough
        self.note(events, event, path, depth + 1)

    def _note(self, path: str, event: Any) -> None:
        self._left -= len(path)
        if self._left < 0:
            raise _Enough
        if path:
            self.found.setdefault(path, event.start_mark.line + 1)


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.context, error.problem) if part) or "cannot be read"
        raise YamlRefused(
            Problem("NotYaml", words, line=mark.line + 1 if mark else 0, column=mark.column + 1 if mark else 0)
        ) from None
    except yaml.reader.ReaderError as error:
        line, column = _place(text, error.position)
        raise YamlRefused(
            Problem("NotYaml", f"the character U+{_code(error):04X} is not allowed", line=line, column=column)
        ) from None
    except yaml.YAMLError as error:
        raise YamlRefused(Problem("NotYaml", str(error))) from None


def _code(error: Any) -> int:
    return error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")


def _place(text: str, position: int) -> tuple[int, int]:
    # libyaml counts bytes, the Python parser characters; for the line that rarely matters, and the code point is named.
    before = text.encode()[:position].decode(errors="ignore")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _node(events: Iterator[Any], event: Any, depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent):
        raise _refused(event, "AliasesRefused", f"the alias *{event.anchor} is not followed")
    if getattr(event, "anchor", None):
        raise _refused(event, "AliasesRefused", f"the anchor &{event.anchor} is not taken")
    if event.tag is not None:
        raise _refused(event, "TagRefused", f"the tag {event.tag} is not taken; quote a value that is to be text")
    if isinstance(event, yaml.ScalarEvent):
        return scalar(event.value) if event.style is None or event.style == "" else event.value
    if depth >= DEPTH_MAX:
        raise _refused(event, "TooDeep", f"nested deeper than {DEPTH_MAX} levels")
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, depth)
    return _mapping(events, depth)


def _sequence(events: Iterator[Any], depth: int) -> list[Any]:
    items: list[Any] = []
    try:
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_node(events, event, depth + 1))
    except YamlRefused as refused:
        raise refused.within(len(items)) from None
    return items


def _mapping(events: Iterator[Any], depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _key(events, event, depth)
        try:
            if key in result:
                message = f"the key {shortened(key)} appears twice in one mapping"
                raise _refused(event, "DuplicateKey", message)
            result[key] = _node(events, next(events), depth + 1)
        except YamlRefused as refused:
            raise refused.within(key) from None
    return result


def _key(events: Iterator[Any], event: Any, depth: int) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        if isinstance(event, yaml.AliasEvent):
            _node(events, event, depth)
        raise _refused(event, "NotYaml", "a key must be text, not a list or a mapping")
    plain = event.style is None or event.style == ""
    if event.anchor or event.tag:
        _node(events, event, depth)
    if plain and event.value == "<<":
        raise _refused(event, "AliasesRefused", "the merge key << is not followed").within("<<")
    if plain and not event.value:
        raise _refused(event, "NotYaml", "a key is empty")
    key: str = event.value
    return key


def _refused(event: Any, code: str, message: str) -> YamlRefused:
    mark = event.start_mark
    return YamlRefused(Problem(code, message, line=mark.line + 1, column=mark.column + 1))
