"""Answers of the verbs about this machine, its hardware, what it costs, where it stands, what it could carry."""

from typing import Any

from tenure.cli.schemas.parts import (
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
    Schema,
    answered,
    exactly,
    listed,
    maybe,
    with_at_least,
)
from tenure.cli.screen import OUTPUT_VERSION
from tenure.topology import machine_schema

_CHECK = exactly(
    {"area": TEXT, "what": TEXT, "state": {"enum": ["good", "lacking", "bad"]}, "found": TEXT, "nextStep": TEXT}
)
_PRICE = {"machine": TEXT, "hourlyCost": maybe(TEXT)}
_PLACE = {"site": TEXT, "location": maybe({"type": "object"})}
_MODEL = {"name": TEXT, "spec": {"type": "object"}, "path": maybe(TEXT)}
_LIMIT = with_at_least(
    {"kind": TEXT, "used": WHOLE, "limit": WHOLE, "unit": TEXT, "membersWithout": WHOLE, "share": NUMBER}
)
_GAP = exactly({"path": TEXT, "reason": TEXT, "weight": {"enum": ["needed", "wanted"]}})
_SIMULATED = with_at_least(
    {
        "trace": {"type": "object"},
        "fleet": {"type": "object"},
        "jobs": {"type": "object"},
        "promises": {"type": "object"},
        "waitSeconds": {"type": "object"},
        "heldBy": {"type": "object"},
        "gpuHours": NUMBER,
        "occupiedShare": NUMBER,
        "peakPowerW": WHOLE,
        "series": listed(
            with_at_least({"atMs": {}, "gpus": {}, "powerW": {}, "waiting": {}, "running": {}, "map": {}})
        ),
        "machines": listed({"type": "array"}),
    }
)


def _machine() -> tuple[Schema, dict[str, Any]]:
    """The observed machine, made from the dataclasses of `topology`, and the definitions that it refers to."""
    whole = machine_schema()
    definitions: dict[str, Any] = whole["$defs"]
    return definitions["ObservedMachine"], definitions


def _observed_machine() -> Schema:
    machine, definitions = _machine()
    said = {"apiVersion": {"const": OUTPUT_VERSION}, "kind": {"const": "ObservedMachine"}}
    return {
        **machine,
        "required": [*said, *machine["required"]],
        "properties": {**said, **machine["properties"]},
        "$defs": definitions,
    }


MACHINE: dict[str, Schema] = {
    "Plane": answered(
        "Plane",
        {"home": TEXT, "pid": WHOLE, "startTime": NUMBER, "url": TEXT, "site": TEXT, "machine": TEXT},
        {"overruled": listed(TEXT)},
    ),
    "Stopped": answered("Stopped", {"home": TEXT, "stopped": TRUTH, "purged": TRUTH, "endedRuns": listed(TEXT)}),
    "Checkup": answered("Checkup", {"healthy": TRUTH, "checks": listed(_CHECK)}),
    "ObservedMachine": _observed_machine(),
    "ObservedMachines": {
        **answered("ObservedMachines", {"items": listed({"$ref": "#/$defs/ObservedMachine"})}),
        "$defs": _machine()[1],
    },
    "InventoryGaps": answered("InventoryGaps", {"source": TEXT, "complete": TRUTH, "missing": listed(_GAP)}),
    "Price": answered("Price", _PRICE),
    "Prices": answered("Prices", {"items": listed(exactly(_PRICE))}),
    "SiteLocation": answered("SiteLocation", _PLACE),
    "Sites": answered("Sites", {"items": listed(exactly(_PLACE))}),
    "ModelFile": answered("ModelFile", _MODEL),
    "Models": answered("Models", {"items": listed(exactly(_MODEL))}),
    "Fetched": answered("Fetched", {"model": TEXT, "digest": TEXT, "path": TEXT}),
    "Capacity": answered(
        "Capacity",
        {
            "site": TEXT,
            "atMs": WHOLE,
            "member": {"type": "object"},
            "members": WHOLE,
            "limits": listed(_LIMIT),
            "unlocks": WHOLE,
            "machinesOut": WHOLE,
            "devicesOut": WHOLE,
            "verdict": TEXT,
        },
        {"binding": {"type": "object"}, "oneMore": WHOLE, "each": WHOLE, "nextLimit": TEXT},
    ),
    "Simulation": answered(
        "Simulation",
        {
            "fleet": TEXT,
            "trace": TEXT,
            "seed": WHOLE,
            "runs": {"type": "object", "additionalProperties": _SIMULATED},
        },
    ),
}
