"""What is reported broken of a machine, and what follows for its state. Pure."""

from typing import Literal

from tenure.resources import Machine
from tenure.resources.kinds.machine import MachineSpec


def state_wanted(spec: MachineSpec) -> Literal["Ready", "Draining", "Failed"]:
    """The state of a machine that was observed, as its spec wants it."""
    if spec.health is not None and spec.health.failed:
        return "Failed"
    return "Draining" if spec.drain else "Ready"


def devices_reported(spec: MachineSpec) -> list[str]:
    """The devices that are reported broken, sorted."""
    return sorted(set(spec.health.failed_devices)) if spec.health is not None else []


def devices_out(machine: Machine) -> frozenset[str]:
    """Devices that are not sold: those reported broken, and those that were until their return is committed."""
    seen = machine.status.failed_devices if machine.status is not None else []
    return frozenset(devices_reported(machine.spec)) | frozenset(seen)
