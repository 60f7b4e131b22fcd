"""How a runtime's own metrics mean our objectives: one counter or gauge, or the ratio of two counters."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True)
class MetricRule:
    """`objective` is read from `metric`: over a window, a counter's increase per second; divided by the increase of
    `per` where that is named (a mean); a gauge as it stands. `unit` is the metric's own."""

    objective: str
    metric: str
    per: str | None
    unit: str

    @property
    def is_counter(self) -> bool:
        """OpenMetrics: counters, and only they, end in _total."""
        return self.metric.endswith("_total")


def parse_rule(objective: str, expression: str, unit: str) -> MetricRule:
    """A rule from a Runtime manifest: `name`, or `name / name`. Raises ValueError for anything else."""
    names = [part.strip() for part in expression.split("/")]
    if len(names) > 2 or not all(_NAME.fullmatch(name) for name in names):
        raise ValueError(f"{expression!r} is neither a metric's name nor the ratio of two, written `a / b`")
    return MetricRule(objective, names[0], names[1] if len(names) == 2 else None, unit)
