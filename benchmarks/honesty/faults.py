"""The kinds of fault: what happens to the service, to the sensors, and what the contract declares."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.promises import View

ALL = frozenset({View.TAP, View.PROBER, View.METRICS})
LYING, LYING_ABOUT_GAPS = "tap-lying", "tap-lying-gaps"


@dataclass(frozen=True)
class Kind:
    """One kind of trouble. `service` episodes are really bad for users; `sensor` faults fall on top of them."""

    name: str
    service: str = "slow"
    sensor: str = ""
    views: frozenset[View] = ALL


KINDS = (
    Kind("none", service=""),
    Kind("interference"),
    Kind("load above declared", service="flood"),
    Kind("stall", service="stall"),
    Kind("users give up", service="left"),
    Kind("server killed", service="dead"),
    Kind("metrics deleted", sensor="metrics-gone"),
    Kind("metrics frozen", sensor="metrics-frozen"),
    Kind("metrics replayed", sensor="metrics-replayed"),
    Kind("metrics lying x2", sensor="metrics-lying"),
    Kind("prober killed", sensor="prober-killed"),
    Kind("prober cut off", sensor="prober-unreachable"),
    Kind("tap killed", sensor="tap-killed"),
    Kind("tap lying /4", sensor=LYING),
    Kind("tap lying about gaps", sensor=LYING_ABOUT_GAPS),
    Kind("tap clock drifting", sensor="tap-drifting"),
    Kind("prober clock drifting", sensor="prober-drifting"),
    Kind("clock jumping", sensor="clock-jumping"),
    Kind("machine asleep", sensor="asleep"),
    Kind("journal truncated", sensor="journal-truncated"),
    Kind("journal edited", sensor="journal-edited"),
)
