"""Manifests: bytes or text in, objects of the API out, or everything that is wrong with them.

Promises: all errors of all documents at once, each with code, place and next step; text is never executed, expanded or
silently taken for another type. Refuses: to read files, and to judge an object against others.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from tenure.resources.base import ApiObject
from tenure.resources.plain_json import JsonRefused, load_json, path_at_end
from tenure.resources.plain_yaml import YamlRefused, field_lines, load_documents
from tenure.resources.problems import Problem, ProblemsFound, problems_of
from tenure.resources.reasons import next_step
from tenure.resources.registry import KINDS, Kind, kind_for, kind_named
from tenure.resources.spelling import did_you_mean

# The embedded host takes bodies of 3 MiB, as a Kubernetes API server does; more in one file is no manifest.
SIZE_BYTES_MAX = 3 << 20
DOCUMENTS_MAX = 10_000
PROBLEMS_MAX = 1_000

_MARKER = re.compile(r"^---(?=[ \t\r\n]|$)", re.MULTILINE)
# No way back: else a dozen lines of comment above a document take a minute to be found to be no directives.
_DIRECTIVES = re.compile(r"(?:\s++|[#%][^\n]*+)*+")
_BEGINS_AS_JSON = re.compile(r'[ \t\r\n\[{]*+"')


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON object of a manifest, where it starts (`source` as given, `line` from 1), and the text it stood in.

    `text` is the part of the source that begins on `text_line`; the lines of single fields are found in it when asked.
    """

    content: dict[str, Any]
    source: str = ""
    line: int = 1
    text: str = field(default="", repr=False, compare=False)
    text_line: int = 1


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a document stood."""

    source: str
    line: int
    text: str
    text_line: int


def parse_documents(data: bytes | str, *, source: str = "") -> list[Document]:
    """Every document of a YAML stream or JSON text; empty documents are left out, a List gives its items.

    Raises ProblemsFound with what is wrong in every document: DocumentTooLarge (before anything is parsed), NotUtf8,
    NotYaml, NotJson, DuplicateKey, AliasesRefused, TagRefused, TooDeep, NotAnObject.
    """
    text = _text(data, source)
    documents, problems = _json(text, source)
    if documents is None:
        meant_as_json = problems
        documents, problems = _yaml(text, source)
        if any(problem.code == "NotYaml" for problem in problems):
            problems = meant_as_json or problems
    if problems:
        raise ProblemsFound(problems)
    return documents


def parse_json(data: bytes | str, *, source: str = "") -> Any:
    """JSON that is no manifest, whatever it holds, under the same rules. Raises ProblemsFound with its one problem."""
    try:
        return load_json(_text(data, source))
    except JsonRefused as refused:
        raise ProblemsFound([_of_json(refused, source)]) from None


def decode(document: Document) -> ApiObject:
    """The object that a document describes. Raises ProblemsFound with every error of it."""
    content = document.content
    name = _name_of(content)
    kind, problems = _kind_of(content)
    if kind is not None:
        try:
            return kind.model.model_validate(content, strict=True, by_alias=True, by_name=False)
        except ValidationError as error:
            problems = problems_of(error, kind.model, content, kind.singular, strict=True)
    before = document.text_line - 1
    lines = field_lines(document.text, document.line - before) if document.text else {}
    raise ProblemsFound(
        replace(p, source=document.source, line=_line(lines, p.path, before) or document.line, object_name=name)
        for p in problems
    )


def decode_all(documents: Iterable[Document]) -> list[ApiObject]:
    """The objects of all documents. Raises ProblemsFound with every error of every document."""
    objects: list[ApiObject] = []
    problems: list[Problem] = []
    for document in documents:
        try:
            objects.append(decode(document))
        except ProblemsFound as found:
            problems += found.problems
        if len(problems) > PROBLEMS_MAX:
            problems.append(Problem("InvalidValue", "and perhaps more after these", next_step="correct these first"))
            break
    if problems:
        raise ProblemsFound(problems)
    return objects


def _line(lines: dict[str, int], path: str, before: int) -> int:
    """The line of a field, of the nearest field around it where it is not there, after `before` lines; 0 for none."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines[path] + before if path in lines else 0


def _text(data: bytes | str, source: str) -> str:
    # Text that a shell passed on may hold bytes that are none, as halves of surrogate pairs.
    raw = data if isinstance(data, bytes) else data.encode(errors="surrogatepass")
    if len(raw) > SIZE_BYTES_MAX:
        raise ProblemsFound([too_large(len(raw), source)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        message = f"byte {error.start} (0x{raw[error.start]:02x}) is not UTF-8 text"
        problem = _problem("NotUtf8", message, source, before.count("\n") + 1)
        raise ProblemsFound([replace(problem, path=_last_field(before))]) from None


def _last_field(before: str) -> str:
    """The field in which a text breaks off, of YAML the last that begins on that line; empty where there is none."""
    if before.lstrip()[:1] in ("{", "["):
        return path_at_end(before)
    chunk, _ = _chunks(before)[-1]
    lines = field_lines(chunk, None)
    there = [path for path, line in lines.items() if line == chunk.count("\n") + 1]
    return there[-1] if there else ""


def too_large(size_bytes: int, source: str) -> Problem:
    """The problem of a file of this size; for readers that look at the size before they read."""
    message = f"{size_bytes} bytes; a manifest has at most {SIZE_BYTES_MAX}"
    return _problem("DocumentTooLarge", message, source)


def _yaml(text: str, source: str) -> tuple[list[Document], list[Problem]]:
    documents: list[Document] = []
    problems: list[Problem] = []
    if sum(1 for _ in _MARKER.finditer(text)) > DOCUMENTS_MAX:
        return [], [_problem("DocumentTooLarge", f"more than {DOCUMENTS_MAX} documents in one file", source)]
    for chunk, first_line in _chunks(text):
        try:
            for content, line in load_documents(chunk):
                where = line + first_line - 1
                if content is None:
                    continue
                _collect(content, _Place(source, where, chunk, first_line), documents, problems)
                if len(documents) > DOCUMENTS_MAX:
                    message = f"more than {DOCUMENTS_MAX} documents in one file"
                    return [], [_problem("DocumentTooLarge", message, source, where)]
        except YamlRefused as refused:
            problem = refused.problem
            line = problem.line + first_line - 1 if problem.line else first_line
            problems.append(replace(problem, source=source, line=line, next_step=next_step(problem.code)))
    return documents, problems


def _chunks(text: str) -> list[tuple[str, int]]:
    """The stream cut at its document markers, so that one broken document does not hide the next; with first lines.

    A line that starts with `---` is a marker wherever it stands, inside quotes and block scalars too (YAML 1.2.2,
    9.1.2).
    """
    starts = [match.start() for match in _MARKER.finditer(text)]
    if not starts:
        return [(text, 1)]
    # What comes before the first marker is a document of its own unless it is only directives and comments.
    if starts[0] and _DIRECTIVES.fullmatch(text[: starts[0]]):
        starts[0] = 0
    elif starts[0]:
        starts.insert(0, 0)
    ends = [*starts[1:], len(text)]
    chunks, line = [], 1
    for start, end in zip(starts, ends, strict=True):
        chunks.append((text[start:end], line))
        line += text.count("\n", start, end)
    return chunks


def _json(text: str, source: str) -> tuple[list[Document] | None, list[Problem]]:
    """The text as JSON. No documents when it is none, and what is wrong where it was meant to be: YAML may read it.

    A file that is called JSON is; elsewhere `{"a": yes}` is YAML, and JSON's words are for what YAML does not read.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return None, []
    try:
        content = load_json(text)
    except JsonRefused as refused:
        told = _of_json(refused, source)
        if told.code != "NotJson" or (source.endswith(".json") and not _MARKER.search(text)):
            return [], [told]
        return None, [told] if _BEGINS_AS_JSON.match(text) and not _MARKER.search(text) else []
    documents: list[Document] = []
    problems: list[Problem] = []
    _collect(content, _Place(source, 1, text, 1), documents, problems)
    return documents, problems


def _of_json(refused: JsonRefused, source: str) -> Problem:
    code = refused.problem.code
    # What the table says of NotJson is said to those who send bodies; a file is corrected.
    return replace(refused.problem, source=source, next_step=next_step("NotYaml" if code == "NotJson" else code))


def _collect(content: Any, place: _Place, documents: list[Document], problems: list[Problem]) -> None:
    if not isinstance(content, dict):
        sort = "a list" if isinstance(content, list) else "a single value"
        message = f"the document is {sort}, not a mapping"
        problems.append(_problem("NotAnObject", message, place.source, place.line))
    elif content.get("kind") == "List" and isinstance(content.get("items"), list):
        for item in content["items"]:
            _collect(item, replace(place, text=""), documents, problems)  # paths are the item's, lines the list's
    else:
        documents.append(Document(content, place.source, place.line, place.text, place.text_line))


def _kind_of(content: dict[str, Any]) -> tuple[Kind | None, list[Problem]]:
    absent = [key for key in ("apiVersion", "kind", "metadata") if content.get(key) is None]
    api_version, kind_name = content.get("apiVersion"), content.get("kind")
    if "kind" in absent or "apiVersion" in absent:
        return None, [Problem("MissingField", "is required", key, "see `tenure api-resources`") for key in absent]
    kind = kind_for(str(api_version), str(kind_name))
    if kind is not None:
        return kind, []
    same = kind_named(str(kind_name))
    if same is not None:
        step = f"write apiVersion: {same.api_version} and kind: {same.kind}"
        where = "kind" if same.kind != kind_name else "apiVersion"
        message = f"{kind_name} is not served in {api_version}"
        return None, [Problem("UnknownKind", message, where, step)]
    meant = did_you_mean(str(kind_name), [k.kind for k in KINDS])
    message = f"no kind {kind_name} is served" + (f"; did you mean {meant}?" if meant else "")
    return None, [Problem("UnknownKind", message, "kind", next_step("UnknownKind"))]


def _name_of(content: dict[str, Any]) -> str:
    metadata = content.get("metadata")
    name = metadata.get("name") or metadata.get("generateName") if isinstance(metadata, dict) else None
    kind = content.get("kind")
    return "/".join(part for part in (str(kind).lower() if kind else "", str(name or "")) if part)


def _problem(code: str, message: str, source: str, line: int = 0) -> Problem:
    return Problem(code, message, next_step=next_step(code), source=source, line=line)
