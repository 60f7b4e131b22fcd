"""kubectl's JSONPath templates: `{.items[*].metadata.name}{"\\n"}`, ranges, filters, slices, recursive descent.

Reference: https://kubernetes.io/docs/reference/kubectl/jsonpath/. Left out, with an error: regular expressions, and
scripts, which kubectl lacks too.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(
    r"\.\.(?P<deep>\*|[\w\-]+)"
    r"|\.(?P<wild>\*)"
    r"|\.(?P<member>(?:[\w\-/]|\\.)+)"
    r"|\[\s*(?P<all>\*)\s*\]"
    r"|\[\s*(?P<start>-?\d*)\s*:\s*(?P<end>-?\d*)\s*(?::\s*(?P<step>\d+))?\s*\]"
    r"|\[\s*(?P<indexes>-?\d+(?:\s*,\s*-?\d+)*)\s*\]"
    r"|\[\s*(?P<quote>['\"])(?P<key>.*?)(?P=quote)\s*\]"
    r"|\[\?\(\s*(?P<filter>.+?)\s*\)\]"
    r"|(?P<self>\.)$"
)
_FILTER = re.compile(r"(?P<left>@[^\s=!<>]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.+))?")


class JsonPathError(ValueError):
    """The template cannot be read; the message says from where on."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a template: literal text, a path, or a range over a path."""

    text: str = ""
    path: str | None = None
    inner: tuple["_Part", ...] | None = None


def render(template: str, value: Any) -> str:
    """The template filled from `value`. Raises JsonPathError. A path without braces is taken as one with."""
    if "{" not in template:
        template = "{" + template + "}"
    parts, rest = _parse(_pieces(template), inside=False)
    assert not rest, "everything outside a range is read"
    return "".join(_fill(part, value, value) for part in parts)


def find(path: str, value: Any) -> list[Any]:
    """Everything that lies at `path` (`.spec.x`, `$..name`) below `value`. Raises JsonPathError."""
    return _follow(_normal(path), [value])


def _pieces(template: str) -> list[tuple[bool, str]]:
    """(is an expression, text) in order; braces inside quotes and filters are respected."""
    pieces: list[tuple[bool, str]] = []
    position = 0
    while position < len(template):
        opened = template.find("{", position)
        if opened < 0:
            pieces.append((False, template[position:]))
            break
        if opened > position:
            pieces.append((False, template[position:opened]))
        closed = _closing(template, opened)
        pieces.append((True, template[opened + 1 : closed].strip()))
        position = closed + 1
    return pieces


def _closing(template: str, opened: int) -> int:
    quote = ""
    for index in range(opened + 1, len(template)):
        character = template[index]
        if quote:
            if character == quote and template[index - 1] != "\\":
                quote = ""
        elif character in "\"'":
            quote = character
        elif character == "}":
            return index
    raise JsonPathError(f"the brace at character {opened} is not closed")


def _parse(pieces: list[tuple[bool, str]], *, inside: bool) -> tuple[tuple[_Part, ...], list[tuple[bool, str]]]:
    parts: list[_Part] = []
    while pieces:
        (is_expression, text), pieces = pieces[0], pieces[1:]
        if not is_expression:
            parts.append(_Part(text))
        elif text == "end":
            if not inside:
                raise JsonPathError("{end} without {range}")
            return tuple(parts), pieces
        elif text.startswith("range"):
            inner, pieces = _parse(pieces, inside=True)
            parts.append(_Part(path=_normal(text.removeprefix("range").strip()), inner=inner))
        elif text[:1] in "\"'":
            parts.append(_Part(_literal(text)))
        else:
            parts.append(_Part(path=_normal(text)))
    if inside:
        raise JsonPathError("{range} without {end}")
    return tuple(parts), []


def _literal(text: str) -> str:
    if len(text) < 2 or text[-1] != text[0]:
        raise JsonPathError(f"{text} is no closed text")
    body = text[1:-1]
    return body.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').replace("\\'", "'")


def _normal(path: str) -> str:
    path = path.strip()
    if path.startswith(("$", "@")):
        path = path[1:]
    return path if path.startswith((".", "[")) or not path else f".{path}"


def _fill(part: _Part, here: Any, root: Any) -> str:
    if part.path is None:
        return part.text
    if part.inner is not None:
        return "".join(_fill(inner, item, root) for item in _follow(part.path, [here]) for inner in part.inner)
    return " ".join(_text(found) for found in _follow(part.path, [here]))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)  # as kubectl does


def _follow(path: str, values: list[Any]) -> list[Any]:
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise JsonPathError(f"{path!r} cannot be read from character {position} on: {path[position:]!r}")
        values = [found for value in values for found in _take(match, value)]
        position = match.end()
    return values


def _take(step: re.Match[str], value: Any) -> list[Any]:
    if step["self"]:
        return [value]
    if step["deep"]:
        below = _descend(value)
        return below if step["deep"] == "*" else [v[step["deep"]] for v in below if _has(v, step["deep"])]
    name = step["member"].replace("\\", "") if step["member"] else step["key"]
    if name is not None:
        return [value[name]] if _has(value, name) else []
    if step["wild"] or step["all"]:
        return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    if not isinstance(value, list):
        return []
    if step["indexes"]:
        wanted = [int(index) for index in step["indexes"].split(",")]
        return [value[index] for index in wanted if -len(value) <= index < len(value)]
    if step["filter"]:
        return [item for item in value if _passes(step["filter"], item)]
    bounds = [int(step[name]) if step[name] else None for name in ("start", "end", "step")]
    return value[slice(*bounds)]


def _has(value: Any, name: str) -> bool:
    return isinstance(value, dict) and name in value


def _descend(value: Any) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(below for child in children for below in _descend(child))]


def _passes(condition: str, item: Any) -> bool:
    match = _FILTER.fullmatch(condition)
    if match is None:
        raise JsonPathError(f'the filter {condition!r} cannot be read; write it like @.type=="Ready"')
    left = _follow(_normal(match["left"]), [item])
    if match["op"] is None:
        return bool(left)
    right = match["right"].strip()
    wanted = _follow(_normal(right), [item]) if right.startswith("@") else [_constant(right)]
    return bool(left and wanted) and _compare(left[0], match["op"], wanted[0])


def _constant(text: str) -> Any:
    if text[:1] in "\"'":
        return _literal(text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _compare(left: Any, operator: str, right: Any) -> bool:
    match operator:
        case "==":
            return bool(left == right)
        case "!=":
            return bool(left != right)
    try:
        return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator])
    except TypeError:
        return False
