"""The two core kinds that `kubectl create namespace` and `kubectl create secret` send in Kubernetes' protobuf form.

kubectl's typed commands know no other form and do not fall back to JSON. Field numbers are those of
k8s.io/api/core/v1/generated.proto and k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto, which never change.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tenure.server.refusals import Cause, Refused, bad_request, unsupported_media

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT_BITS_MAX = 70

Sort = Literal["text", "bytes", "bool", "message", "text map", "bytes map"]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    sort: Sort
    repeated: bool = False
    message: "Mapping[int, _Field] | None" = None


_OWNER_REFERENCE = {
    1: _Field("kind", "text"),
    3: _Field("name", "text"),
    4: _Field("uid", "text"),
    5: _Field("apiVersion", "text"),
    6: _Field("controller", "bool"),
    7: _Field("blockOwnerDeletion", "bool"),
}
# What the host keeps for itself (uid, versions, times) is left out: it would be replaced anyway.
_METADATA = {
    1: _Field("name", "text"),
    2: _Field("generateName", "text"),
    3: _Field("namespace", "text"),
    11: _Field("labels", "text map"),
    12: _Field("annotations", "text map"),
    13: _Field("ownerReferences", "message", repeated=True, message=_OWNER_REFERENCE),
    14: _Field("finalizers", "text", repeated=True),
}
_NAMESPACE = {
    1: _Field("metadata", "message", message=_METADATA),
    2: _Field("spec", "message", message={1: _Field("finalizers", "text", repeated=True)}),
}
_SECRET = {
    1: _Field("metadata", "message", message=_METADATA),
    2: _Field("data", "bytes map"),
    3: _Field("type", "text"),
    4: _Field("stringData", "text map"),
    5: _Field("immutable", "bool"),
}
_TYPE_META = {1: _Field("apiVersion", "text"), 2: _Field("kind", "text")}
_ENVELOPE = {1: _Field("type", "message", message=_TYPE_META), 2: _Field("raw", "bytes")}
_KINDS = {("v1", "Namespace"): _NAMESPACE, ("v1", "Secret"): _SECRET}


def parse_protobuf(body: bytes) -> dict[str, Any]:
    """The object in a protobuf body, as its JSON would be. Raises 415 for other kinds, 400 for what is no protobuf."""
    if not body.startswith(_MAGIC):
        said = "the body is no Kubernetes protobuf"
        raise bad_request(Cause("", "NotJson", said, "send application/json"))
    try:
        envelope = _message(body[len(_MAGIC) :], _ENVELOPE)
        type = envelope.get("type") or {}
        about = type.get("apiVersion", ""), type.get("kind", "")
        if about not in _KINDS:
            step = f"send {about[1]} as application/json" if about[1] else "send application/json"
            raise unsupported_media(f"protobuf is taken for Namespace and Secret only; {step}", step)
        content = _message(base64.b64decode(envelope.get("raw", "")), _KINDS[about])
    except Refused:
        raise
    except (UnicodeDecodeError, IndexError):
        said = "the body is no Kubernetes protobuf: it breaks off, or has bytes where text belongs"
        raise bad_request(Cause("", "NotJson", said, "send application/json")) from None
    except ValueError as error:
        said = f"the body is no Kubernetes protobuf: {error}"
        raise bad_request(Cause("", "NotJson", said, "send application/json")) from None
    return {"apiVersion": about[0], "kind": about[1], "metadata": {}, **content}


def _message(data: bytes, fields: Mapping[int, _Field]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, value in _parts(data):
        field = fields.get(number)
        if field is None:
            continue
        if field.sort in ("text map", "bytes map"):
            entry = dict(_parts(_bytes(value)))
            key = _bytes(entry.get(1, b"")).decode()
            result.setdefault(field.name, {})[key] = _scalar(entry.get(2, b""), field.sort.removesuffix(" map"))
            continue
        decoded = _message(_bytes(value), field.message) if field.message else _scalar(value, field.sort)
        if field.repeated:
            result.setdefault(field.name, []).append(decoded)
        elif decoded not in ("", {}):  # proto2 writers of Kubernetes send empty fields too
            result[field.name] = decoded
    return result


def _scalar(value: int | bytes, sort: str) -> Any:
    if sort == "bool":
        return bool(value)
    return _bytes(value).decode() if sort == "text" else base64.b64encode(_bytes(value)).decode()


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where text belongs")
    return value


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of every field on the wire; groups do not occur."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == 0:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        length = {1: 8, 5: 4}.get(wire)
        if length is None:
            if wire != 2:
                raise ValueError(f"wire type {wire}")
            length, position = _varint(data, position)
        if position + length > len(data):
            raise ValueError("it ends within a field")
        yield tag >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position
        if shift >= _VARINT_BITS_MAX:
            raise ValueError("an endless number")
