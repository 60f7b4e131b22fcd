"""Whether one object may be stored, and in which form: as its writer wrote it, when the kind's model accepts it."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from pydantic import ValidationError

from tenure.resources import ApiObject, Kind
from tenure.resources.many_problems import MANY
from tenure.resources.problems import PROBLEMS_MAX, path_text, problems_of
from tenure.server.refusals import Cause, bad_request, invalid

FieldValidation = Literal["Strict", "Warn", "Ignore"]
JsonObject = dict[str, Any]

_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_QUALIFIED_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ANNOTATION_BYTES_MAX = 256 << 10
_KEY_STEP = "write it like app or example.com/app"


@dataclass(frozen=True, slots=True)
class Admitted:
    """An object as it will be stored, what its model made of it, and what the client should be warned of."""

    content: JsonObject
    model: ApiObject | None
    """None of what is let go although its kind refuses it."""
    warnings: list[str] = field(default_factory=list)


def admit(kind: Kind, content: JsonObject, strictness: FieldValidation) -> Admitted:
    """Judge one object by itself. Raises 400 for the wrong kind, 422 with a cause for every field at fault.

    Unknown fields are errors, or with Warn and Ignore are left out of what is stored, MANY of them at most. What is
    stored is the writer's own text, without nulls; nothing is defaulted into it.
    """
    _require_kind(kind, content)
    content = without_nulls(content)
    if kind.kind == "Secret":
        content = _secret(content)
    name = _name(content)
    model, unknown, causes = _validate(kind, content, strictness)
    causes += _first(_metadata_causes(kind, content.get("metadata")))
    if causes or model is None:
        raise invalid(kind.kind, kind.group, name, causes)
    warnings = [f'unknown field "{path}"' for path in unknown] if strictness == "Warn" else []
    return Admitted(content, model, warnings)


def keep_equal_text(kind: Kind, admitted: Admitted, current: JsonObject) -> JsonObject:
    """The admitted object, with those parts in the current text that mean the same as before.

    A controller that read `1000m` and writes `1` back, or writes a default out, has changed nothing; generation counts
    changes of meaning.
    """
    content = admitted.content
    differing = [k for k in content if k not in ("metadata", "status") and content[k] != current.get(k)]
    absent = [k for k in current if k not in content and k not in ("metadata", "status")]
    if admitted.model is None or not (differing or absent):
        return content
    try:
        before = kind.model.model_validate(current, by_alias=True, by_name=False)
    except ValidationError:
        return content  # stored by an older version; take the new text
    names = {(f.alias or python_name): python_name for python_name, f in kind.model.model_fields.items()}
    result = dict(content)
    for key in (*differing, *absent):
        python_name = names.get(key)
        if python_name and getattr(before, python_name) == getattr(admitted.model, python_name):
            result.pop(key, None)
            if key in current:
                result[key] = current[key]
    return result


def only_lets_go(content: JsonObject, current: JsonObject) -> bool:
    """Whether nothing but finalizers differs of an object that is being deleted: also one that its kind refuses by now
    must be able to go."""
    if "deletionTimestamp" not in current["metadata"]:
        return False
    wanted, there = ({**one, "metadata": {**one["metadata"], "finalizers": None}} for one in (content, current))
    return bool(without_nulls({**wanted, "status": None}) == without_nulls({**there, "status": None}))


def without_nulls(content: Any) -> Any:
    """A copy in which members that are null are absent, as the API treats them alike."""
    if isinstance(content, dict):
        return {key: without_nulls(value) for key, value in content.items() if value is not None}
    if isinstance(content, list):
        return [without_nulls(value) for value in content]
    return content


def _require_kind(kind: Kind, content: JsonObject) -> None:
    given = content.get("apiVersion"), content.get("kind")
    wanted = kind.api_version, kind.kind
    if given != wanted:
        said = (
            f"the object is {given[1] or 'of no kind'} in {given[0] or 'no apiVersion'}, this address takes "
            f"{wanted[1]} in {wanted[0]}"
        )
        field = "kind" if given[1] != wanted[1] else "apiVersion"
        step = f"write apiVersion: {wanted[0]} and kind: {wanted[1]}"
        raise bad_request(Cause(field, "UnknownKind", said, step))
    if not isinstance(content.get("metadata"), dict):
        said = "the object has no metadata"
        raise bad_request(Cause("metadata", "MissingField", said, "write metadata: {name: ...}"))


def _validate(
    kind: Kind, content: JsonObject, strictness: FieldValidation
) -> tuple[ApiObject | None, list[str], list[Cause]]:
    unknown: list[str] = []
    # Leaving an unknown field out can bring no new unknown ones, so two rounds are enough.
    for _ in range(2):
        try:
            return kind.model.model_validate(content, by_alias=True, by_name=False), unknown, []
        except ValidationError as error:
            found = error
        few = strictness != "Strict" and found.error_count() <= MANY  # of more, none is left out
        errors = found.errors(include_url=False, include_input=False, include_context=False) if few else []
        extra = [e["loc"] for e in errors if e["type"] == "extra_forbidden"]
        if not extra:
            problems = problems_of(found, kind.model, content, kind.singular)
            return None, unknown, [Cause(p.path, p.code, p.message, p.next_step) for p in problems]
        unknown = sorted({path_text(content, location) for location in extra})
        for location in extra:
            _drop(content, location)
    raise AssertionError("unknown fields were dropped and found again")


def _drop(content: Any, location: tuple[Any, ...]) -> None:
    *parents, last = location
    for step in parents:
        inside_list = isinstance(content, list) and isinstance(step, int)
        if inside_list or (isinstance(content, dict) and step in content):
            content = content[step]
    if isinstance(content, dict):
        content.pop(last, None)


def _name(content: JsonObject) -> str:
    metadata = content["metadata"]
    return str(metadata.get("name") or metadata.get("generateName") or "")


def _first(causes: Iterator[Cause]) -> list[Cause]:
    """As many as anybody reads."""
    found = list(islice(causes, PROBLEMS_MAX + 1))
    if len(found) > PROBLEMS_MAX:
        found[-1] = Cause("metadata", "InvalidValue", "and perhaps more after these", "correct these first")
    return found


def _metadata_causes(kind: Kind, metadata: Any) -> Iterator[Cause]:
    """What Kubernetes checks of any object's metadata beyond its shape, so that both hosts take the same objects."""
    for key, value in _text_map(metadata.get("labels")).items():
        if not _QUALIFIED_NAME.fullmatch(key):
            yield Cause(f"metadata.labels[{key}]", "InvalidName", f"{key!r} is no label key", _KEY_STEP)
        if not _LABEL_VALUE.fullmatch(value):
            why = f"{value!r} is no label value"
            step = "write at most 63 of letters, digits, '-', '_' and '.'"
            yield Cause(f"metadata.labels[{key}]", "InvalidValue", why, step)
    annotations = _text_map(metadata.get("annotations"))
    for key in annotations:
        if not _QUALIFIED_NAME.fullmatch(key.lower()):
            why = f"{key!r} is no annotation key"
            yield Cause(f"metadata.annotations[{key}]", "InvalidName", why, _KEY_STEP)
    if sum(len(k) + len(v) for k, v in annotations.items()) > _ANNOTATION_BYTES_MAX:
        why = f"all annotations together may have {_ANNOTATION_BYTES_MAX} bytes"
        yield Cause("metadata.annotations", "DocumentTooLarge", why, "keep what is large elsewhere")
    finalizers = metadata.get("finalizers")
    for index, finalizer in enumerate(finalizers if isinstance(finalizers, list) else ()):
        if isinstance(finalizer, str) and not _QUALIFIED_NAME.fullmatch(finalizer):
            why = f"{finalizer!r} is no qualified name"
            yield Cause(f"metadata.finalizers[{index}]", "InvalidName", why, "write it like example.com/name")
    name = metadata.get("name")
    if kind.kind == "Namespace" and isinstance(name, str) and not _LABEL_NAME.fullmatch(name):
        why = "a namespace's name has at most 63 of lower-case letters, digits and '-'"
        yield Cause("metadata.name", "InvalidName", why, "choose such a name")


def _text_map(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {k: v for k, v in value.items() if isinstance(v, str)}


def _secret(content: JsonObject) -> JsonObject:
    """Fold stringData into data, as the API server does, and check that data is base64."""
    texts = content.get("stringData")
    data = content.get("data")
    content = {k: v for k, v in content.items() if k != "stringData"} if isinstance(texts, dict) else dict(content)
    content.setdefault("type", "Opaque")
    if isinstance(texts, dict) and all(isinstance(v, str) for v in texts.values()):
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()}
        content["data"] = {**(data if isinstance(data, dict) else {}), **encoded}
    for key, value in _text_map(data).items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            cause = Cause(f"data.{key}", "InvalidValue", "is not base64", "use stringData for plain text")
            raise invalid("Secret", "", _name(content), [cause]) from None
    return content
