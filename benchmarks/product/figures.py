"""One measured figure: beside its aim, and as a ratio to the floor that binds it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`aim` is an upper bound in the figure's own unit, or None where only the figure was asked for."""

    name: str
    value: float
    unit: str
    aim: float | None = None
    floor: float | None = None
    floor_name: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        return None if self.aim is None else self.value <= self.aim

    @property
    def ratio(self) -> float | None:
        """The figure as a multiple of its floor."""
        return self.value / self.floor if self.floor else None

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


def nearest_rank(values: Sequence[float], percent: float) -> float:
    """Percentile by nearest rank, which is always one of the values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def shown(value: float | None, unit: str = "") -> str:
    """Three significant figures, with the unit."""
    if value is None:
        return "–"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f} {unit}".rstrip()
