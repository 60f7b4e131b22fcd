"""Machines as JSON and back, and the digest that names a hardware profile.

Two forms. The *full* form has every fact, an unknown one as ``{"unknown": "why"}``. The *identity* form leaves out
passing state and what software makes at run time (SR-IOV virtual functions), rounds what kernels report a little
differently, and leaves out what is unknown, so that two equal machines, or one read by two users, give the same text,
also after a Kubernetes API server kept it (which drops nulls). Keys are camelCase and sorted, numbers are integers;
such text is its own RFC 8785 canonical form. The digest is ``sha256:`` and the hash of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from tenure.topology.facts import NOMINAL, STATE, Unknown
from tenure.topology.machine import MachineTopology, ObservedMachine

D = TypeVar("D")

NOT_KNOWN_THEN = Unknown("not known when the profile was made")
NOT_IN_PROFILE = Unknown("a hardware profile does not carry it")


class TopologyFormatError(ValueError):
    """JSON that is no machine; says where. Codes are those of the caller."""


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def to_json(machine: MachineTopology | ObservedMachine) -> dict[str, Any]:
    """The full form: what was seen, with the reason for each unknown."""
    value: dict[str, Any] = _encode(machine, identity=False)
    return value


def identity_json(machine: MachineTopology) -> dict[str, Any]:
    """The identity form, which a HardwareProfile carries."""
    value: dict[str, Any] = _encode(machine, identity=True)
    return value


def digest(machine: MachineTopology) -> str:
    """``sha256:`` and 64 hexadecimal digits; equal for equal hardware, whatever the host is called or does."""
    return digest_of_json(identity_json(machine))


def digest_of_json(identity: dict[str, Any]) -> str:
    """The digest of an identity form that came over the wire."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def machine_from_json(value: Any) -> MachineTopology:
    """A topology from either form. Raises TopologyFormatError naming the place."""
    machine: MachineTopology = _decode(MachineTopology, value, "topology")
    return machine


def observed_from_json(value: Any) -> ObservedMachine:
    """An observed machine from its full form. Raises TopologyFormatError naming the place."""
    observed: ObservedMachine = _decode(ObservedMachine, value, "machine")
    return observed


def _encode(value: Any, *, identity: bool) -> Any:
    if isinstance(value, Unknown):
        return {"unknown": value.reason}
    if isinstance(value, tuple):
        lasting = [item for item in value if not (identity and getattr(item, "is_passing", False))]
        return [_encode(item, identity=identity) for item in lasting]
    if not dataclasses.is_dataclass(value):
        return value
    encoded: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        if identity and field.metadata.get(STATE):
            continue
        item = getattr(value, field.name)
        nominal = field.metadata.get(NOMINAL, 1)
        if identity and isinstance(item, Unknown):
            continue
        if identity and nominal > 1 and isinstance(item, int):
            item = -(-item // nominal) * nominal  # upwards: a kernel hands out a little less than there is, never more
        encoded[camel(field.name)] = _encode(item, identity=identity)
    return encoded


@cache
def _shape(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    """(name, type, is state) of each field of a dataclass."""
    hints = get_type_hints(kind)
    return tuple((f.name, hints[f.name], bool(f.metadata.get(STATE))) for f in dataclasses.fields(kind))


def _decode(kind: Any, value: Any, at: str) -> Any:
    origin = get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _decode_fact(kind, value, at)
    if origin is tuple:
        if not isinstance(value, list):
            raise TopologyFormatError(f"{at}: expected a list")
        inner = get_args(kind)[0]
        return tuple(_decode(inner, item, f"{at}[{number}]") for number, item in enumerate(value))
    if dataclasses.is_dataclass(kind):
        return _decode_fields(kind, value, at)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TopologyFormatError(f"{at}: expected {kind.__name__}, got {type(value).__name__}")
    return value


def _decode_fact(kind: Any, value: Any, at: str) -> Any:
    if value is None:
        return NOT_KNOWN_THEN
    if isinstance(value, dict) and value.keys() == {"unknown"}:
        return Unknown(str(value["unknown"]))
    inner = next(arg for arg in get_args(kind) if arg is not Unknown)
    return _decode(inner, value, at)


def _decode_fields(kind: Any, value: Any, at: str) -> Any:
    if not isinstance(value, dict):
        raise TopologyFormatError(f"{at}: expected an object")
    given = dict(value)
    arguments: dict[str, Any] = {}
    for name, hint, is_state in _shape(kind):
        key = camel(name)
        if key in given:
            arguments[name] = _decode(hint, given.pop(key), f"{at}.{key}")
        elif is_state:
            arguments[name] = "" if hint is str else NOT_IN_PROFILE
        elif Unknown in get_args(hint):
            arguments[name] = NOT_KNOWN_THEN
        else:
            raise TopologyFormatError(f"{at}.{key}: missing")
    if given:
        raise TopologyFormatError(f"{at}.{min(given)}: unknown field")
    return kind(**arguments)
