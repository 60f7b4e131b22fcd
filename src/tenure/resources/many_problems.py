"""A document with very many problems: a small part of it that has the first of them, so that only these are made out.

A model that refuses a document counts what is wrong at once, but takes a microsecond and more to say each one; three
megabytes hold hundreds of thousands, which nobody reads.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

MANY = 10_000
"""So many are made out in a hundredth of a second or two."""
KEPT_MAX = 1_000


@dataclass(slots=True)
class _Room:
    """How many more members may be kept of those that a document can have any number of."""

    left: int = KEPT_MAX

    def taken(self) -> bool:
        self.left -= 1
        return self.left >= 0


def first_errors(error: ValidationError, model: type[BaseModel], content: Any, *, strict: bool) -> list[Any]:
    """What is wrong, as pydantic says it: all of it, or of more than MANY the first hundreds.

    `strict` is how `content` was validated. None at all where a small part of it has nothing wrong.
    """
    from pydantic import ValidationError

    if error.error_count() <= MANY:
        return list(error.errors(include_url=False))
    try:
        model.model_validate(_part(content, (model,), _Room()), strict=strict or None, by_alias=True, by_name=False)
    except ValidationError as few:
        return list(few.errors(include_url=False)) if few.error_count() <= MANY else []
    return []


def models_in(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The models that a value of this type may be, or be made of."""
    from pydantic import BaseModel

    inner = typing.get_args(annotation)
    if not inner:
        return (annotation,) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else ()
    return tuple(model for one in inner for model in models_in(one))


def _part(content: Any, models: tuple[type[BaseModel], ...], room: _Room) -> Any:
    """`content` with every field that its models know, since one may be required, and as much else as there is room
    for; of a list at least one."""
    if isinstance(content, dict):
        known = _fields(models)
        return {
            key: _part(value, known.get(key, ()), room)
            for key, value in content.items()
            if key in known or room.taken()
        }
    if isinstance(content, list):
        return [_part(one, models, room) for number, one in enumerate(content) if room.taken() or not number]
    return content


@cache
def _fields(models: tuple[type[BaseModel], ...]) -> dict[str, tuple[type[BaseModel], ...]]:
    """The fields that may stand in one of these models, on the wire, each with the models that may stand there."""
    found: dict[str, tuple[type[BaseModel], ...]] = {}
    for model in models:
        for name, field in model.model_fields.items():
            wire = field.alias or name
            found[wire] = (*found.get(wire, ()), *models_in(field.annotation))
    return found
