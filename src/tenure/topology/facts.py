"""A fact is a value, or the reason why there is none. "Not readable" is never zero.

Fields are marked here, too: what is a passing *state* (a link's present speed, a name that an operating system chose)
stays out of a machine's identity, and what kernels report a little differently at each boot is rounded in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

STATE, NOMINAL, DESCRIPTION = "state", "nominal", "description"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be had. Equal to every other Unknown with the same reason, and false in a condition."""

    reason: str

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"unknown ({self.reason})"


Fact: TypeAlias = T | Unknown


def known_or(fact: T | Unknown, otherwise: T) -> T:
    """The fact where it is known, else `otherwise`."""
    return otherwise if isinstance(fact, Unknown) else fact


def known(fact: T | Unknown) -> T | None:
    """The fact where it is known, else `None`, for callers whose own nouns use `None` for unknown."""
    return None if isinstance(fact, Unknown) else fact


def listed(fact: Iterable[T] | Unknown) -> tuple[T, ...]:
    """The members of a list that may be unknown; empty where it is. Say elsewhere that it was unknown."""
    return () if isinstance(fact, Unknown) else tuple(fact)


def fact(description: str, *, state: bool = False, nominal: int = 1) -> Any:
    """A dataclass field with what it means, for the schema.

    `state`: not part of the hardware's identity. `nominal`: in the identity, rounded up to this many units.
    """
    return field(metadata={DESCRIPTION: description, STATE: state, NOMINAL: nominal})


def fact_or(default: Any, description: str, *, state: bool = False, nominal: int = 1) -> Any:
    """As `fact`, with a default."""
    return field(default=default, metadata={DESCRIPTION: description, STATE: state, NOMINAL: nominal})
